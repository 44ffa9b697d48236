"""Two tenants, a moment, and the two ways out: real SMTP on loopback, and files."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core import mail
from pytest_django import Settings

from notifications.channels import registry
from notifications.channels.base import Delivery, OutgoingMessage
from notifications.services import CodeSource
from tenants.keys import forget_keys
from tenants.models import Tenant
from tenants.services import create_tenant
from tests.services.smtp import SmtpSink

NOW = datetime(2026, 11, 20, 13, 55, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(autouse=True)
def _fresh_keys() -> Iterator[None]:
    forget_keys()
    yield
    forget_keys()


@pytest.fixture
def tenant(db: None) -> Tenant:
    return contoso()


@pytest.fixture
def other_tenant(db: None) -> Tenant:
    return create_tenant("fabrikam", "Fabrikam")


def contoso() -> Tenant:
    return create_tenant(
        "contoso",
        "Contoso",
        helpdesk_email="help@contoso.example",
        helpdesk_phone="+1 4255550199",
    )


@pytest.fixture
def source() -> CodeSource:
    return CodeSource(b"n" * 16, b"flow|challenge|method|user")


@pytest.fixture
def by_smtp(settings: Settings, smtp_sink: SmtpSink) -> SmtpSink:
    """Mail goes to a real server on loopback, and nothing to files."""
    settings.SSPR_OUTBOX_DIR = ""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = smtp_sink.host, smtp_sink.port
    settings.SSPR_MAIL_FROM = "no-reply@sspr.example"
    mail.outbox = []
    return smtp_sink


@pytest.fixture
def by_file(outbox_dir: Path) -> Path:
    """Every message becomes a file in this empty folder."""
    return outbox_dir


class Stub:
    """A mail channel that answers with what it was told: an exception, or nothing."""

    def __init__(self) -> None:
        self.problem: BaseException | None = None
        self.sent: list[OutgoingMessage] = []
        self.closed = 0

    def send(self, message: OutgoingMessage) -> Delivery:
        if self.problem is not None:
            raise self.problem
        self.sent.append(message)
        return Delivery("stub-1")

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def stub(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Stub:
    settings.SSPR_OUTBOX_DIR = ""
    channel = Stub()
    monkeypatch.setitem(registry.CHANNELS, "email", lambda: channel)
    return channel
