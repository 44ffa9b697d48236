"""Smart lockout as rows: counted before compared, atomic, the same for IDs that nobody has.

All work in the context of the tenant. What is counted has to be committed before the password is
compared.
"""

from dataclasses import dataclass, field
from datetime import datetime

from tenants.keys import tenant_keys
from tenants.licensing import entitlements
from tenants.rules import TenantRules
from tenants.together import Change, Changes, Given

from ..identifiers import canonical
from ..models import SignInLock, User
from .lockout import (
    Counted,
    LockoutRules,
    LockState,
    count_try,
    is_locked,
    judged_wrong,
    rules_for,
    taken_back,
)

PURPOSE = "sign-in"


@dataclass(frozen=True)
class Try:
    """One password for one user ID, as the lockout knows it. `mark` names the password only
    beside the one it was compared with: a password that was changed since makes it another. Where
    that can't be known, because it is kept elsewhere, it is empty and each try counts."""

    subject: bytes = field(repr=False)
    mark: str = field(repr=False)
    familiar: bool


def subject_of(user_id: str) -> bytes:
    """The key under which a user ID is locked, whether anybody has it or not."""
    return tenant_keys().mac(PURPOSE, canonical(user_id))


def mark_of(subject: bytes, password: str, compared_with: str) -> str:
    """What a wrong password is recognised by. Only this installation can make it, and nobody can
    turn it back."""
    whole = password.encode(errors="replace").decode()
    return tenant_keys().mac("wrong password", subject.hex(), whole, compared_with).hex()[:32]


def lockout_rules(rules: TenantRules) -> LockoutRules:
    """What holds in a tenant."""
    plan = rules.subscription.plan if rules.subscription is not None else "free"
    return rules_for(
        rules.tenant.profile,
        custom=entitlements(plan, trial=False).custom_lockout,
        threshold=rules.tenant.lockout_threshold,
        seconds=rules.tenant.lockout_seconds,
    )


def count(attempt: Try, rules: LockoutRules, now: datetime) -> Counted:
    """Counts a try; whoever counts at the same time waits for this transaction."""
    row = _locked_row(attempt)
    counted = count_try(_state(row), attempt.mark, rules, now)
    _store(row, counted.state)
    return counted


def note_wrong(attempt: Try) -> None:
    if attempt.mark:
        row = _locked_row(attempt)
        _store(row, judged_wrong(_state(row), attempt.mark))


def take_back(attempt: Try, lock: datetime | None) -> None:
    """Uncounts a try that nobody could judge. lock: the end of the one that it set off."""
    rows = SignInLock.objects.select_for_update()
    row = rows.filter(subject=attempt.subject, familiar=attempt.familiar).first()
    if row is not None:
        _store(row, taken_back(_state(row), lock))


def note_right(attempt: Try) -> None:
    """Starts the counting afresh, for the kind of place the password came from."""
    SignInLock.objects.filter(subject=attempt.subject, familiar=attempt.familiar).delete()


_CLEARING = Change(lambda: SignInLock.objects.filter(subject=Given("subject")))


def clear_lockout(user: User, *, into: Changes | None = None) -> None:
    """Ends every lock of a person: the password was reset, or an administrator says so. `into` are
    the changes of a step it is written with."""
    changes = into if into is not None else Changes()
    changes.execute(*_CLEARING.of(subject=subject_of(user.user_id)))
    if into is None:
        changes.write()


def find_lock(user: User, now: datetime) -> datetime | None:
    """Until when signing in is locked for this person from somewhere; nothing when it is not."""
    rows = SignInLock.objects.filter(subject=subject_of(user.user_id))
    ends = [row.locked_until for row in rows if is_locked(_state(row), now)]
    return max((until for until in ends if until is not None), default=None)


def _locked_row(attempt: Try) -> SignInLock:
    row, _ = SignInLock.objects.select_for_update().get_or_create(
        subject=attempt.subject, familiar=attempt.familiar
    )
    found: SignInLock = row
    return found


def _state(row: SignInLock) -> LockState:
    return LockState(
        row.failures, row.locks, row.locked_until, row.last_failed_at, tuple(row.wrong)
    )


def _store(row: SignInLock, state: LockState) -> None:
    row.failures, row.locks, row.wrong = state.failures, state.locks, list(state.wrong)
    row.locked_until, row.last_failed_at = state.locked_until, state.last_failed_at
    row.save()
