"""What became of a journey in the directories: its end, another try, or not known yet.

Nobody is told a success that did not happen, and nothing of a lost answer is taken for a failure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.models import Session
from tenants.together import Changes
from writeback.jobs import cause_of, told
from writeback.models import WritebackJob
from writeback.services.outcome import finished

from ..flow import Event as Step
from ..flow import State
from ..models import UNLOCK, Flow
from .common import end, move, record
from .finish import Ending, conclude, doubt
from .locking import find_open_beside
from .standing import standing_of
from .writing import MAX_ATTEMPTS

PARTLY = "partly"
NOT_CHANGED = "not_changed"
REFUSED_PASSWORD = "password_rules"  # noqa: S105 - the name of a reason


@dataclass(frozen=True)
class Landed:
    """The outcomes of one attempt in all directories. others: as in `Ending`."""

    flow: Flow
    others: Sequence[Flow]
    jobs: Sequence[WritebackJob]
    now: datetime
    changes: Changes


def land(
    origin: UUID, attempt: int, jobs: Sequence[WritebackJob], now: datetime, changes: Changes
) -> None:
    """Moves the journey on, in the transaction that ends the last of its jobs."""
    together = find_open_beside(origin)
    flow = next((row for row in together if row.pk == origin), None)
    if flow is None or flow.attempts != attempt or flow.user is None:
        return
    if flow.state not in {State.WRITING, State.UNKNOWN}:
        return
    others = [row for row in together if row is not flow]
    landed = Landed(flow, others, jobs, now, changes)
    ends = finished(jobs)
    what = told(ends)
    if what in {"done", "partly"}:
        _done(landed, partly=what == "partly")
    elif what == "unknown":
        _lost(landed)
    elif flow.state == State.UNKNOWN or what == "failed":
        _failed(landed, NOT_CHANGED if what != "failed" else cause_of(ends))
    else:
        _once_more(landed, REFUSED_PASSWORD if what == "rejected" else NOT_CHANGED)


def _done(landed: Landed, *, partly: bool) -> None:
    flow, now, changes = landed.flow, landed.now, landed.changes
    was_lost = flow.state == State.UNKNOWN
    flow.reason = PARTLY if partly else ""
    end(flow, Step.WRITE, now, changes)
    if flow.operation == UNLOCK:
        record(flow, "account.unlocked", now, changes, data={"methods": list(flow.methods)})
        return
    conclude(_ending(landed), now, changes, was_in_doubt=was_lost)


def _ending(landed: Landed) -> Ending:
    sessions: list[Session] = []
    standing = standing_of(landed.flow, landed.now, sessions=sessions)
    return Ending(standing, landed.others, sessions)


def _lost(landed: Landed) -> None:
    flow, now, changes = landed.flow, landed.now, landed.changes
    if flow.state == State.UNKNOWN or flow.user is None:
        return
    move(flow, Step.LOSE_TRACK)
    flow.reason = ""
    changes.update(flow, "state", "reason")
    record(flow, "writeback.lost", now, changes, result="failure")
    if flow.operation != UNLOCK:
        doubt(_ending(landed), now, changes)


def _failed(landed: Landed, reason: str) -> None:
    flow, now, changes = landed.flow, landed.now, landed.changes
    flow.reason = reason
    end(flow, Step.FAIL, now, changes)
    data = {"reason": reason, "attempt": flow.attempts}
    record(flow, "writeback.failed", now, changes, result="failure", reason=reason, data=data)


def _once_more(landed: Landed, reason: str) -> None:
    """Back to choosing, without another proof; after five passwords it is over."""
    flow, now, changes = landed.flow, landed.now, landed.changes
    if flow.attempts >= MAX_ATTEMPTS:
        _failed(landed, reason)
        return
    move(flow, Step.RETURN if flow.operation == UNLOCK else Step.REJECT_PASSWORD)
    flow.reason = reason
    changes.update(flow, "state", "reason")
    data = {"reason": reason, "attempt": flow.attempts}
    record(flow, "writeback.rejected", now, changes, result="failure", reason=reason, data=data)
