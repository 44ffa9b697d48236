"""The table of throttles: a tenant tightens, never loosens."""

from datetime import timedelta

import pytest

from tenants.limits import LIMITS, TIGHTENABLE, limit_for, limit_problem

HOUR, DAY = timedelta(hours=1), timedelta(hours=24)


@pytest.mark.parametrize(
    ("name", "count", "window", "block"),
    [
        ("failed_proofs", 5, DAY, DAY),
        ("failed_method", 5, HOUR, DAY),
        ("phone_sends", 5, HOUR, DAY),
        ("email_sends", 10, timedelta(minutes=10), DAY),
        ("reset_attempts", 5, HOUR, DAY),
    ],
)
def test_the_published_numbers_hold(
    name: str, count: int, window: timedelta, block: timedelta
) -> None:
    limit = LIMITS[name]

    assert (limit.count, limit.window, limit.block) == (count, window, block)
    assert not limit.shared


@pytest.mark.parametrize("name", TIGHTENABLE)
def test_a_tenant_may_only_tighten(name: str) -> None:
    most = LIMITS[name].count

    assert limit_problem(name, most) is None
    assert limit_problem(name, 1) is None
    assert limit_problem(name, most + 1) == f"A limit can only be tightened: use 1 to {most}."
    assert limit_for(name, {name: most + 100}).count == most
    assert limit_for(name, {name: 1}).count == 1
    assert limit_for(name, {name: 0}).count == 1
    assert limit_for(name, {}) == LIMITS[name]


@pytest.mark.parametrize("count", [0, -1, True, "3", 2.0, None])
def test_a_limit_is_a_positive_whole_number(count: object) -> None:
    assert limit_problem("failed_proofs", count) is not None


@pytest.mark.parametrize("name", ["starts_by_address", "calls_to_number", "nothing"])
def test_what_counts_over_all_tenants_is_nobodys_to_change(name: str) -> None:
    problem = limit_problem(name, 1)

    assert problem is not None
    assert "failed_proofs" in problem


def test_an_unknown_limit_is_an_error() -> None:
    with pytest.raises(KeyError):
        limit_for("nothing", {})
