"""Two workers at once, and a worker that is killed: each message goes out exactly once."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import cast

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import connection
from pytest_django import Settings

from notifications.channels import registry
from notifications.channels.base import Delivery, OutgoingMessage
from notifications.services import CodeSource, drain
from tests.notifications.conftest import contoso
from tests.notifications.post import code_of, queue_code, queue_notice, reread
from tests.services.ports import wait_until
from tests.services.smtp import SmtpSink

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
WORKER = """
import sys
from datetime import datetime
import django
django.setup()
from notifications.services import drain
drain(datetime.fromisoformat(sys.argv[1]))
"""


class StallingSink(SmtpSink):
    """Holds the first mail, fully received and not yet accepted, until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.held = threading.Event()
        self.released = threading.Event()
        self.held_content = b""

    async def handle_DATA(  # noqa: N802 - aiosmtpd calls it by this name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.released.is_set():
            return await super().handle_DATA(server, session, envelope)
        self.held_content = cast(bytes, envelope.content)
        self.held.set()
        await asyncio.get_running_loop().run_in_executor(None, self.released.wait, 60)
        return "451 too late"


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    sink = StallingSink()
    sink.start()
    yield sink
    sink.released.set()
    sink.stop()


def in_thread(now: datetime) -> int:
    try:
        return drain(now)
    finally:
        connection.close()


def test_a_message_one_worker_holds_is_passed_over_by_the_other(
    now: datetime, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SSPR_OUTBOX_DIR = ""
    sending, may_finish = threading.Event(), threading.Event()
    sent: list[OutgoingMessage] = []

    class Slow:
        def send(self, message: OutgoingMessage) -> Delivery:
            sending.set()
            assert may_finish.wait(30)
            sent.append(message)
            return Delivery()

        def close(self) -> None:
            """Holds nothing."""

    monkeypatch.setitem(registry.CHANNELS, "email", Slow)
    row = queue_notice(contoso(), now)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(in_thread, now)
        try:
            assert sending.wait(30)
            assert drain(now) == 0
        finally:
            may_finish.set()
        assert first.result(30) == 1

    assert len(sent) == 1
    assert (reread(row).state, reread(row).attempts) == ("sent", 1)


def test_two_workers_share_a_queue_and_send_each_message_once(
    now: datetime, by_smtp: StallingSink
) -> None:
    by_smtp.released.set()
    tenant = contoso()
    rows = [queue_notice(tenant, now) for _ in range(12)]
    start = threading.Barrier(2)

    def work() -> int:
        start.wait(30)
        return in_thread(now)

    with ThreadPoolExecutor(2) as pool:
        handled = [future.result(60) for future in [pool.submit(work), pool.submit(work)]]

    assert sum(handled) == 12
    ids = [mail.message["Message-ID"] for mail in by_smtp.mails]
    assert sorted(ids) == sorted(f"<{row.id}@sspr.example>" for row in rows)


@pytest.mark.slow
def test_a_worker_killed_while_sending_leaves_a_message_that_goes_out_once_with_its_code(
    now: datetime, source: CodeSource, by_smtp: StallingSink
) -> None:
    tenant = contoso()
    row = queue_code(tenant, now, source)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "sspr_project.settings_test",
        "SSPR_OUTBOX_DIR": "",
        "EMAIL_URL": by_smtp.url,
    }
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, now.isoformat()], cwd=ROOT, env=environment
    )
    try:
        assert by_smtp.held.wait(30)
        assert drain(now) == 0
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait(30)
    by_smtp.released.set()
    assert by_smtp.mails == []

    wait_until(lambda: drain(now) == 1, "the message of the killed worker")

    code = code_of(tenant, source)
    [mail] = by_smtp.mails
    assert code.encode() in by_smtp.held_content
    assert code in str(mail.message.get_body(("plain",)))
    assert (reread(row).state, drain(now)) == ("sent", 0)
