"""A contact that messages come back from is marked, and nothing else is."""

from datetime import UTC, datetime

import pytest

from accounts.models import ContactPoint
from notifications.channels import registry
from notifications.channels.base import Delivery, DeliveryFailed, OutgoingMessage
from notifications.services import CodeSource, Recipient, drain, notify
from tests.cast import Acme, give_mobile

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


class Refusing:
    """A channel that never delivers, and says why."""

    def __init__(self, cause: str, *, permanent: bool) -> None:
        self.cause, self.permanent = cause, permanent

    def send(self, message: OutgoingMessage) -> Delivery:
        raise DeliveryFailed(self.cause, permanent=self.permanent)

    def close(self) -> None:
        """Holds nothing."""


def stale(acme: Acme) -> set[str]:
    with acme.inside():
        rows = ContactPoint.objects.exclude(stale_at=None)
        return {f"{row.user.user_id} {row.kind}" for row in rows}


@pytest.mark.parametrize(
    ("cause", "permanent", "marked"),
    [
        ("smtp_550", True, {"bob@acme.example alternate_email"}),
        ("address_refused", True, {"bob@acme.example alternate_email"}),
        ("smtp_450", False, set()),
        # Says something about the mail, or about us, and nothing about the mailbox.
        ("smtp_554", True, set()),
        ("header_refused", True, set()),
    ],
)
def test_a_mailbox_that_is_not_there_is_marked(
    acme: Acme,
    settings: object,
    monkeypatch: pytest.MonkeyPatch,
    cause: str,
    permanent: bool,
    marked: set[str],
) -> None:
    settings.SSPR_OUTBOX_DIR = ""  # type: ignore[attr-defined]  # the fixture of pytest-django
    channel = Refusing(cause, permanent=permanent)
    monkeypatch.setitem(registry.CHANNELS, "email", lambda: channel)
    with acme.inside():
        notify(
            "code",
            "email",
            Recipient("Bob@example.net", "en"),
            {},
            now=NOW,
            code=CodeSource(b"n" * 16, b"b" * 32),
        )
    drain(NOW)

    assert stale(acme) == marked


def test_a_number_that_can_not_be_reached_is_marked(
    acme: Acme, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SSPR_OUTBOX_DIR = ""  # type: ignore[attr-defined]  # the fixture of pytest-django
    monkeypatch.setitem(registry.CHANNELS, "sms", lambda: Refusing("twilio_21614", permanent=True))
    with acme.inside():
        give_mobile(acme.bob, "+1 4255550142")
        notify(
            "code",
            "sms",
            Recipient("+14255550142", "en"),
            {},
            now=NOW,
            code=CodeSource(b"n" * 16, b"b" * 32),
        )
    drain(NOW)

    assert stale(acme) == {"bob@acme.example mobile_phone"}
