"""The end of a journey: everything judged again under lock, the password set once, people told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import make_password

from accounts.authenticator.approvals import cancel_requests_of_person
from accounts.models import Credential, Session, User
from accounts.passes import METHOD as PASS_METHOD
from accounts.password_checks import PasswordTerms, terms_for, violations
from accounts.passwords.rules import normalise_for_hashing
from accounts.person_key import person_key
from accounts.signin.locks import clear_lockout
from tenants import audit
from tenants.counters import forget
from tenants.roles import holds_administrator_role
from tenants.secret import Secret
from tenants.together import Change, Changes, Given

from ..flow import OPEN_STATES, State
from ..flow import Event as Step
from ..models import UNLOCK, Flow
from .common import (
    Handle,
    Result,
    end,
    event,
    get_flow,
    move,
    own_counts,
    record,
    step_in,
    subject,
)
from .denial import deny
from .notices import tell_administrators, tell_of_doubt, tell_person
from .reevaluation import lock_all, reevaluate
from .standing import Standing, standing_of
from .writing import write


def submit(handle: Handle, password: Secret[str], *, now: datetime) -> Result:
    """Sets the new password, once.

    Person, policy, roles and every proof are judged again as they are now, with flow and person
    locked (R-12); the stricter of the start and now wins. A password that breaks the rules costs
    no try.
    """
    with step_in(handle.tenant) as changes:
        together = lock_all(handle, now, changes)
        flow = next(row for row in together if row.pk == handle.flow)
        if flow.state != State.CHOOSING or flow.user is None:
            return _not_open(flow, "submit", now, changes)
        sessions: list[Session] = []
        standing = standing_of(flow, now, sessions=sessions)
        lost = reevaluate(standing, now, changes)
        if lost is not None:
            return lost
        terms = password_terms(standing, flow.user)
        broken = violations(password, terms)
        if broken:
            codes: list[str] = [violation.code for violation in broken]
            reason = "FuzzyPolicyViolationInvalidPassword"
            data = {"codes": codes}
            record(
                flow,
                "password.rejected",
                now,
                changes,
                result="failure",
                reason=reason,
                data=data,
            )
            return Result("weak", violations=broken)
        if terms.directory:
            return write(standing, password, now, changes)
        _set_password(flow.user, password, terms, changes)
        move(flow, Step.SUBMIT)
        end(flow, Step.WRITE, now, changes)
        others = [row for row in together if row is not flow]
        conclude(Ending(standing, others, sessions), now, changes)
        return Result("ok", left=(standing, None))


def choose_operation(handle: Handle, operation: str, *, now: datetime) -> Result:
    """A new password, or only the lock taken away; asked where the policy leaves the choice."""
    with step_in(handle.tenant) as changes:
        together = lock_all(handle, now, changes)
        flow = next(row for row in together if row.pk == handle.flow)
        if flow.state != State.PROVED or flow.user is None:
            return _not_open(flow, "operation", now, changes)
        standing = standing_of(flow, now)
        lost = reevaluate(standing, now, changes)
        if lost is not None:
            return lost
        if operation not in standing.assessment.decision.operations:
            return Result("missing", field="operation")
        flow.operation = operation
        changes.update(flow, "operation")
        if operation == UNLOCK:
            return write(standing, None, now, changes)
        move(flow, Step.ASK_PASSWORD)
        changes.update(flow, "state")
        return Result("ok", left=(standing, None))


def _not_open(flow: Flow, step: str, now: datetime, changes: Changes) -> Result:
    """A step at the wrong moment: before the last gate, or once more after the end."""
    early = flow.state in {State.PROVING, State.PROVED}
    if early or flow.state == State.DONE:
        denied = deny(flow, step, now, changes)
        return denied if early else Result("not_now")
    return Result("not_now")


def password_terms(standing: Standing, user: User) -> PasswordTerms:
    situation = standing.situation
    return terms_for(user, situation.tenant, situation.policy, situation.subscription, "reset")


def _set_password(
    user: User, password: Secret[str], terms: PasswordTerms, changes: Changes
) -> None:
    user.password = make_password(normalise_for_hashing(password.reveal(), terms.rules))
    changes.update(user, "password")


# A pass was for getting in once; whatever it was not used for, it is over with the reset.
_VOIDING_PASSES = Change(lambda: Credential.objects.filter(user=Given("user"), method=PASS_METHOD))
_ENDING_SESSIONS = Change(lambda: Session.objects.filter(user=Given("user")))


@dataclass(frozen=True)
class Ending:
    """A journey that changed a password. others: further open journeys of the person, locked."""

    standing: Standing
    others: Sequence[Flow]
    sessions: Sequence[Session]


def conclude(
    ending: Ending, now: datetime, changes: Changes, *, was_in_doubt: bool = False
) -> None:
    """Ends everything that rested on the old password; tells those concerned. was_in_doubt: what
    rested on it ended before, and who signed in since with the new one stays."""
    standing = ending.standing
    flow, user = standing.flow, standing.person
    cancelled = [] if was_in_doubt else end_what_rested(user, ending.others, now, changes)
    keys = {subject(flow), person_key(user.user_id).hex()}
    forget(own_counts(standing.situation, keys), into=changes)
    clear_lockout(user, into=changes)
    if standing.own is not None:
        tell_person(standing.situation, standing.own, flow, now, changes)
    if holds_administrator_role(user.roles):
        tell_administrators(standing.situation, user, flow, now, changes)
    done = event(
        flow,
        "password.reset",
        now,
        data={
            "policy": flow.policy,
            "methods": [gate.method for gate in standing.gates],
            "sessions_ended": 0 if was_in_doubt else len(ending.sessions),
            "operation": flow.operation,
        },
    )
    audit.record_many([done, *cancelled], into=changes)


def doubt(ending: Ending, now: datetime, changes: Changes) -> None:
    """The password may be the new one: whoever held the old key is out, to be sure, and the person
    hears of it (R-13)."""
    standing = ending.standing
    cancelled = end_what_rested(standing.person, ending.others, now, changes)
    if standing.own is not None:
        tell_of_doubt(standing.situation, standing.own, standing.flow, now, changes)
    audit.record_many(cancelled, into=changes)


def end_what_rested(
    user: User, journeys: Sequence[Flow], now: datetime, changes: Changes
) -> list[audit.Event]:
    """Sessions, passes, requests and these open journeys are over with the old password; what to
    record."""
    user.session_epoch += 1
    user.password_changed_at = now
    changes.update(user, "session_epoch", "password_changed_at")
    changes.execute(*_ENDING_SESSIONS.of(user=user.pk))
    changes.execute(*_VOIDING_PASSES.of(user=user.pk))
    cancel_requests_of_person(user.pk, changes)
    return cancel_flows(journeys, user, now, changes)


def cancel_flows(
    flows: Sequence[Flow], user: User, now: datetime, changes: Changes
) -> list[audit.Event]:
    """Ends these open, locked journeys of a person; returns what to record."""
    events = []
    for flow in flows:
        end(flow, Step.CANCEL, now, changes)
        flow.user = user
        events.append(event(flow, "flow.cancelled", now))
    return events


def cancel(handle: Handle, *, now: datetime) -> Result:
    """The person gives up; nothing was changed."""
    with step_in(handle.tenant) as changes:
        flow = get_flow(handle, now, changes)
        if State(flow.state) not in OPEN_STATES:
            return Result("not_now")
        end(flow, Step.CANCEL, now, changes)
        record(flow, "flow.cancelled", now, changes)
        return Result("ok")
