"""Keys of tables that only grow follow the time, and nothing else about them can be guessed."""

import time
from collections.abc import Iterator
from itertools import count, repeat
from types import SimpleNamespace
from uuid import RFC_4122

import pytest
from django.utils import timezone

from tenants.audit import Party, record
from tenants.audit_chain import seal_pending
from tenants.ids import ordered_id
from tenants.models import AuditEvent, AuditSeal
from tests.cast import Acme

NANOSECONDS = 10**6
MOMENT = 1_800_000_000_123


def test_an_ordered_id_is_a_uuid_of_version_7_that_tells_its_millisecond() -> None:
    before = time.time_ns() // NANOSECONDS
    made = ordered_id()
    after = time.time_ns() // NANOSECONDS

    assert (made.version, made.variant) == (7, RFC_4122)
    assert before <= made.int >> 80 <= after


def test_ids_of_one_moment_differ_in_every_random_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped_at(monkeypatch, repeat(MOMENT))
    made = [ordered_id().int for _ in range(200)]

    assert {number >> 80 for number in made} == {MOMENT}
    differing = 0
    for number in made:
        differing |= number ^ made[0]
    # All but the time, the version and the variant: 12 and 62 bits.
    assert differing == ((1 << 76) - (1 << 64)) | ((1 << 62) - 1)


def test_events_and_their_seals_are_kept_in_the_order_of_time(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    stopped_at(monkeypatch, count(MOMENT))
    with acme.inside():
        for _ in range(3):
            record("flow.started", actor=Party("user", None, "somebody"), now=now)
    seal_pending(now)

    with acme.inside():
        events, seals = AuditEvent.objects.order_by("pk"), AuditSeal.objects.order_by("pk")
        keys = [row.pk.int >> 80 for row in (*events, *seals)]
        order = [seal.event_id for seal in seals.order_by("sequence")]
    assert keys == list(range(MOMENT, MOMENT + 6))
    assert order == [event.pk for event in events]


def stopped_at(monkeypatch: pytest.MonkeyPatch, milliseconds: Iterator[int]) -> None:
    """The clock of new keys shows these, one after the other."""
    clock = SimpleNamespace(time_ns=lambda: next(milliseconds) * NANOSECONDS)
    monkeypatch.setattr("tenants.ids.time", clock)
