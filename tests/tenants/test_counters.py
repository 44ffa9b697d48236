"""Counting tries: windows, blocks, and never one more than allowed."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from tenants.context import NoTenant
from tenants.counters import Blocked, Count, count_down, count_up, find_block, forget
from tenants.limits import LIMITS, NO_BLOCK, Limit, limit_for
from tenants.models import Counter, SharedCounter
from tests.cast import Acme, Beta

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(hours=24)
METHOD = Limit("failed_method", "method", 5, HOUR, DAY)
STARTS = Limit("starts_by_person", "person", 3, DAY, NO_BLOCK)
SHARED = Limit("mails_to_mailbox", "destination", 4, HOUR, NO_BLOCK, shared=True)


@pytest.fixture
def inside(acme: Acme) -> Any:
    """The tenant whose tries are counted."""
    with acme.inside():
        yield acme


def tries(limit: Limit, number: int, now: datetime = NOW, subject: str = "alice") -> list[bool]:
    """Whether each of these tries was allowed."""
    count = [Count(limit, subject)]
    return [count_up(count, now).blocked is None for _ in range(number)]


def test_as_many_tries_as_allowed_and_the_last_one_says_so(inside: Acme) -> None:
    counted = [count_up([Count(METHOD, "alice")], NOW) for _ in range(6)]

    assert [each.blocked is None for each in counted] == [True] * 5 + [False]
    assert [each.used_up is None for each in counted] == [True] * 4 + [False, True]
    assert counted[4].used_up == Blocked(METHOD, NOW + DAY) == counted[5].blocked


def test_a_block_ends_when_it_began_to_say_and_tries_meanwhile_do_not_prolong_it(
    inside: Acme,
) -> None:
    fifth = NOW + timedelta(minutes=59)
    tries(METHOD, 4)
    assert tries(METHOD, 1, fifth) == [True]
    end = fifth + DAY

    assert tries(METHOD, 2, fifth + HOUR) == [False, False]
    found = find_block([Count(METHOD, "alice")], end - timedelta(microseconds=1))
    assert found == Blocked(METHOD, end)
    assert tries(METHOD, 1, end - timedelta(microseconds=1)) == [False]
    assert find_block([Count(METHOD, "alice")], end) is None
    assert tries(METHOD, 6, end) == [True] * 5 + [False]


def test_a_window_ends_and_the_count_starts_afresh(inside: Acme) -> None:
    assert tries(METHOD, 4) == [True] * 4
    assert tries(METHOD, 1, NOW + HOUR - timedelta(microseconds=1)) == [True]
    forget([Count(METHOD, "alice")])
    tries(METHOD, 4)

    assert tries(METHOD, 5, NOW + HOUR) == [True] * 5


def test_without_a_block_the_window_is_the_wait(inside: Acme) -> None:
    assert tries(STARTS, 4) == [True, True, True, False]
    assert find_block([Count(STARTS, "alice")], NOW) == Blocked(STARTS, NOW + DAY)
    assert tries(STARTS, 1, NOW + DAY) == [True]


@pytest.mark.parametrize("block", [NO_BLOCK, HOUR, timedelta(minutes=1)])
def test_a_limit_of_one_is_used_up_by_the_first_try(block: timedelta, inside: Acme) -> None:
    once = Limit("hints", "person", 1, timedelta(minutes=10), block)

    first = count_up([Count(once, "alice")], NOW)

    ends = NOW + (block or timedelta(minutes=10))
    assert (first.blocked, first.used_up) == (None, Blocked(once, ends))
    assert count_up([Count(once, "alice")], NOW).blocked == Blocked(once, ends)
    assert count_up([Count(once, "alice")], ends).blocked is None


def test_one_try_given_back_is_one_more_allowed(inside: Acme) -> None:
    tries(METHOD, 5)
    count_down([Count(METHOD, "alice")])

    assert find_block([Count(METHOD, "alice")], NOW) is None
    assert tries(METHOD, 2) == [True, False]


def test_nothing_is_given_back_below_zero_or_that_was_never_counted(inside: Acme) -> None:
    tries(METHOD, 1)
    for _ in range(3):
        count_down([Count(METHOD, "alice"), Count(METHOD, "nobody")])

    assert {counter.count for counter in Counter.objects.all()} == {0}
    assert tries(METHOD, 6) == [True] * 5 + [False]


@pytest.mark.parametrize("limit", [METHOD, SHARED], ids=["own", "shared"])
def test_what_is_taken_back_from_a_counter_that_is_gone_counts_nothing(
    inside: Acme, limit: Limit
) -> None:
    count_up([Count(limit, "alice")], NOW)
    forget([Count(limit, "alice")])
    count_down([Count(limit, "alice")])

    assert find_block([Count(limit, "alice")], NOW) is None
    counted = count_up([Count(limit, "alice")], NOW)
    assert counted.totals == {limit.name: (1, NOW + limit.window)}


def test_forgotten_counters_start_afresh_and_others_stay(inside: Acme) -> None:
    tries(METHOD, 5)
    tries(METHOD, 5, subject="bob")
    tries(STARTS, 3)
    tries(SHARED, 4)

    forget([Count(METHOD, "alice"), Count(SHARED, "alice")])

    assert find_block([Count(METHOD, "alice"), Count(SHARED, "alice")], NOW) is None
    assert find_block([Count(METHOD, "bob")], NOW) is not None
    assert find_block([Count(STARTS, "alice")], NOW) is not None


def test_a_limit_that_was_tightened_holds_at_once(inside: Acme) -> None:
    tries(METHOD, 4)
    tight = limit_for("failed_method", {"failed_method": 3})

    assert find_block([Count(tight, "alice")], NOW) is not None
    assert count_up([Count(tight, "alice")], NOW).blocked == Blocked(tight, NOW + DAY)
    later = NOW + timedelta(minutes=30)
    assert count_up([Count(tight, "alice")], later).blocked == Blocked(tight, NOW + DAY)


def test_of_several_counters_all_rise_and_the_longest_block_is_named(inside: Acme) -> None:
    several = [Count(SHARED, "alice"), Count(STARTS, "alice"), Count(METHOD, "alice")]
    for _ in range(2):
        assert count_up(several, NOW).blocked is None

    third = count_up(several, NOW)
    assert (third.blocked, third.used_up) == (None, Blocked(STARTS, NOW + DAY))
    fourth = count_up(several, NOW + timedelta(minutes=1))
    assert fourth.blocked == Blocked(STARTS, NOW + DAY)
    assert fourth.used_up == Blocked(SHARED, NOW + HOUR)
    later = NOW + timedelta(minutes=2)
    assert count_up(several, later).used_up == Blocked(METHOD, later + DAY)
    assert find_block(several, later) == Blocked(METHOD, later + DAY)
    assert sorted(Counter.objects.values_list("count", flat=True)) == [5, 5]


def test_a_counter_named_twice_in_one_try_counts_once(inside: Acme) -> None:
    count_up([Count(METHOD, "alice"), Count(METHOD, "alice")], NOW)

    assert Counter.objects.get().count == 1


def test_no_counters_are_nothing_to_count(inside: Acme) -> None:
    counted = count_up([], NOW)

    assert (counted.blocked, counted.used_up, find_block([], NOW)) == (None, None, None)


def test_tenants_count_apart_and_shared_limits_together(acme: Acme, beta: Beta) -> None:
    with acme.inside():
        assert tries(METHOD, 6)[-1] is False
        tries(SHARED, 2)
    with beta.inside():
        assert tries(METHOD, 1) == [True]
        assert tries(SHARED, 3) == [True, True, False]
    assert SharedCounter.objects.get().count == 5


def test_what_is_counted_can_not_be_read_from_the_row(inside: Acme) -> None:
    tries(METHOD, 1)
    tries(SHARED, 1)

    subjects = [bytes(row.subject) for row in (Counter.objects.get(), SharedCounter.objects.get())]
    assert all(len(subject) == 32 and b"alice" not in subject for subject in subjects)
    assert subjects[0] != subjects[1]


@pytest.mark.django_db
def test_without_a_tenant_only_shared_counters_count() -> None:
    assert tries(SHARED, 1) == [True]
    with pytest.raises(NoTenant):
        tries(METHOD, 1)


def test_every_limit_of_the_table_can_be_counted(inside: Acme) -> None:
    counts = [Count(limit, "x") for limit in LIMITS.values()]

    count_up(counts, NOW)

    total = Counter.objects.count() + SharedCounter.objects.count()
    assert total == len(LIMITS)


def in_parallel(number: int, work: Callable[[int], None]) -> list[BaseException]:
    """Runs `work(0)` … at the same moment, each on a connection of its own; what they raised."""
    start, raised = threading.Barrier(number), list[BaseException]()

    def run(index: int) -> None:
        try:
            start.wait(timeout=30)
            work(index)
        except BaseException as problem:
            raised.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return raised


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("limit", [METHOD, SHARED])
def test_of_sixty_at_the_same_moment_exactly_as_many_as_allowed_pass(
    limit: Limit, acme: Acme
) -> None:
    allowed: list[bool] = []

    def try_once(index: int) -> None:
        with acme.inside():
            counted = count_up([Count(limit, "alice")], NOW)
        allowed.append(counted.blocked is None)

    assert in_parallel(60, try_once) == []
    assert len(allowed) == 60
    assert allowed.count(True) == limit.count


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("second", [count_up, count_down, forget])
def test_opposite_orders_do_not_wait_for_each_other_in_a_circle(
    second: Callable[..., object], acme: Acme
) -> None:
    limits = [METHOD, STARTS, SHARED, LIMITS["failed_by_address"], LIMITS["phone_sends"]]
    counts = [Count(limit, subject) for limit in limits for subject in ("a", "b", "c", "d")]
    with acme.inside():
        count_up(counts, NOW)

    def work(index: int) -> None:
        for _ in range(10):
            with acme.inside(), transaction.atomic():
                if index % 2:
                    count_up(counts, NOW)
                elif second is count_up:
                    count_up(reversed(counts), NOW)
                else:
                    second(reversed(counts))

    assert in_parallel(8, work) == []
