"""Changing a password that is known: the old one is asked for, the new one must be another.

Wrong old passwords count towards smart lockout like a sign-in (Entra, smart lockout); they are
counted before they are compared. Everything is judged under lock, as at the end of a reset.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.hashers import make_password

from accounts.models import Session, User
from accounts.password_checks import PasswordTerms, terms_for, violations
from accounts.passwords.names import forbids_current_password
from accounts.passwords.rules import Violation, normalise_for_hashing
from accounts.people import belongings_of
from accounts.signin.person import SignedIn
from accounts.signin.services import SignInResult
from accounts.signin.tries import Attempt
from tenants import audit
from tenants.audit import Party
from tenants.context import tenant_context
from tenants.secret import Secret

from ..facts import Situation, read_situation
from .common import Origin, lock_open_flows_of, step_in
from .finish import cancel_flows
from .notices import tell_of_change


@dataclass(frozen=True)
class Changed:
    """What came of a change.

    kind: ok, wrong (the old password), blocked (too many wrong ones, until when), weak (the new one
    breaks rules), elsewhere (the password is kept in the organisation's directory and can't be
    changed from here), unreachable (the directory, for now), busy (another change is under way),
    sent (the directory was asked; `change` is the row that waits for it).
    """

    kind: str
    until: datetime | None = None
    violations: Sequence[Violation] = ()
    change: UUID | None = None


@dataclass(frozen=True)
class Passwords:
    """Both as they were typed."""

    old: Secret[str]
    new: Secret[str]


def change_terms(person: SignedIn, now: datetime) -> PasswordTerms:
    """The rules that hold for this person's next password. In the tenant's context."""
    return _terms(person.user, read_situation(now, person.tenant))


def _terms(user: User, situation: Situation) -> PasswordTerms:
    return terms_for(user, situation.tenant, situation.policy, situation.subscription, "change")


def change_password(
    person: SignedIn,
    typed: Passwords,
    *,
    judge: Callable[[Secret[str]], SignInResult],
    session: bytes,
    origin: Origin,
    now: datetime,
) -> Changed:
    """Sets the new password of somebody whose password is kept here, once `judge` found the old
    one right, as at a sign-in.

    `session` is the hash of the key of the session that goes on; all others end.
    """
    with tenant_context(person.tenant.pk):
        broken = find_broken(typed, change_terms(person, now))
    if broken:
        # Nothing of the old one was compared, so nothing was counted either.
        return refused(person, broken, origin, now)
    judged = judge(typed.old)
    if judged.user is None or judged.user.pk != person.user.pk:
        return not_let_in(person, judged, origin, now)
    with step_in(person.tenant.pk) as changes:
        flows = lock_open_flows_of(person.user.pk)
        user = User.objects.select_for_update(no_key=True).get(pk=person.user.pk)
        if not user.usable or user.password != judged.user.password:
            # Disabled, or changed by somebody else, since it was compared.
            return Changed("wrong")
        situation = read_situation(now, person.tenant)
        _set_password(user, typed.new, _terms(user, situation), now)
        ended = end_other_sessions(user, session)
        cancelled = cancel_flows(flows, user, now, changes)
        tell_of_change(situation, belongings_of(user), now, changes)
        data = {"sessions_ended": ended, "forced": person.user.must_change_password}
        done = change_event("password.changed", user, origin.address, now, data=data)
        audit.record_many([done, *cancelled], into=changes)
        return Changed("ok")


def find_broken(typed: Passwords, terms: PasswordTerms) -> Sequence[Violation]:
    """Every rule that the new password breaks."""
    found = list(violations(typed.new, terms))
    old, new = (
        normalise_for_hashing(word.reveal(), terms.rules) for word in (typed.old, typed.new)
    )
    # Who knows the old one types it first: to compare what was typed is to compare with it.
    if not found and old == new and forbids_current_password(terms.context):
        found.append(Violation("reused"))
    return found


def refused(
    person: SignedIn, broken: Sequence[Violation], origin: Origin, now: datetime
) -> Changed:
    """The new password breaks rules."""
    codes = [str(violation.code) for violation in broken]
    with step_in(person.tenant.pk) as changes:
        data = {"cause": "rules", "codes": codes}
        event = change_event("password.change_failed", person.user, origin.address, now, data=data)
        audit.record_many([event], into=changes)
    return Changed("weak", violations=broken)


def not_let_in(
    person: SignedIn, judged: SignInResult | Attempt, origin: Origin, now: datetime
) -> Changed:
    """The old password was wrong, or was not looked at because too many were."""
    with step_in(person.tenant.pk) as changes:
        data: dict[str, object] = {
            "cause": "locked" if judged.until is not None else "wrong",
            "codes": [],
        }
        event = change_event("password.change_failed", person.user, origin.address, now, data=data)
        audit.record_many([event], into=changes)
    return Changed("wrong" if judged.until is None else "blocked", until=judged.until)


def change_event(
    event_type: str,
    user: User,
    address: str,
    now: datetime,
    *,
    data: Mapping[str, object],
    change: UUID | None = None,
) -> audit.Event:
    """A line of the trail. change: the row that waited for a directory, if there was one."""
    party = Party("user", user.pk, user.user_id)
    return audit.Event(
        event_type=event_type,
        actor=party,
        target=party,
        result="success" if event_type == "password.changed" else "failure",
        data=data,
        correlation_id=change,
        address=address,
        now=now,
    )


def _set_password(user: User, password: Secret[str], terms: PasswordTerms, now: datetime) -> None:
    user.password = make_password(normalise_for_hashing(password.reveal(), terms.rules))
    user.session_epoch += 1
    user.password_changed_at = now
    user.must_change_password = False
    user.save(
        update_fields=["password", "session_epoch", "password_changed_at", "must_change_password"]
    )


def end_other_sessions(user: User, session: bytes) -> int:
    """Ends every session but this one, which goes on under the new epoch."""
    rows = Session.objects.filter(user=user)
    ended: int = rows.exclude(key_hash=session).delete()[0]
    rows.filter(key_hash=session).update(epoch=user.session_epoch)
    return ended
