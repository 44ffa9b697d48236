"""When somebody is asked to register or to confirm: the rules, without anything around them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from accounts.registration.interrupt import Facts, Wanted, find_wanted, is_reconfirmation_due
from tenants.policy import PolicyRules

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
RULES = PolicyRules(reconfirm_days=180)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.mark.parametrize(
    ("days", "age", "due"),
    [
        (0, 10_000 * DAY, False),
        (1, DAY - SECOND, False),
        (1, DAY, True),
        (180, 179 * DAY, False),
        (180, 180 * DAY - SECOND, False),
        (180, 180 * DAY, True),
        (180, 181 * DAY, True),
        (730, 729 * DAY, False),
        (730, 730 * DAY - SECOND, False),
        (730, 730 * DAY, True),
        (730, 731 * DAY, True),
    ],
)
def test_a_confirmation_is_due_after_so_many_days(days: int, age: timedelta, due: bool) -> None:
    assert is_reconfirmation_due(NOW - age, days, NOW) is due


@pytest.mark.parametrize("days", [-1, 731])
def test_days_that_no_policy_has_are_no_answer(days: int) -> None:
    with pytest.raises(ValueError, match="0 to 730"):
        is_reconfirmation_due(NOW, days, NOW)


def test_who_never_registered_has_nothing_to_confirm() -> None:
    assert not is_reconfirmation_due(None, 1, NOW)


LACKING = Facts(missing=1)
FRESH = Facts(confirmed_at=NOW - DAY)


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        (Facts(), None),
        (FRESH, None),
        (LACKING, "register"),
        (replace(FRESH, missing=1), "register"),
        # They removed it themselves, after they were told: not before the next confirmation.
        (replace(FRESH, missing=1, reduced_at=NOW), None),
        (Facts(1, NOW - 180 * DAY, reduced_at=NOW - DAY), "register"),
        # What was removed before everything was confirmed is no answer any more.
        (replace(FRESH, missing=1, reduced_at=NOW - 2 * DAY), "register"),
        (Facts(confirmed_at=NOW - 180 * DAY), "confirm"),
        (Facts(demanded_at=NOW), "confirm"),
        (replace(FRESH, demanded_at=NOW), "confirm"),
        (replace(FRESH, demanded_at=NOW - 2 * DAY), None),
        (replace(FRESH, missing=1, demanded_at=NOW), "register"),
        (replace(FRESH, stale=True), "confirm"),
    ],
)
def test_what_is_asked(facts: Facts, wanted: Wanted | None) -> None:
    assert find_wanted(RULES, facts, NOW) == wanted


def test_nobody_has_to_register_where_the_policy_does_not_ask() -> None:
    rules = replace(RULES, require_registration=False)

    assert find_wanted(rules, LACKING, NOW) is None
    assert find_wanted(rules, Facts(confirmed_at=NOW - 180 * DAY), NOW) == "confirm"
