"""The end of a journey: everything judged again under lock, the password set once, people told."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.utils.crypto import constant_time_compare

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

from ..eligibility import NOT_ENOUGH_METHODS, independent
from ..flow import OPEN_STATES, State
from ..flow import Event as Step
from ..models import Flow, Gate
from .common import (
    Handle,
    Result,
    check_held,
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
from .locking import find_open_beside
from .notices import tell_administrators, tell_person
from .proofs import gate_seal
from .standing import Standing, standing_of


def submit(handle: Handle, password: Secret[str], *, now: datetime) -> Result:
    """Sets the new password, once.

    Person, policy, roles and every proof are judged again as they are now, with flow and person
    locked (R-12); the stricter of the start and now wins. A password that breaks the rules costs
    no try.
    """
    with step_in(handle.tenant) as changes:
        together = _lock_all(handle, now, changes)
        flow = next(row for row in together if row.pk == handle.flow)
        if flow.state != State.CHOOSING or flow.user is None:
            return _not_open(flow, now, changes)
        sessions: list[Session] = []
        standing = standing_of(flow, now, sessions=sessions)
        lost = _reevaluate(standing, now, changes)
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
        _set_password(flow.user, password, terms, now, changes)
        others = [row for row in together if row is not flow]
        _finish(standing, others, sessions, now, changes)
        return Result("ok")


def _not_open(flow: Flow, now: datetime, changes: Changes) -> Result:
    """A password at the wrong moment: before the last gate, or once more after the end."""
    early = flow.state == State.PROVING
    if early or flow.state == State.DONE:
        denied = deny(flow, "submit", now, changes)
        return denied if early else Result("not_now")
    return Result("not_now")


def _lock_all(handle: Handle, now: datetime, changes: Changes) -> list[Flow]:
    """This journey and every open one of its person, locked in one order, and the person.

    Raises NoFlow. Somebody else's start is not held up, which only needs the person to exist.
    """
    found = find_open_beside(handle.flow)
    own = next((row for row in found if row.pk == handle.flow), None)
    if own is None or own.expires_at <= now:
        # A decoy, or a journey whose time is over.
        return [get_flow(handle, now, changes)]
    check_held(own, handle)
    return found


def password_terms(standing: Standing, user: User) -> PasswordTerms:
    situation = standing.situation
    return terms_for(user, situation.tenant, situation.policy, situation.subscription, "reset")


def _reevaluate(standing: Standing, now: datetime, changes: Changes) -> Result | None:
    """Back to a missing gate, or refused; nothing when the journey may still end well."""
    flow, decision = standing.flow, standing.assessment.decision
    needed = max(flow.gates_required, decision.gates_required)
    if not decision.allowed or decision.counted < needed:
        flow.reason = decision.reason or NOT_ENOUGH_METHODS
        end(flow, Step.REFUSE, now, changes)
        why = {"reason": flow.reason, "policy": decision.policy}
        record(flow, "flow.refused", now, changes, result="denied", reason=flow.reason, data=why)
        return Result("not_now")
    kept = _standing_gates(standing)
    if len(kept) == len(standing.gates) and len(kept) >= needed:
        return None
    _keep_only(flow, standing.gates, kept, changes)
    flow.gates_required = needed
    flow.policy = decision.policy
    if not flow.concealed:
        flow.methods = list(decision.methods)
    move(flow, Step.LOSE_GATE)
    changes.update(flow, "gates_required", "policy", "methods", "state")
    missing = {"reason": "gates", "gates_missing": needed - len(kept)}
    record(flow, "flow.reevaluated", now, changes, result="failure", data=missing)
    return Result("not_now")


def _standing_gates(standing: Standing) -> list[Gate]:
    """The gates that still hold: sealed, passed with what is still on file, still allowed."""
    flow, decision = standing.flow, standing.assessment.decision
    by_kind = decision.policy == "administrator"
    kept: list[Gate] = []
    for gate in standing.gates:
        registration = standing.registration(gate.method)
        seal = gate_seal(flow, gate.challenge_id, gate.step, gate.method, gate)
        if (
            registration is not None
            and gate.user_id == flow.user_id
            and gate.evidence in registration.evidence
            and bytes(gate.anchor) == registration.anchor
            and constant_time_compare(bytes(gate.seal).hex(), seal.hex())
        ):
            kept.append(gate)
    proofs = [p for p in decision.proofs if p.method in {gate.method for gate in kept}]
    while kept and not independent(proofs, by_kind=by_kind):
        dropped = kept.pop()
        proofs = [proof for proof in proofs if proof.method != dropped.method]
    return kept


def _keep_only(flow: Flow, gates: Sequence[Gate], kept: Sequence[Gate], changes: Changes) -> None:
    """Void gates go, at once; those that hold close ranks, sealed for their new step."""
    lost = [gate.pk for gate in gates if gate not in kept]
    Gate.objects.filter(pk__in=lost).delete()
    for step, gate in enumerate(kept, start=1):
        if gate.step != step:
            gate.step = step
            gate.seal = gate_seal(flow, gate.challenge_id, step, gate.method, gate)
            changes.update(gate, "step", "seal")


def _set_password(
    user: User, password: Secret[str], terms: PasswordTerms, now: datetime, changes: Changes
) -> None:
    user.password = make_password(normalise_for_hashing(password.reveal(), terms.rules))
    user.session_epoch += 1
    user.password_changed_at = now
    changes.update(user, "password", "session_epoch", "password_changed_at")


# A pass was for getting in once; whatever it was not used for, it is over with the reset.
_VOIDING_PASSES = Change(lambda: Credential.objects.filter(user=Given("user"), method=PASS_METHOD))
_ENDING_SESSIONS = Change(lambda: Session.objects.filter(user=Given("user")))


def _finish(
    standing: Standing,
    others: Sequence[Flow],
    sessions: Sequence[Session],
    now: datetime,
    changes: Changes,
) -> None:
    """Ends the journey and everything that rested on the old password; tells those concerned."""
    flow, user = standing.flow, standing.person
    changes.execute(*_ENDING_SESSIONS.of(user=user.pk))
    changes.execute(*_VOIDING_PASSES.of(user=user.pk))
    cancel_requests_of_person(user.pk, changes)
    move(flow, Step.SUBMIT)
    end(flow, Step.WRITE, now, changes)
    cancelled = cancel_flows(others, user, now, changes)
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
            "sessions_ended": len(sessions),
            "operation": flow.operation,
        },
    )
    audit.record_many([done, *cancelled], into=changes)


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
