"""Every cell of the licensing table (Entra, licensing), and the days of a trial."""

from datetime import date, timedelta

import pytest

from tenants.licensing import PLANS, entitlements, in_first_trial_days, trial_days_over

STARTED = date(2026, 11, 1)
# Row of the reference → the plans that include it.
PAID = {"business_standard", "business_premium", "p1", "p2"}
PREMIUM = PAID - {"business_standard"}
TABLE = {
    "change": set(PLANS),
    "reset": PAID,
    "writeback": PREMIUM,
    "unlock": PREMIUM,
    "global_banned": set(PLANS),
    "global_banned_synced": PREMIUM,
    "custom_banned": PREMIUM,
    "custom_lockout": PREMIUM,
    "reports": PREMIUM,
    "voice": PAID,
}


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("operation", TABLE)
def test_a_plan_includes_what_the_table_says(plan: str, operation: str) -> None:
    assert getattr(entitlements(plan, trial=False), operation) is (plan in TABLE[operation])


def test_the_table_leaves_nothing_out() -> None:
    assert set(vars(entitlements("free", trial=False))) == set(TABLE)


@pytest.mark.parametrize("plan", PLANS)
def test_a_trial_has_everything_but_calls(plan: str) -> None:
    bought, tried = entitlements(plan, trial=False), entitlements(plan, trial=True)

    assert not tried.voice
    assert {**vars(bought), "voice": False} == vars(tried)


def test_an_unknown_plan_is_an_error() -> None:
    with pytest.raises(KeyError):
        entitlements("e5", trial=False)


@pytest.mark.parametrize(
    ("days", "in_first", "over"),
    [(0, True, False), (29, True, False), (30, False, True), (31, False, True)],
)
def test_thirty_days_of_a_trial(days: int, in_first: bool, over: bool) -> None:
    today = STARTED + timedelta(days=days)

    assert in_first_trial_days(STARTED, today) is in_first
    assert trial_days_over(STARTED, today) is over


def test_without_a_trial_neither_is_true() -> None:
    assert not in_first_trial_days(None, STARTED)
    assert not trial_days_over(None, STARTED)
