"""Counters whose time is over are removed: a few at a time, in every tenant, and no other."""

import json
import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from sspr_project.worker import EVERY_SECONDS, run_once
from tenants import forgetting
from tenants.context import tenant_context
from tenants.counters import Count, count_up, find_block
from tenants.forgetting import KEPT_FOR, forget_ended
from tenants.limits import LIMITS
from tenants.lookup import tenants_with_ended_counters
from tenants.models import Counter, SharedCounter
from tenants.statements import run
from tests.cast import Acme, Beta
from tests.services.session import database, shared_cluster

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
STARTS, MAILS = LIMITS["starts_by_person"], LIMITS["mails_to_mailbox"]
LATER = NOW + max(STARTS.window, MAILS.window) + KEPT_FOR
ROWS = 20_000
_MANY = """
INSERT INTO tenants_counter (id, tenant_id, "limit", subject, count, allowed, counted_at,
    window_ends, ends_at)
SELECT gen_random_uuid(), %(tenant)s, 'x', sha256(n::text::bytea), 1, 5, %(now)s, %(now)s,
    %(now)s + (n - %(ended)s) * interval '1 minute' FROM generate_series(1, %(rows)s) n
"""


def count(place: Acme | Beta, number: int, now: datetime = NOW) -> None:
    """That many counters of the tenant, and as many that all tenants share."""
    with place.inside():
        for subject in range(number):
            name = f"{place.id}{subject}"
            count_up([Count(STARTS, name), Count(MAILS, name)], now)


def kept(place: Acme | Beta) -> int:
    with place.inside():
        return int(Counter.objects.count())


@pytest.mark.django_db
def test_what_has_ended_an_hour_ago_goes_in_every_tenant_and_the_rest_stays(
    acme: Acme, beta: Beta
) -> None:
    count(acme, 2)
    count(beta, 1)
    with beta.inside():
        count_up([Count(STARTS, "still"), Count(MAILS, "still")], LATER - timedelta(hours=1))

    assert forget_ended(LATER - timedelta(microseconds=1)) == 3
    assert (kept(acme), kept(beta), SharedCounter.objects.count()) == (2, 2, 1)
    assert forget_ended(LATER) == 3
    assert (kept(acme), kept(beta), SharedCounter.objects.count()) == (0, 1, 1)
    assert forget_ended(LATER) == 0
    with beta.inside():
        assert Counter.objects.get().counted_at == LATER - timedelta(hours=1)


@pytest.mark.django_db
def test_a_block_that_outlives_its_window_is_kept_to_its_end(acme: Acme) -> None:
    failed = [Count(LIMITS["failed_method"], "alice")]
    with acme.inside():
        for _ in range(5):
            count_up(failed, NOW)
    end = NOW + LIMITS["failed_method"].block

    assert forget_ended(end - timedelta(microseconds=1)) == 0
    with acme.inside():
        assert find_block(failed, end - timedelta(microseconds=1)) is not None
    assert forget_ended(end + KEPT_FOR) == 1


@pytest.mark.django_db
@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 5])
def test_many_go_a_few_at_a_time_and_those_that_are_left_the_next_time(
    number: int, acme: Acme, beta: Beta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 2)
    monkeypatch.setattr(forgetting, "MOST", 5)
    count(acme, number)
    count(beta, 1)
    left = 2 * number + 2

    while left:
        assert forget_ended(LATER) == min(5, left)
        left -= min(5, left)
        assert kept(acme) + kept(beta) + SharedCounter.objects.count() == left
    assert forget_ended(LATER) == 0


@pytest.mark.django_db
def test_the_oldest_go_first(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "MOST", 1)
    with acme.inside():
        for minutes in (3, 1, 2):
            moment = NOW - timedelta(minutes=minutes)
            count_up([Count(STARTS, f"{minutes}")], moment)

    forget_ended(LATER)

    with acme.inside():
        left = set(Counter.objects.values_list("counted_at", flat=True))
    assert left == {NOW - timedelta(minutes=1), NOW - timedelta(minutes=2)}


@pytest.mark.django_db(transaction=True)
def test_a_counter_that_somebody_counts_with_just_now_is_not_waited_for(acme: Acme) -> None:
    count(acme, 1)
    counted, removed = threading.Event(), threading.Event()

    def try_once() -> None:
        with acme.inside():
            name = f"{acme.id}0"
            count_up([Count(STARTS, name), Count(MAILS, name)], LATER)
            counted.set()
            removed.wait(30)
        connection.close()

    other = threading.Thread(target=try_once)
    other.start()
    assert counted.wait(30)
    assert forget_ended(LATER) == 0
    removed.set()
    other.join(30)

    assert forget_ended(LATER) == 0, "it has begun again"
    assert (kept(acme), SharedCounter.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_the_worker_does_it_every_minute(acme: Acme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sspr_project.worker.timezone.now", lambda: LATER)
    count(acme, 1)

    assert run_once(["counters"]) == 2
    assert (kept(acme), EVERY_SECONDS["counters"]) == (0, 60.0)


@pytest.fixture
def many(transactional_db: None, acme: Acme, beta: Beta) -> Acme:
    """Twenty thousand counters in one tenant, half of them ended; one that runs in another."""
    with beta.inside():
        count_up([Count(STARTS, "alice")], LATER)
    values = {"tenant": acme.id, "now": LATER - KEPT_FOR, "rows": ROWS, "ended": ROWS // 2}
    with shared_cluster().connect(database()) as made:
        made.execute(_MANY, values)
        made.execute("ANALYZE tenants_counter")
    return acme


def test_of_very_many_no_more_are_read_than_removed(
    many: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "MOST", 1000)
    asked: list[tuple[str, Any]] = []

    def note(execute: Any, statement: str, values: Any, many: bool, context: Any) -> Any:
        asked.append((statement, values))
        return execute(statement, values, many, context)

    with connection.execute_wrapper(note):
        assert forget_ended(LATER) == 1000
    assert tenants_with_ended_counters(LATER - KEPT_FOR) == [many.id]

    deletes = [each for each in asked if "DELETE FROM tenants_counter" in each[0]]
    assert len(deletes) == 2
    statement, values = deletes[0]
    with (
        tenant_context(many.id),
        run(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values) as rows,
    ):
        [[plan]] = rows.fetchall()
    text = plan if isinstance(plan, str) else json.dumps(plan)
    assert '"counters_by_end"' in text
    assert "Seq Scan" not in text
    assert not re.search('"Rows Removed by [^"]*": [1-9]', text), text
