"""Handing a journey to the person's directories: the job is made, and the journey waits.

The password is sealed for the directories' agents in this process and is nowhere afterwards.
"""

from datetime import datetime, timedelta
from uuid import uuid4

from accounts.models import User
from tenants.models import ResetPolicy
from tenants.secret import Secret
from tenants.together import Changes, Reading
from writeback.models import WritebackJob
from writeback.protocol import Operation, Passwords
from writeback.services.orders import Order, is_link_of, links_of, place
from writeback.services.signing import evidence_of

from ..flow import Event as Step
from ..flow import State
from ..models import UNLOCK, Flow
from .common import Result, end, move, record
from .gates import is_sealed
from .standing import Standing, find_standing

MAX_ATTEMPTS = 5
MAX_GATES = 3
DESCRIBED_FOR = timedelta(hours=1)
_POLICY = Reading(lambda: (ResetPolicy.objects.all(),))


def write(
    standing: Standing, password: Secret[str] | None, now: datetime, changes: Changes
) -> Result:
    """Sends the new password, or without one the wish to be unlocked, to every directory."""
    flow = standing.flow
    move(flow, Step.UNLOCK if password is None else Step.SUBMIT)
    flow.reason = ""
    flow.attempts += 1
    changes.update(flow, "state", "reason", "attempts")
    operation = _operation_of(flow)
    order = Order(
        purpose=WritebackJob.Purpose.RESET,
        operation=operation,
        origin=flow.pk,
        user=standing.person,
        passwords=Passwords(new=None if password is None else password.reveal()),
        evidence=evidence_of(*(bytes(gate.seal) for gate in standing.gates)),
        attempt=flow.attempts,
        reference=flow.reference,
    )
    jobs = place(order, links_of(standing.person), now, changes)
    data = {"operation": operation, "attempt": flow.attempts, "connectors": len(jobs)}
    record(flow, "writeback.started", now, changes, data=data)
    if not jobs:
        # The last link went while the person typed: nothing was asked, and nothing will come.
        flow.reason = "person_missing"
        end(flow, Step.FAIL, now, changes)
    return Result("ok")


def describe_rules(user: User, flow: Flow, now: datetime, changes: Changes) -> None:
    """Asks the directories for the rules of this person's password, where that was not just done:
    they are shown before it is typed."""
    stale = [
        link
        for link in links_of(user)
        if link.described_at is None or link.described_at <= now - DESCRIBED_FOR
    ]
    order = Order(
        purpose=WritebackJob.Purpose.DESCRIBE,
        operation="describe",
        # Its own, because a journey that lost a gate comes here once more.
        origin=uuid4(),
        user=user,
        passwords=Passwords(),
        reference=flow.reference,
    )
    if stale:
        place(order, stale, now, changes)


def rests_on_gates(job: WritebackJob) -> bool:
    """What a job of a journey rests on, as the signer finds it for itself (R-21): the journey is at
    the writing, every gate it needs is there with its seal, and the account is the person's own."""
    standing = find_standing(job.origin, job.created_at)
    if standing is None or not _is_the_flows(job, standing.flow):
        return False
    gates = standing.gates
    if len(gates) < _gates_needed(standing) or not all(
        is_sealed(standing.flow, gate) for gate in gates
    ):
        return False
    evidence = evidence_of(*(bytes(gate.seal) for gate in gates))
    return bytes(job.evidence) == evidence


def _is_the_flows(job: WritebackJob, flow: Flow) -> bool:
    """Whether the journey asked for just this, of its own person's account."""
    return (
        flow.state == State.WRITING
        and flow.attempts == job.attempt
        and flow.user_id is not None
        and flow.user_id == job.user_id
        and (job.operation, job.must_change) == (_operation_of(flow), False)
        and is_link_of(job)
    )


def _operation_of(flow: Flow) -> Operation:
    """What the directories are asked for: a reset takes a lock away too."""
    return "unlock" if flow.operation == UNLOCK else "reset_and_unlock"


def _gates_needed(standing: Standing) -> int:
    """As many as were asked for, and as many as the rules ask for now: of the two the larger. Under
    rules that the product did not make itself, more than anybody can pass."""
    [policies] = _POLICY.rows()
    if not policies or not all(policy.is_sealed for policy in policies):
        return MAX_GATES + 1
    asked_for, decision = standing.flow.gates_required, standing.assessment.decision
    return max(1, asked_for, decision.gates_required)
