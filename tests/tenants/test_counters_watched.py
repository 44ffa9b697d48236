"""Counters that block nobody, streaks that a success ends, blocks that others' failures keep."""

from datetime import UTC, datetime, timedelta

import pytest

from tenants.counters import Count, count_down, count_up, find_block, find_blocks
from tenants.limits import HOUR, Limit
from tests.cast import Acme

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
WATCHED = Limit("failed_in_tenant", "tenant", 3, HOUR, HOUR, blocks=False)
STREAK = Limit("failed_in_a_row", "method", 3, HOUR, HOUR, blocks=False, streak=True)
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
