"""When a password is too old."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.passwords.expiry import expires_at, is_expired

SET = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize("days", [1, 90, 730])
def test_it_is_too_old_at_the_end_of_its_last_day_and_not_before(days: int) -> None:
    end = SET + timedelta(days=days)

    assert expires_at(SET, days) == end
    assert not is_expired(SET, days, end - SECOND)
    assert is_expired(SET, days, end)


@pytest.mark.parametrize("days", [0, -1])
def test_without_a_limit_it_never_is(days: int) -> None:
    assert expires_at(SET, days) is None
    assert not is_expired(SET, days, SET + timedelta(days=40_000))
