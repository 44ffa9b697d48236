"""A connection to the mail server that is kept from run to run, and a server that tires of it."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from notifications.channels import email
from notifications.channels.registry import OpenChannels
from notifications.services import drain
from tenants.models import Tenant
from tests.notifications.post import queue_notice, reread
from tests.services.smtp import SmtpSink


class TiringSink(SmtpSink):
    """Knows its connections. Takes `patience` mails on each, then says that it is closing."""

    def __init__(self) -> None:
        super().__init__()
        self.sessions: list[Session] = []
        self.patience = 100
        self.asked = 0
        self.still_there = "250 OK"
        self._taken: dict[int, int] = {}

    async def handle_MAIL(  # noqa: N802 - aiosmtpd calls it by this name and shape
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if session not in self.sessions:
            self.sessions.append(session)
        taken = self._taken[id(session)] = self._taken.get(id(session), 0) + 1
        if taken > self.patience:
            return "421 enough"
        envelope.mail_from = address
        return "250 OK"

    async def handle_NOOP(  # noqa: N802 - aiosmtpd calls it by this name and shape
        self, server: SMTP, session: Session, envelope: Envelope, arg: str
    ) -> str:
        self.asked += 1
        return self.still_there


@pytest.fixture
def smtp_sink() -> Iterator[TiringSink]:
    sink = TiringSink()
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture
def kept() -> Iterator[OpenChannels]:
    channels = OpenChannels()
    yield channels
    channels.close()


def test_runs_that_share_their_channels_share_the_connection(
    tenant: Tenant, now: datetime, by_smtp: TiringSink, kept: OpenChannels
) -> None:
    for _ in range(3):
        queue_notice(tenant, now)
        assert drain(now, channels=kept) == 1
    assert (len(by_smtp.mails), len(by_smtp.sessions), by_smtp.asked) == (3, 1, 0)

    kept.close()
    queue_notice(tenant, now)
    drain(now, channels=kept)
    queue_notice(tenant, now)
    drain(now)

    assert (len(by_smtp.mails), len(by_smtp.sessions)) == (5, 3)


@pytest.mark.parametrize(("answer", "connections"), [("250 OK", 1), ("421 closing", 2)])
def test_a_server_that_was_left_alone_is_asked_whether_it_is_still_there(
    tenant: Tenant,
    now: datetime,
    by_smtp: TiringSink,
    kept: OpenChannels,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    connections: int,
) -> None:
    monkeypatch.setattr(email, "TRUSTED_SECONDS", -1.0)
    by_smtp.still_there = answer
    queue_notice(tenant, now)
    drain(now, channels=kept)
    row = queue_notice(tenant, now)

    drain(now, channels=kept)

    assert (reread(row).state, reread(row).attempts) == ("sent", 1)
    assert (len(by_smtp.mails), len(by_smtp.sessions), by_smtp.asked) == (2, connections, 1)


def test_a_server_that_takes_few_mails_on_a_connection_gets_them_on_several(
    tenant: Tenant, now: datetime, by_smtp: TiringSink
) -> None:
    by_smtp.patience = 2
    rows = [queue_notice(tenant, now) for _ in range(5)]

    assert drain(now) == 5

    assert [(reread(row).state, reread(row).attempts) for row in rows] == [("sent", 1)] * 5
    assert len(by_smtp.mails) == 5
    assert len(by_smtp.sessions) == 3


def test_a_server_that_is_closing_from_the_start_is_tried_again_later(
    tenant: Tenant, now: datetime, by_smtp: TiringSink
) -> None:
    by_smtp.patience = 0
    row = queue_notice(tenant, now)

    drain(now)

    assert (reread(row).state, reread(row).error) == ("queued", "smtp_421")
    assert len(by_smtp.sessions) == 1
