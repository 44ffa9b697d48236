"""Smart lockout: the rules as a table, and what signing in makes of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import FamiliarPlace, SignInLock
from accounts.signin.lockout import (
    FORGOTTEN_AFTER,
    LockoutRules,
    LockState,
    after_recovery,
    count_try,
    is_familiar,
    is_locked,
    judged_wrong,
    lock_length,
    rules_for,
    taken_back,
)
from accounts.signin.locks import clear_lockout
from tenants.models import AuditEvent, Subscription, Tenant
from tests.accounts.signin.people import browser, sign_in, text_of
from tests.cast import PASSWORD, Acme

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
RULES = LockoutRules(threshold=3, first=timedelta(seconds=60))


def tried(count: int, state: LockState | None = None, now: datetime = NOW) -> LockState:
    """The state after so many different wrong passwords at one moment."""
    state = state or LockState()
    for number in range(count):
        counted = count_try(state, f"{now} {number}", RULES, now)
        state = counted.state
        if counted.verdict == "compare":
            state = judged_wrong(state, f"{now} {number}")
    return state


@pytest.mark.parametrize(
    ("profile", "custom", "threshold", "seconds", "expected"),
    [
        ("public", False, 0, 0, (10, 60)),
        ("government", False, 0, 0, (3, 60)),
        ("public", True, 0, 0, (10, 60)),
        ("public", True, 5, 120, (5, 120)),
        ("government", True, 7, 0, (7, 60)),
        ("public", False, 5, 120, (10, 60)),
    ],
)
def test_threshold_and_first_lock_come_from_profile_and_plan(
    profile: str, custom: bool, threshold: int, seconds: int, expected: tuple[int, int]
) -> None:
    rules = rules_for(profile, custom=custom, threshold=threshold, seconds=seconds)

    assert (rules.threshold, rules.first.total_seconds()) == expected


@pytest.mark.parametrize(
    ("locks", "seconds"), [(1, 60), (2, 120), (3, 240), (11, 61440), (12, 86400), (500, 86400)]
)
def test_locks_double_up_to_a_day(locks: int, seconds: int) -> None:
    assert lock_length(RULES, locks).total_seconds() == seconds


@pytest.mark.parametrize(
    ("count", "locked", "failures"), [(0, False, 0), (2, False, 2), (3, True, 2), (9, True, 2)]
)
def test_the_threshold_locks_and_nothing_beyond_it_is_counted(
    count: int, locked: bool, failures: int
) -> None:
    state = tried(count)

    assert (is_locked(state, NOW), state.failures) == (locked, failures)
    assert state.locks == int(locked)


def test_the_first_failure_after_a_lock_locks_again_and_longer() -> None:
    state = tried(3)
    after = NOW + timedelta(seconds=60)
    assert not is_locked(state, after)

    again = tried(1, state, after)

    assert again.locked_until == after + timedelta(seconds=120)


def test_only_one_try_is_compared_after_a_lock() -> None:
    state, after = tried(3), NOW + timedelta(seconds=61)

    first = count_try(state, "a", RULES, after)
    second = count_try(first.state, "b", RULES, after)

    assert (first.verdict, second.verdict) == ("compare", "locked")


def test_the_last_three_wrong_passwords_do_not_count_again() -> None:
    rules = LockoutRules(threshold=10)
    state = LockState()
    for mark in "abcd":
        state = judged_wrong(count_try(state, mark, rules, NOW).state, mark)

    verdicts = {mark: count_try(state, mark, rules, NOW).verdict for mark in "abcd"}

    assert verdicts == {"a": "compare", "b": "known", "c": "known", "d": "known"}
    assert state.failures == 4


def test_one_wrong_password_sent_twice_at_once_counts_once() -> None:
    rules = LockoutRules(threshold=10)
    both = count_try(count_try(LockState(), "a", rules, NOW).state, "a", rules, NOW).state

    assert judged_wrong(judged_wrong(both, "a"), "a").failures == 1


@pytest.mark.parametrize("before", [0, 1, 2])
def test_a_try_that_nobody_could_judge_leaves_no_trace_nor_does_its_lock(before: int) -> None:
    state = tried(before)
    counted = count_try(state, "", RULES, NOW).state

    again = taken_back(counted, counted.locked_until)

    assert (again.failures, again.locks) == (state.failures, state.locks)
    assert not is_locked(again, NOW)


def test_what_is_taken_back_leaves_the_locks_of_others_alone() -> None:
    locked = tried(3)

    assert taken_back(locked, None).locked_until == locked.locked_until
    assert taken_back(locked, NOW + timedelta(seconds=1)) == locked
    assert taken_back(LockState(), None) == LockState()


@pytest.mark.parametrize(("late", "failures"), [(timedelta(0), 3), (timedelta(seconds=1), 1)])
def test_failures_of_more_than_a_day_ago_no_longer_count(late: timedelta, failures: int) -> None:
    rules = LockoutRules(threshold=10)
    state = count_try(count_try(LockState(), "a", rules, NOW).state, "b", rules, NOW).state

    counted = count_try(state, "c", rules, NOW + FORGOTTEN_AFTER + late)

    assert counted.state.failures == failures


def test_a_reset_ends_the_lock_and_an_unlock_leaves_the_timer() -> None:
    state = tried(3)

    assert after_recovery(state, "reset") == LockState()
    assert after_recovery(state, "unlock") == state


@pytest.mark.parametrize(
    ("seen", "familiar"),
    [(None, False), (NOW, True), (NOW - timedelta(days=90), True), (NOW - timedelta(91), False)],
)
def test_a_place_is_familiar_for_ninety_days(seen: datetime | None, familiar: bool) -> None:
    assert is_familiar(seen, NOW) is familiar


# --- At the page ---------------------------------------------------------------------------------


def guess(client: Client, user_id: str, count: int, *, start: int = 0) -> list[int]:
    """Statuses of so many different wrong passwords."""
    numbers = range(start, start + count)
    return [sign_in(client, user_id, f"wrong {number}").status_code for number in numbers]


@pytest.mark.parametrize("who", ["alice", "nobody"])
def test_ten_wrong_passwords_lock_a_user_id_whether_anybody_has_it_or_not(
    who: str, acme: Acme
) -> None:
    client, user_id = browser(acme), f"{who}@acme.example"

    assert guess(client, user_id, 10) == [200] * 10
    locked = sign_in(client, user_id)

    assert locked.status_code == 429
    assert 50 <= int(locked.headers["Retry-After"]) <= 60
    assert "too many wrong tries" in text_of(locked)
    with acme.inside():
        [event] = AuditEvent.objects.filter(type="user.sign_in_locked")
        assert event.target_label == (user_id if who == "alice" else "")
        assert AuditEvent.objects.filter(type="user.sign_in_failed").count() == 10


def test_a_government_tenant_locks_after_three(acme: Acme) -> None:
    with acme.inside():
        Tenant.objects.update(profile="government")

    assert guess(browser(acme), acme.alice.user_id, 4) == [200, 200, 200, 429]


@pytest.mark.parametrize(("plan", "expected"), [("p1", [200, 200, 429]), ("free", [200] * 3)])
def test_numbers_of_ones_own_hold_where_the_plan_grants_them(
    plan: str, expected: list[int], acme: Acme
) -> None:
    with acme.inside():
        Tenant.objects.update(lockout_threshold=2, lockout_seconds=300)
        Subscription.objects.update(plan=plan)

    assert guess(browser(acme), acme.alice.user_id, 3) == expected


def test_the_same_wrong_password_does_not_lock(acme: Acme) -> None:
    client = browser(acme)

    answers = [sign_in(client, acme.alice.user_id, "still wrong").status_code for _ in range(15)]

    assert answers == [200] * 15
    assert sign_in(client, acme.alice.user_id).status_code == 303


def test_a_password_that_was_wrong_is_right_once_it_was_set(acme: Acme) -> None:
    client = browser(acme)
    sign_in(client, acme.alice.user_id, "The New One 77")
    with acme.inside():
        acme.alice.set_password("The New One 77")
        acme.alice.save()

    assert sign_in(client, acme.alice.user_id, "The New One 77").status_code == 303


def test_the_lock_ends_and_the_next_wrong_one_locks_twice_as_long(acme: Acme) -> None:
    client = browser(acme)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        guess(client, acme.alice.user_id, 10)
        clock.shift(timedelta(seconds=61))
        assert guess(client, acme.alice.user_id, 1, start=20) == [200]
        locked = sign_in(client, acme.alice.user_id)
        assert (locked.status_code, locked.headers["Retry-After"]) == (429, "120")
        clock.shift(timedelta(seconds=121))
        assert sign_in(client, acme.alice.user_id).status_code == 303
        with acme.inside():
            assert not SignInLock.objects.exists()


@pytest.mark.parametrize("known_by", ["address", "browser"])
def test_a_stranger_does_not_lock_the_owner_out_of_a_familiar_place(
    known_by: str, acme: Acme
) -> None:
    home: Any = {"REMOTE_ADDR": "192.0.2.1"}
    owner = browser(acme)
    first: Any = owner.post(
        "/sign-in/", {"user_id": acme.alice.user_id, "password": PASSWORD}, **home
    )
    assert first.status_code == 303
    stranger = browser(acme)
    guess(stranger, acme.alice.user_id, 10)
    assert sign_in(stranger, acme.alice.user_id).status_code == 429

    client = owner if known_by == "browser" else browser(acme)
    if known_by == "browser":
        owner.post("/sign-in/out/", **home)
        home = {"REMOTE_ADDR": "192.0.2.99"}
    again: Any = client.post(
        "/sign-in/", {"user_id": acme.alice.user_id, "password": PASSWORD}, **home
    )

    assert again.status_code == 303


def test_places_are_kept_as_hashes_only(acme: Acme) -> None:
    client = browser(acme)
    sign_in(client, acme.alice.user_id)

    with acme.inside():
        rows = list(FamiliarPlace.objects.values())
    assert len(rows) == 2
    token = client.cookies["sspr_browser"].value
    assert all(b"127.0.0.1" not in bytes(row["place"]) for row in rows)
    assert token not in str(rows)


def test_clearing_the_lock_lets_the_person_in_at_once(acme: Acme) -> None:
    client = browser(acme)
    guess(client, acme.alice.user_id, 10)
    with acme.inside():
        clear_lockout(acme.alice)

    assert sign_in(client, acme.alice.user_id).status_code == 303


def test_a_hundred_failures_from_one_address_block_it_for_everybody(acme: Acme) -> None:
    client = browser(acme)
    for number in range(100):
        sign_in(client, f"n{number}@acme.example", "x")

    assert sign_in(client, acme.alice.user_id).status_code == 429
    elsewhere: Any = browser(acme).post(
        "/sign-in/",
        {"user_id": acme.alice.user_id, "password": PASSWORD},
        REMOTE_ADDR="192.0.2.77",
    )
    assert elsewhere.status_code == 303
