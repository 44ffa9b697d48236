"""When failures look like guessing: thresholds on numbers alone."""

import pytest

from resets.guessing import asks_for_more, is_suspended, suspicion
from tenants.limits import LIMITS, limit_for

TENANT = LIMITS["failed_in_tenant"]


@pytest.mark.parametrize(("allowed", "suspected"), [(300, 100), (30, 10), (3, 1), (2, 1), (1, 1)])
def test_a_third_of_what_suspends_is_suspicious(allowed: int, suspected: int) -> None:
    limit = limit_for("failed_in_tenant", {"failed_in_tenant": allowed})

    assert suspicion(limit).count == suspected


@pytest.mark.parametrize(("starts", "asked"), [(1, False), (10, False), (11, True), (30, True)])
def test_the_eleventh_start_of_an_account_takes_more(starts: int, asked: bool) -> None:
    assert asks_for_more(starts, suspected=False) is asked
    assert asks_for_more(starts, suspected=True)


@pytest.mark.parametrize(
    ("failures", "sends", "suspended"),
    [(300, True, False), (301, True, True), (301, False, False), (900, True, True)],
)
def test_past_the_limit_only_what_sends_a_code_is_suspended(
    failures: int, sends: bool, suspended: bool
) -> None:
    assert is_suspended(failures, TENANT, sends=sends) is suspended
