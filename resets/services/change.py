"""Changing a password that is known: the old one is asked for, the new one must be another.

Wrong old passwords count towards smart lockout like a sign-in (Entra, smart lockout); they are
counted before they are compared. Everything is judged under lock, as at the end of a reset.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import make_password

from accounts.models import Session, User
from accounts.password_checks import PasswordTerms, terms_for, violations
from accounts.passwords.names import forbids_current_password
from accounts.passwords.rules import Violation, normalise_for_hashing
from accounts.people import belongings_of
from accounts.signin.person import SignedIn
from accounts.signin.services import SignInResult
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
    breaks rules), elsewhere (the password is kept in the organisation's directory).
    """

    kind: str
    until: datetime | None = None
    violations: Sequence[Violation] = ()


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
    """Sets the new password, once `judge` found the old one right, as at a sign-in.

    `session` is the hash of the key of the session that goes on; all others end.
    """
    if person.user.source != User.Source.CLOUD:
        return Changed("elsewhere")
    with tenant_context(person.tenant.pk):
        broken = _violations(typed, change_terms(person, now))
    if broken:
        # Nothing of the old one was compared, so nothing was counted either.
        return _refused(person, "rules", origin, now, broken)
    judged = judge(typed.old)
    if judged.user is None or judged.user.pk != person.user.pk:
        return _not_let_in(person, judged, origin, now)
    with step_in(person.tenant.pk) as changes:
        flows = lock_open_flows_of(person.user.pk)
        user = User.objects.select_for_update(no_key=True).get(pk=person.user.pk)
        if not user.usable or user.password != judged.user.password:
            # Disabled, or changed by somebody else, since it was compared.
            return Changed("wrong")
        situation = read_situation(now, person.tenant)
        _set_password(user, typed.new, _terms(user, situation), now)
        ended = _end_other_sessions(user, session)
        cancelled = cancel_flows(flows, user, now, changes)
        tell_of_change(situation, belongings_of(user), now, changes)
        data = {"sessions_ended": ended, "forced": person.user.must_change_password}
        done = _event("password.changed", user, origin, now, data=data)
        audit.record_many([done, *cancelled], into=changes)
        return Changed("ok")


def _violations(typed: Passwords, terms: PasswordTerms) -> Sequence[Violation]:
    found = list(violations(typed.new, terms))
    old, new = (
        normalise_for_hashing(word.reveal(), terms.rules) for word in (typed.old, typed.new)
    )
    # Who knows the old one types it first: to compare what was typed is to compare with it.
    if not found and old == new and forbids_current_password(terms.context):
        found.append(Violation("reused"))
    return found


def _refused(
    person: SignedIn, cause: str, origin: Origin, now: datetime, broken: Sequence[Violation]
) -> Changed:
    codes = [str(violation.code) for violation in broken]
    with step_in(person.tenant.pk) as changes:
        data = {"cause": cause, "codes": codes}
        event = _event("password.change_failed", person.user, origin, now, data=data, failed=True)
        audit.record_many([event], into=changes)
    return Changed("weak", violations=broken)


def _not_let_in(person: SignedIn, judged: SignInResult, origin: Origin, now: datetime) -> Changed:
    with step_in(person.tenant.pk) as changes:
        data: dict[str, object] = {
            "cause": "locked" if judged.until is not None else "wrong",
            "codes": [],
        }
        event = _event("password.change_failed", person.user, origin, now, data=data, failed=True)
        audit.record_many([event], into=changes)
    return Changed("wrong" if judged.until is None else "blocked", until=judged.until)


def _event(
    event_type: str,
    user: User,
    origin: Origin,
    now: datetime,
    *,
    data: Mapping[str, object],
    failed: bool = False,
) -> audit.Event:
    party = Party("user", user.pk, user.user_id)
    return audit.Event(
        event_type=event_type,
        actor=party,
        target=party,
        result="failure" if failed else "success",
        data=data,
        address=origin.address,
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


def _end_other_sessions(user: User, session: bytes) -> int:
    """Ends every session but this one, which goes on under the new epoch."""
    rows = Session.objects.filter(user=user)
    ended: int = rows.exclude(key_hash=session).delete()[0]
    rows.filter(key_hash=session).update(epoch=user.session_epoch)
    return ended
