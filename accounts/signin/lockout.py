"""PURE. Smart lockout: when too many wrong passwords lock a user ID, and for how long.

Threshold, first lock, the remembered wrong passwords and the separate counting for familiar and
unfamiliar places are Entra's. At which rate locks grow there is not disclosed; ours double, up to a
day. What failed longer than a day ago no longer counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

REMEMBERED = 3
LONGEST = timedelta(days=1)
FORGOTTEN_AFTER = timedelta(days=1)
FAMILIAR_FOR = timedelta(days=90)
THRESHOLDS: Mapping[str, int] = {"public": 10, "government": 3}
FIRST_LOCK = timedelta(seconds=60)


@dataclass(frozen=True)
class LockoutRules:
    """After `threshold` wrong passwords nobody is let in for `first`, and longer on repeats."""

    threshold: int = THRESHOLDS["public"]
    first: timedelta = FIRST_LOCK


@dataclass(frozen=True)
class LockState:
    """What is known of the wrong tries for one user ID from one kind of place.

    failures: wrong tries, with those on their way. locks: how often it was locked without a right
    password since. wrong: marks of the last different wrong passwords, oldest first.
    """

    failures: int = 0
    locks: int = 0
    locked_until: datetime | None = None
    last_failed_at: datetime | None = None
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True)
class Counted:
    """What becomes of one try.

    verdict: compare (it is counted), known (wrong before, so it neither counts nor is compared),
    locked (nothing is compared until `state.locked_until`).
    """

    verdict: Literal["compare", "known", "locked"]
    state: LockState


def rules_for(profile: str, *, custom: bool, threshold: int = 0, seconds: int = 0) -> LockoutRules:
    """The rules of a tenant. Its own numbers hold only where the plan grants `custom` ones; 0 is
    none of its own."""
    standard = LockoutRules(threshold=THRESHOLDS[profile])
    if not custom:
        return standard
    return LockoutRules(
        threshold=threshold or standard.threshold,
        first=timedelta(seconds=seconds) if seconds else standard.first,
    )


def lock_length(rules: LockoutRules, locks: int) -> timedelta:
    """How long the lock of that number lasts: the first, then twice as long each time."""
    doublings = min(max(locks - 1, 0), 32)
    return min(rules.first * (1 << doublings), LONGEST)


def is_locked(state: LockState, now: datetime) -> bool:
    return state.locked_until is not None and now < state.locked_until


def count_try(state: LockState, mark: str, rules: LockoutRules, now: datetime) -> Counted:
    """Counts a try before it is compared.

    The one that reaches the threshold is still compared, but whatever comes beside it or after it
    is locked out already. After a lock the very next try locks again, unless it is right.
    """
    if is_locked(state, now):
        return Counted("locked", state)
    kept = _still_counting(state, now)
    if mark in kept.wrong:
        return Counted("known", kept)
    failures = kept.failures + 1
    counted = replace(kept, failures=failures, last_failed_at=now)
    if failures >= rules.threshold:
        locks = kept.locks + 1
        until = now + lock_length(rules, locks)
        counted = replace(counted, failures=rules.threshold - 1, locks=locks, locked_until=until)
    return Counted("compare", counted)


def judged_wrong(state: LockState, mark: str) -> LockState:
    """Remembers a wrong password; the same one sent twice at once counts once, where it has not
    locked already."""
    if mark in state.wrong:
        failures = state.failures - 1 if state.locks == 0 else state.failures
        return replace(state, failures=max(0, failures))
    return replace(state, wrong=(*state.wrong, mark)[-REMEMBERED:])


def taken_back(state: LockState, lock: datetime | None) -> LockState:
    """A try that nobody could judge counts for nothing. lock: the end of the lock that it set off
    itself, which ends with it."""
    if lock is None:
        return replace(state, failures=max(0, state.failures - 1))
    if state.locked_until != lock:
        return state
    return replace(state, locks=state.locks - 1, locked_until=None)


def after_recovery(state: LockState, operation: str) -> LockState:
    """A forgotten password that was reset ends the lock; an unlock leaves the timer running."""
    return LockState() if operation == "reset" else state


def is_familiar(seen_at: datetime | None, now: datetime) -> bool:
    """Whether somebody signed in from there within the last 90 days."""
    return seen_at is not None and now - seen_at <= FAMILIAR_FOR


def _still_counting(state: LockState, now: datetime) -> LockState:
    last = max(
        (moment for moment in (state.last_failed_at, state.locked_until) if moment is not None),
        default=None,
    )
    return LockState() if last is not None and now - last > FORGOTTEN_AFTER else state
