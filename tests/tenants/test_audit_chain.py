"""The chain grows without gaps, whoever seals, and shows what was tampered with."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from tenants.audit_chain import (
    GENESIS,
    SEALED_FIELDS,
    Checkpoint,
    canonical_json,
    next_hash,
    seal_pending,
)
from tenants.context import tenant_context
from tenants.lookup import tenants_with_unsealed
from tenants.models import AuditEvent, AuditPending, AuditSeal
from tenants.services import create_tenant
from tests.services.ports import wait_until
from tests.services.session import database, shared_cluster
from tests.tenants.trail import NOW, sequences, tampering, verified, write_events

pytestmark = pytest.mark.django_db(transaction=True)
TENANT = UUID(int=1)
OTHER_EVENT = "this is not the event that was sealed here"
OTHER_END = "the recorded end of the chain is another one"
BEYOND_END = "a seal stands after the recorded end of the chain"
NO_SEAL = "the seal of this number is gone"


@pytest.fixture
def tenant() -> UUID:
    """A tenant with five sealed events."""
    made: UUID = create_tenant("contoso", "Contoso").id
    write_events(made, 5)
    assert seal_pending(NOW) == 5
    return made


def checkpoint(tenant: UUID) -> Checkpoint:
    found = verified(tenant)
    return Checkpoint(tenant, found.sealed, found.hash, NOW)


def test_equal_events_have_equal_bytes_and_any_difference_shows() -> None:
    there = datetime(2026, 11, 20, 10, 30, tzinfo=timezone(timedelta(hours=1)))
    event = {"id": TENANT, "created_at": NOW, "data": {"b": 1, "a": "ü"}}
    same = {"data": {"a": "ü", "b": 1}, "created_at": there, "id": TENANT}

    assert canonical_json(TENANT, 1, event) == (
        b'{"created_at":"2026-11-20T09:30:00.000000+00:00","data":{"a":"\\u00fc","b":1},'
        b'"id":"00000000-0000-0000-0000-000000000001","sequence":1,'
        b'"tenant":"00000000-0000-0000-0000-000000000001"}'
    )
    assert canonical_json(TENANT, 1, same) == canonical_json(TENANT, 1, event)
    assert canonical_json(TENANT, 2, event) != canonical_json(TENANT, 1, event)
    assert canonical_json(UUID(int=2), 1, event) != canonical_json(TENANT, 1, event)


def test_a_hash_depends_on_all_before_it() -> None:
    assert next_hash(GENESIS, b"a") == next_hash(GENESIS, b"a")
    assert next_hash(next_hash(GENESIS, b"a"), b"b") != next_hash(next_hash(GENESIS, b"b"), b"a")
    assert len(next_hash(GENESIS, b"")) == 32


def test_every_column_of_an_event_is_sealed() -> None:
    columns = {field.attname for field in AuditEvent._meta.concrete_fields}

    assert columns == {*SEALED_FIELDS, "tenant_id"}


def test_events_are_sealed_oldest_first_and_without_gaps(tenant: UUID) -> None:
    write_events(tenant, 3, start=NOW - timedelta(seconds=1))
    assert (verified(tenant).sealed, verified(tenant).unsealed) == (5, 3)

    assert seal_pending(NOW, limit=2) == 2
    assert seal_pending(NOW, limit=2) == 1
    assert seal_pending(NOW, limit=2) == 0

    assert sequences(tenant) == list(range(1, 9))
    assert (verified(tenant).intact, verified(tenant).unsealed) == (True, 0)
    with tenant_context(tenant):
        times = [seal.event.created_at for seal in AuditSeal.objects.order_by("sequence")]
    assert times[5:] == sorted(times[5:])


def test_another_tenants_events_never_come_into_this_chain(tenant: UUID) -> None:
    other = create_tenant("fabrikam", "Fabrikam").id
    write_events(other, 2)
    write_events(tenant, 1)

    assert set(tenants_with_unsealed()) == {tenant, other}
    assert seal_pending(NOW) == 3

    assert sequences(tenant) == [1, 2, 3, 4, 5, 6]
    assert sequences(other) == [1, 2]
    assert verified(tenant).intact
    assert verified(other).intact


def test_another_tenants_event_can_not_be_queued_here(tenant: UUID) -> None:
    other = create_tenant("fabrikam", "Fabrikam").id
    write_events(other, 1)
    with tenant_context(other):
        theirs = AuditEvent.objects.get().pk

    with pytest.raises(IntegrityError), tenant_context(tenant):
        AuditPending.objects.create(event_id=theirs, created_at=NOW)


def test_an_event_queued_twice_is_sealed_once(tenant: UUID) -> None:
    with tenant_context(tenant):
        again = AuditEvent.objects.order_by("created_at")[0]
        AuditPending.objects.create(event=again, created_at=NOW)
    write_events(tenant, 1)

    assert seal_pending(NOW) == 1

    assert sequences(tenant) == [1, 2, 3, 4, 5, 6]
    assert (verified(tenant).intact, verified(tenant).unsealed) == (True, 0)


def test_two_sealers_at_once_make_one_chain(caplog: pytest.LogCaptureFixture) -> None:
    tenant = create_tenant("contoso", "Contoso").id
    write_events(tenant, 120)
    start, sealed = threading.Barrier(2), []

    def seal() -> None:
        start.wait(timeout=10)
        while count := seal_pending(NOW, limit=5):
            sealed.append(count)
        connection.close()

    sealers = [threading.Thread(target=seal) for _ in range(2)]
    for sealer in sealers:
        sealer.start()
    for sealer in sealers:
        sealer.join(timeout=60)

    assert sum(sealed) == 120
    assert sequences(tenant) == list(range(1, 121))
    assert verified(tenant).intact
    # Not by running into the constraint on numbers, but by waiting for each other.
    assert caplog.records == []


def test_a_sealer_that_waited_goes_on_where_the_other_ended(
    tenant: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    write_events(tenant, 3)
    sealed: list[int] = []

    def seal() -> None:
        sealed.append(seal_pending(NOW))
        connection.close()

    second = threading.Thread(target=seal)
    with transaction.atomic():
        assert seal_pending(NOW, limit=2) == 2
        second.start()
        wait_until(_waits_for_a_lock, "the second sealer")
        assert sealed == []
    second.join(timeout=30)

    assert sealed == [1]
    assert sequences(tenant) == list(range(1, 9))
    assert (verified(tenant).intact, verified(tenant).unsealed) == (True, 0)
    assert caplog.records == []


def _waits_for_a_lock() -> bool:
    with shared_cluster().connect(database()) as superuser:
        query = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        [waiting] = superuser.execute(query).fetchone() or (0,)
        return bool(waiting)


def test_a_broken_chain_does_not_keep_others_from_theirs(
    tenant: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    other = create_tenant("fabrikam", "Fabrikam").id
    write_events(other, 1)
    write_events(tenant, 1)
    with tampering() as superuser:
        superuser.execute("UPDATE tenants_audithead SET sequence = 2")

    assert seal_pending(NOW) == 1

    assert sequences(other) == [1]
    assert [record.getMessage() for record in caplog.records] == [
        f"the audit trail of {tenant} is not sealed: IntegrityError"
    ]


def test_a_late_seal_is_logged(tenant: UUID, caplog: pytest.LogCaptureFixture) -> None:
    write_events(tenant, 2)
    assert seal_pending(NOW + timedelta(minutes=5)) == 2
    assert caplog.records == []

    write_events(tenant, 2)
    # Late for the first one, not for the one a second after it.
    assert seal_pending(NOW + timedelta(minutes=5, milliseconds=1)) == 2

    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.WARNING, f"audit events of {tenant} waited too long for their seal")
    ]


@pytest.mark.parametrize(
    ("statement", "first_bad", "why"),
    [
        ("UPDATE tenants_auditevent e SET reason = '' {}", 3, OTHER_EVENT),
        ("UPDATE tenants_auditevent e SET actor_id = NULL {}", 1, OTHER_EVENT),
        ("UPDATE tenants_auditevent e SET created_at = created_at + '1 us' {}", 5, OTHER_EVENT),
        ("UPDATE tenants_auditevent e SET data = data || '{{\"step\": 9}}' {}", 4, OTHER_EVENT),
        ("DELETE FROM tenants_auditevent e {}", 3, "the event of this number is gone"),
        ("DELETE FROM tenants_auditseal WHERE sequence = 2", 2, NO_SEAL),
        ("DELETE FROM tenants_auditseal WHERE sequence >= 4", 4, NO_SEAL),
        ("UPDATE tenants_auditseal SET hash = sha256('x') WHERE sequence = 2", 2, OTHER_EVENT),
        ("UPDATE tenants_auditseal SET sequence = sequence + 10 WHERE sequence = 5", 5, NO_SEAL),
        ("UPDATE tenants_audithead SET hash = sha256('x')", 5, OTHER_END),
        ("UPDATE tenants_audithead SET sequence = 4", 4, OTHER_END),
        ("DELETE FROM tenants_audithead", 1, BEYOND_END),
    ],
)
def test_what_is_changed_or_deleted_is_named(
    tenant: UUID, statement: str, first_bad: int, why: str
) -> None:
    assert (verified(tenant).intact, verified(tenant).why) == (True, "")

    with tenant_context(tenant):
        event = AuditSeal.objects.get(sequence=first_bad).event_id
    with tampering() as superuser:
        superuser.execute(statement.format(f"WHERE id = '{event}'").encode())

    found = verified(tenant)
    assert (found.intact, found.first_bad, found.why) == (False, first_bad, why)


def swap(superuser: psycopg.Connection) -> None:
    for sequence, becomes in ((2, 99), (3, 2), (99, 3)):
        superuser.execute(
            "UPDATE tenants_auditseal SET sequence = %s WHERE sequence = %s", [becomes, sequence]
        )


def put_in(superuser: psycopg.Connection) -> None:
    """A copy of event 3 becomes number 3; the ones after it move on, as does the recorded end."""
    superuser.execute(
        "CREATE TEMP TABLE copied ON COMMIT DROP AS SELECT * FROM tenants_auditevent"
        " WHERE id = (SELECT event_id FROM tenants_auditseal WHERE sequence = 3)"
    )
    superuser.execute("UPDATE copied SET id = gen_random_uuid()")
    superuser.execute("INSERT INTO tenants_auditevent SELECT * FROM copied")
    for sequence in (5, 4, 3):
        superuser.execute(
            "UPDATE tenants_auditseal SET sequence = sequence + 1 WHERE sequence = %s", [sequence]
        )
    superuser.execute(
        "INSERT INTO tenants_auditseal (id, tenant_id, event_id, sequence, hash)"
        " SELECT gen_random_uuid(), tenant_id, id, 3, sha256('x') FROM copied"
    )
    superuser.execute("UPDATE tenants_audithead SET sequence = 6")


@pytest.mark.parametrize(("hand", "first_bad"), [(swap, 2), (put_in, 3)])
def test_what_is_moved_or_put_in_is_named(
    tenant: UUID, hand: Callable[[psycopg.Connection], None], first_bad: int
) -> None:
    with tampering() as superuser:
        hand(superuser)

    found = verified(tenant)
    assert (found.intact, found.first_bad) == (False, first_bad)


def test_an_event_taken_out_of_the_queue_is_missed(tenant: UUID) -> None:
    write_events(tenant, 1)
    assert verified(tenant).intact

    with tenant_context(tenant):
        event = AuditPending.objects.get().event_id
        AuditPending.objects.all().delete()

    found = verified(tenant)
    assert (found.intact, found.first_bad, found.unsealed) == (False, 6, 0)
    assert found.why == f"event {event} has no seal and doesn't wait for one"


def test_an_event_that_vanished_before_its_seal_is_missed(tenant: UUID) -> None:
    write_events(tenant, 2)
    with tenant_context(tenant):
        event = AuditPending.objects.order_by("created_at")[0].event_id
    with tampering() as superuser:
        superuser.execute("DELETE FROM tenants_auditevent WHERE id = %s", [event])

    assert seal_pending(NOW) == 1

    found = verified(tenant)
    assert (found.intact, found.first_bad, found.unsealed) == (False, 7, 1)
    assert found.why == f"event {event} is gone and was never sealed"


def test_a_long_trail_is_read_in_pieces(tenant: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenants.audit_chain.CHUNK", 2)
    assert verified(tenant).intact

    with tampering() as superuser:
        superuser.execute("UPDATE tenants_auditseal SET hash = sha256('x') WHERE sequence = 5")

    assert verified(tenant).first_bad == 5


def cut_off(superuser: psycopg.Connection) -> None:
    """The last two events vanish and the recorded end says so: the chain alone looks intact."""
    superuser.execute(
        "DELETE FROM tenants_auditevent WHERE id IN"
        " (SELECT event_id FROM tenants_auditseal WHERE sequence > 3)"
    )
    superuser.execute("DELETE FROM tenants_auditseal WHERE sequence > 3")
    superuser.execute(
        "UPDATE tenants_audithead SET sequence = 3,"
        " hash = (SELECT hash FROM tenants_auditseal WHERE sequence = 3)"
    )


def test_a_cut_off_tail_is_seen_through_a_checkpoint(tenant: UUID) -> None:
    seen = checkpoint(tenant)
    assert verified(tenant, seen).intact

    with tampering() as superuser:
        cut_off(superuser)

    assert verified(tenant).intact
    found = verified(tenant, seen)
    assert (found.intact, found.first_bad, found.sealed) == (False, 4, 3)
    assert found.why == "the trail ends before this number, a checkpoint saw 5"


def test_a_chain_written_afresh_is_seen_through_a_checkpoint(tenant: UUID) -> None:
    seen = checkpoint(tenant)
    with tampering() as superuser:
        superuser.execute("DELETE FROM tenants_auditseal")
        superuser.execute("DELETE FROM tenants_audithead")
        superuser.execute("UPDATE tenants_auditevent SET result = 'success'")
        superuser.execute(
            "INSERT INTO tenants_auditpending (id, tenant_id, event_id, created_at)"
            " SELECT gen_random_uuid(), tenant_id, id, created_at FROM tenants_auditevent"
        )
    assert seal_pending(NOW) == 5

    assert verified(tenant).intact
    found = verified(tenant, seen)
    assert (found.intact, found.first_bad) == (False, 5)
    assert found.why == "a checkpoint saw another chain up to here"


def test_an_older_checkpoint_and_another_tenants_do_not_disturb(tenant: UUID) -> None:
    seen = checkpoint(tenant)
    foreign = Checkpoint(UUID(int=7), 999, GENESIS, NOW)
    write_events(tenant, 2)
    seal_pending(NOW)

    found = verified(tenant, seen, foreign)
    assert (found.intact, found.sealed) == (True, 7)


def test_a_tenant_without_events_is_intact() -> None:
    tenant = create_tenant("contoso", "Contoso").id

    found = verified(tenant)

    assert (found.intact, found.sealed, found.unsealed, found.hash) == (True, 0, 0, GENESIS)


def test_times_are_sealed_in_utc_with_microseconds() -> None:
    event = {"created_at": datetime(2026, 1, 2, tzinfo=UTC)}

    assert b'"2026-01-02T00:00:00.000000+00:00"' in canonical_json(TENANT, 1, event)
