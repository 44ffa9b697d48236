"""Counters that block nobody, streaks that a success ends, blocks that others' failures keep."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from tenants.counters import Count, Counted, count_down, count_up, find_block, find_blocks
from tenants.limits import HOUR, Limit
from tenants.together import Changes
from tests.cast import Acme
from tests.services.ports import wait_until
from tests.services.session import watcher

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
WATCHED = Limit("failed_in_tenant", "tenant", 3, HOUR, HOUR, blocks=False)
STREAK = Limit("failed_in_a_row", "method", 3, HOUR, HOUR, blocks=False, streak=True)
SHARED = Limit("mails_to_mailbox", "destination", 3, HOUR, HOUR, shared=True)
USUAL = Limit("failed_proofs", "person", 3, HOUR, HOUR)


def test_a_watched_limit_blocks_nobody_and_tells_how_often(acme: Acme) -> None:
    with acme.inside():
        counted = [count_up([Count(WATCHED, "all")], NOW) for _ in range(5)]

        assert {found.blocked for found in counted} == {None}
        assert [found.totals["failed_in_tenant"][0] for found in counted] == [1, 2, 3, 4, 5]
        assert counted[4].totals["failed_in_tenant"][1] == NOW + HOUR
        block = find_block([Count(WATCHED, "all")], NOW)
    assert block is not None
    assert block.until == NOW + HOUR


def test_one_success_ends_a_streak_and_one_mistake_less_does_not(acme: Acme) -> None:
    counts = [Count(STREAK, "bob"), Count(USUAL, "bob")]
    with acme.inside():
        for _ in range(3):
            count_up(counts, NOW)
        count_down(counts)
        totals = count_up(counts, NOW).totals
        assert {name: total for name, (total, _) in totals.items()} == {
            "failed_in_a_row": 3,
            "failed_proofs": 3,
        }

        count_down(counts, success=True)

        totals = count_up(counts, NOW).totals
    assert {name: total for name, (total, _) in totals.items()} == {
        "failed_in_a_row": 1,
        "failed_proofs": 3,
    }


def test_a_block_outlasts_its_window_while_the_failures_that_made_it_stand(acme: Acme) -> None:
    late, after = NOW + timedelta(minutes=59), NOW + timedelta(minutes=90)
    count = Count(WATCHED, "all")
    with acme.inside():
        for moment in (NOW, late, late, late):
            count_up([count], moment)
        # Somebody's right answer takes back their own try, the fourth.
        count_down([count])
        assert find_block([count], after) is not None

        # And the third: what is left never used the limit up.
        count_down([count])

        assert find_block([count], after) is None


def test_every_used_up_limit_is_found_not_only_the_longest(acme: Acme) -> None:
    counts = [Count(WATCHED, "all"), Count(USUAL, "bob"), Count(STREAK, "bob")]
    with acme.inside():
        for _ in range(3):
            count_up(counts[:2], NOW)

        found = find_blocks(counts, NOW)

    assert {count.limit.name for count, _ in found} == {"failed_in_tenant", "failed_proofs"}


def test_a_success_ends_every_streak_that_is_named(acme: Acme) -> None:
    other = Limit("failed_otherwise", "method", 3, HOUR, HOUR, blocks=False, streak=True)
    counts = [Count(STREAK, "bob"), Count(other, "bob")]
    with acme.inside():
        for _ in range(3):
            count_up(counts, NOW)

        count_down(counts, success=True)

        totals = count_up(counts, NOW).totals
    assert {total for total, _ in totals.values()} == {1}


def asked(work: Callable[[], object]) -> list[str]:
    """The statements that this sends."""
    found: list[str] = []

    def note(execute: Any, statement: str, values: Any, many: bool, context: Any) -> Any:
        found.append(statement)
        return execute(statement, values, many, context)

    with connection.execute_wrapper(note):
        work()
    return found


def test_a_try_of_several_limits_is_one_statement_with_what_is_written_along(acme: Acme) -> None:
    along = Changes()
    with acme.inside():
        count_up([Count(USUAL, "bob")], NOW)
        rename(along, acme.bob, acme.alice)

        sent = asked(
            lambda: count_up(
                [Count(WATCHED, "all"), Count(SHARED, "bob")],
                NOW,
                watching=[Count(USUAL, "bob")],
                along=along,
            )
        )

        assert len(sent) == 1
        assert User.objects.filter(display_name="Renamed").count() == 2


def test_what_is_written_along_is_written_when_nothing_is_counted(acme: Acme) -> None:
    along = Changes()
    with acme.inside():
        rename(along, acme.bob)

        assert count_up([], NOW, along=along) == Counted()

        assert User.objects.filter(display_name="Renamed").count() == 1


def rename(along: Changes, *people: User) -> None:
    for person in people:
        person.display_name = "Renamed"
        along.update(person, "display_name")


@pytest.mark.django_db(transaction=True)
def test_taking_back_waits_for_the_first_counter_before_it_touches_the_next(acme: Acme) -> None:
    first, second = Count(WATCHED, "all"), Count(USUAL, "bob")
    with acme.inside():
        count_up([second], NOW)
    with acme.inside():
        count_up([first], NOW)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with acme.inside():
            count_up([first], NOW)
            held.set()
            done.wait(30)
        connection.close()

    def take_back() -> None:
        with acme.inside():
            count_down([second, first])
        connection.close()

    holder, taker = threading.Thread(target=hold), threading.Thread(target=take_back)
    holder.start()
    assert held.wait(30)
    taker.start()
    try:
        wait_until(is_somebody_waiting, "the second")
        with acme.inside():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '5s'")
            assert count_up([second], NOW).totals["failed_proofs"][0] == 2
    finally:
        done.set()
        holder.join(30)
        taker.join(30)


def is_somebody_waiting() -> bool:
    waiting = watcher().execute(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return waiting.fetchone() == (1,)
