"""Draining: once, in time, again after trouble, never after its end; nothing secret left behind."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError
from pytest_django import Settings
from structlog.testing import capture_logs

from notifications.channels.base import Delivery, DeliveryFailed, OutgoingMessage
from notifications.services import CodeSource, drain, notify_nobody
from tenants.context import tenant_context
from tenants.models import Tenant, TenantKey
from tests.notifications.conftest import Stub
from tests.notifications.post import (
    ALICE,
    PHONE,
    code_of,
    queue_code,
    queue_notice,
    raw_bytes,
    reread,
    trail,
)
from tests.services.smtp import SmtpSink


class WorkerDied(BaseException):
    """Stands for the end of the process between claiming and sending."""


def test_a_code_is_sent_once_and_marked(
    tenant: Tenant, now: datetime, source: CodeSource, stub: Stub
) -> None:
    row = queue_code(tenant, now, source, reference="K7M4-92QX")

    assert (drain(now), drain(now)) == (1, 0)

    [sent] = stub.sent
    assert (sent.to.reveal(), sent.tenant, sent.tenant_name) == (
        ALICE.address,
        "contoso",
        "Contoso",
    )
    assert code_of(tenant, source) in sent.text
    row = reread(row)
    assert (row.state, row.attempts, row.provider_id) == ("sent", 1, "stub-1")
    assert row.sent_at is not None
    assert trail(tenant) == [("message.sent", {"kind": "code", "channel": "email"})]
    assert stub.closed == 1


def test_what_is_not_due_waits(tenant: Tenant, now: datetime, stub: Stub) -> None:
    queue_notice(tenant, now + timedelta(minutes=1))

    assert drain(now) == 0
    assert drain(now + timedelta(minutes=1)) == 1


def test_an_expired_code_never_goes_out(
    tenant: Tenant, now: datetime, source: CodeSource, stub: Stub
) -> None:
    row = queue_code(tenant, now, source)

    drain(now + timedelta(minutes=5))

    assert stub.sent == []
    assert (reread(row).state, reread(row).error) == ("expired", "expired")
    assert trail(tenant)[0][1]["cause"] == "expired"


def test_a_code_that_expires_while_others_are_sent_does_not_go_out(
    tenant: Tenant,
    now: datetime,
    source: CodeSource,
    stub: Stub,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queue_notice(tenant, now - timedelta(minutes=1))
    row = queue_code(tenant, now, source)
    passed = [0.0]
    monkeypatch.setattr("notifications.queue.time.monotonic", lambda: passed[0])
    monkeypatch.setattr(stub, "close", lambda: None)
    send = stub.send

    def slowly(message: OutgoingMessage) -> Delivery:
        passed[0] += 301
        return send(message)

    monkeypatch.setattr(stub, "send", slowly)

    assert drain(now) == 2

    assert [message.kind for message in stub.sent] == ["password_changed"]
    assert reread(row).state == "expired"


def test_a_code_that_could_not_be_sent_in_time_expires(
    tenant: Tenant, now: datetime, source: CodeSource, stub: Stub
) -> None:
    row = queue_code(tenant, now, source)
    stub.problem = DeliveryFailed("timeout", permanent=False)

    states = []
    for seconds in (0, 10, 25, 50, 100, 200):
        drain(now + timedelta(seconds=seconds))
        states.append((reread(row).state, reread(row).attempts))

    assert states[0] == ("queued", 1)
    assert states[-1] == ("expired", 6)
    assert trail(tenant) == [
        ("message.failed", {"kind": "code", "channel": "email", "cause": "timeout"})
    ]


def test_a_notice_waits_longer_after_each_failure_and_goes_out_at_last(
    tenant: Tenant, now: datetime, stub: Stub
) -> None:
    row = queue_notice(tenant, now)
    stub.problem = DeliveryFailed("smtp_451", permanent=False)

    drain(now)
    first = reread(row)
    drain(now + timedelta(seconds=29))
    assert reread(row).attempts == 1
    drain(first.due_at)
    second = reread(row)
    stub.problem = None
    drain(second.due_at + timedelta(hours=24))

    assert timedelta(seconds=30) <= first.due_at - now < timedelta(seconds=31)
    assert timedelta(seconds=60) <= second.due_at - first.due_at < timedelta(seconds=61)
    assert (second.state, second.error) == ("queued", "smtp_451")
    assert (reread(row).state, reread(row).attempts, reread(row).error) == ("sent", 3, "")


def test_a_notice_has_failed_after_three_days(tenant: Tenant, now: datetime, stub: Stub) -> None:
    row = queue_notice(tenant, now)
    stub.problem = DeliveryFailed("unreachable", permanent=False)

    drain(now + timedelta(hours=71, minutes=59, seconds=45))

    assert (reread(row).state, reread(row).error) == ("failed", "unreachable")


def test_a_permanent_failure_is_not_tried_again(tenant: Tenant, now: datetime, stub: Stub) -> None:
    row = queue_notice(tenant, now)
    stub.problem = DeliveryFailed("smtp_550", permanent=True)

    drain(now)

    assert (reread(row).state, reread(row).attempts) == ("failed", 1)
    assert drain(now + timedelta(hours=2)) == 0
    assert trail(tenant)[0][1] == {
        "kind": "password_changed",
        "channel": "email",
        "cause": "smtp_550",
    }


def test_a_worker_that_dies_leaves_the_message_queued_with_the_same_code(
    tenant: Tenant, now: datetime, source: CodeSource, stub: Stub
) -> None:
    row = queue_code(tenant, now, source)
    stub.problem = WorkerDied()

    with pytest.raises(WorkerDied):
        drain(now)

    assert (reread(row).state, reread(row).attempts) == ("queued", 0)
    assert stub.closed == 1
    stub.problem = None
    assert drain(now) == 1
    [sent] = stub.sent
    assert code_of(tenant, source) in sent.text


def test_a_fault_of_ours_is_tried_again_and_stops_nobody_else(
    tenant: Tenant, now: datetime, stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = queue_notice(tenant, now - timedelta(seconds=1), "account_unlocked")
    fine = queue_notice(tenant, now)
    send = stub.send

    def picky(message: OutgoingMessage) -> Delivery:
        if message.kind == "account_unlocked":
            raise ZeroDivisionError(message.to.reveal())
        return send(message)

    monkeypatch.setattr(stub, "send", picky)

    assert drain(now) == 2

    assert (reread(broken).state, reread(broken).error) == ("queued", "fault_ZeroDivisionError")
    assert reread(fine).state == "sent"


def test_trouble_of_the_database_is_not_hidden(tenant: Tenant, now: datetime, stub: Stub) -> None:
    row = queue_notice(tenant, now)
    stub.problem = DatabaseError()

    with pytest.raises(DatabaseError):
        drain(now)

    assert reread(row).state == "queued"


def test_a_message_whose_key_was_destroyed_fails_for_good(
    tenant: Tenant, now: datetime, stub: Stub
) -> None:
    from tenants.keys import forget_keys

    row = queue_notice(tenant, now)
    with tenant_context(tenant.id):
        TenantKey.objects.all().delete()
    forget_keys()

    drain(now)

    assert (reread(row).state, reread(row).error) == ("failed", "unreadable")


def test_tenants_take_turns_and_a_run_has_a_limit(
    tenant: Tenant, other_tenant: Tenant, now: datetime, stub: Stub
) -> None:
    for _ in range(3):
        queue_notice(tenant, now)
        queue_notice(other_tenant, now)

    assert drain(now, limit=2) == 2

    assert {message.tenant for message in stub.sent} == {"contoso", "fabrikam"}
    assert drain(now) == 4


def test_a_decoy_is_handled_and_goes_nowhere(
    tenant: Tenant, now: datetime, by_smtp: SmtpSink, outbox_dir: Path, settings: Settings
) -> None:
    for outbox in ("", str(outbox_dir)):
        settings.SSPR_OUTBOX_DIR = outbox
        with tenant_context(tenant.id):
            rows = [notify_nobody(kind, now=now) for kind in ("code", "password_changed")]

        assert drain(now) == 2

        assert [reread(row).state for row in rows] == ["sent", "sent"]
    assert by_smtp.mails == []
    assert list(outbox_dir.iterdir()) == []
    assert trail(tenant) == []


def test_a_decoy_expires_like_a_code(tenant: Tenant, now: datetime) -> None:
    with tenant_context(tenant.id):
        row = notify_nobody("code", now=now)

    drain(now + timedelta(minutes=6))

    assert reread(row).state == "expired"


@pytest.mark.parametrize(
    ("problem", "logs"),
    [
        (None, False),
        (KeyError(ALICE.address), True),
        (DeliveryFailed("smtp_550", permanent=True), False),
        (DeliveryFailed("smtp_451", permanent=False), True),
    ],
    ids=["sent", "fault", "failed", "again"],
)
def test_no_address_and_no_code_stays_in_rows_trail_or_log(
    tenant: Tenant,
    now: datetime,
    source: CodeSource,
    stub: Stub,
    problem: Exception | None,
    logs: bool,
) -> None:
    code = code_of(tenant, source)
    stub.problem = problem
    row = queue_code(tenant, now, source)

    with capture_logs() as entries:
        drain(now)

    raw = raw_bytes(tenant, "notifications_message", "tenants_auditevent")
    logged = "".join(map(str, entries))
    for hidden in (ALICE.address, code):
        assert hidden.encode() not in raw
        assert hidden not in logged + repr(stub.sent) + repr(row)
    assert bool(logged) == logs


def test_the_file_outbox_is_written_to_the_letter(
    tenant: Tenant, now: datetime, source: CodeSource, by_file: Path
) -> None:
    row = queue_code(tenant, now, source, channel="sms", to=PHONE, reference="K7M4-92QX")

    drain(now)

    [file] = by_file.iterdir()
    content = json.loads(file.read_text(encoding="utf-8"))
    code = code_of(tenant, source)
    assert file.name == f"20261120T135500.000000Z-{row.id}.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert content == {
        "id": str(row.id),
        "tenant": "contoso",
        "channel": "sms",
        "kind": "code",
        "to": "+14255550101",
        "subject": "",
        "text": f"{code} is your Contoso code for 5 minutes."
        " Tell nobody, including IT. Not you? Ignore it."
        f"\n\n@localhost #{code}",
        "html": "",
        "data": {"reference": "K7M4-92QX", "code": code},
        "created": "2026-11-20T13:55:00+00:00",
    }


@pytest.mark.parametrize("channel", ["email", "sms", "voice"])
def test_every_channel_writes_its_file(
    tenant: Tenant, now: datetime, source: CodeSource, by_file: Path, channel: str
) -> None:
    to = ALICE if channel == "email" else PHONE
    queue_code(tenant, now, source, channel=channel, to=to)

    drain(now)

    [file] = by_file.iterdir()
    content = json.loads(file.read_text(encoding="utf-8"))
    assert (content["channel"], content["to"]) == (channel, to.address)
    assert content["data"]["code"] == code_of(tenant, source)
    assert bool(content["html"]) == bool(content["subject"]) == (channel == "email")


def test_facts_of_a_notice_reach_the_file(tenant: Tenant, now: datetime, by_file: Path) -> None:
    queue_notice(tenant, now, when=now.isoformat(), not_me_url="https://reset.example/not-me")

    drain(now)

    [file] = by_file.iterdir()
    content = json.loads(file.read_text(encoding="utf-8"))
    assert content["data"] == {
        "when": now.isoformat(),
        "not_me_url": "https://reset.example/not-me",
        "reference": "K7M4-92QX",
    }
    assert "Help desk:" in content["text"]
    assert "+1 4255550199" in content["text"]


def test_an_outbox_that_can_not_be_written_is_tried_again(
    tenant: Tenant, now: datetime, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file, not a folder", encoding="utf-8")
    settings.SSPR_OUTBOX_DIR = str(tmp_path / "taken")
    row = queue_notice(tenant, now)

    drain(now)

    assert (reread(row).state, reread(row).error) == ("queued", "outbox_not_writable")
