"""How many passwords an agent sets in an hour, whatever it is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from writeback.agent.cap import HOUR, Cap, may_set

NOW = 1_795_000_000
CAP = Cap()


def _set(asked_at: list[int], cap: Cap) -> list[int]:
    """The moments at which it is let through."""
    done: list[int] = []
    for moment in asked_at:
        if may_set(done, moment, cap):
            done.append(moment)
    return done


def test_ten_go_at_once_and_then_one_a_minute() -> None:
    done = _set([NOW] * 15 + [NOW + 59] * 2 + [NOW + 60] * 2 + [NOW + 180] * 5, CAP)

    assert done == [NOW] * 10 + [NOW + 60] + [NOW + 180] * 2


def test_no_hour_holds_more_than_the_cap() -> None:
    done = _set([NOW + second for second in range(2 * HOUR)], CAP)

    assert max(sum(1 for one in done if start <= one < start + HOUR) for start in done) == 60


@given(st.lists(st.integers(0, 3 * HOUR), max_size=120), st.integers(1, 40), st.integers(1, 40))
def test_both_walls_hold_for_any_asking(gaps: list[int], per_hour: int, burst: int) -> None:
    asked_at = sorted(NOW + gap for gap in gaps)

    done = _set(asked_at, Cap(per_hour, burst))

    for start in done:
        assert sum(1 for one in done if start <= one < start + HOUR) <= per_hour
        assert done.count(start) <= burst


@pytest.mark.parametrize("ahead", [1, HOUR, 10 * HOUR])
def test_a_clock_that_was_put_back_opens_nothing(ahead: int) -> None:
    assert not may_set([NOW + ahead] * 10, NOW, CAP)


def test_a_cap_of_nothing_lets_nothing_through() -> None:
    assert not may_set([], NOW, Cap(0, 5))
    assert not may_set([], NOW, Cap(5, 0))
