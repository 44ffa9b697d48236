"""The end of a journey is judged anew, under lock: person, policy, roles and every proof (R-12)."""

from collections.abc import Sequence
from datetime import datetime

from tenants.together import Changes

from ..eligibility import NOT_ENOUGH_METHODS, independent
from ..flow import Event as Step
from ..models import Flow, Gate
from .common import Handle, Result, check_held, end, get_flow, move, record
from .gates import gate_seal, is_sealed
from .locking import find_open_beside
from .standing import Standing


def lock_all(handle: Handle, now: datetime, changes: Changes) -> list[Flow]:
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


def reevaluate(standing: Standing, now: datetime, changes: Changes) -> Result | None:
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
        if (
            registration is not None
            and gate.evidence in registration.evidence
            and bytes(gate.anchor) == registration.anchor
            and is_sealed(flow, gate)
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
            gate.seal = gate_seal(flow, gate, step)
            changes.update(gate, "step", "seal")
