"""What became of a change of a known password in the directories.

As after a reset: nobody is told a success that did not happen, nothing of a lost answer is taken
for a failure, and a late truth corrects what was not known.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.models import User
from accounts.people import belongings_of
from accounts.signin.locks import Try, subject_of
from accounts.signin.tries import Attempt, note_failure, note_success, take_back
from tenants import audit
from tenants.together import Changes
from writeback.jobs import Finished, cause_of, told
from writeback.models import WritebackJob
from writeback.services.outcome import finished

from ..facts import read_situation
from ..models import DirectoryChange
from .change import change_event, end_other_sessions
from .common import lock_open_flows_of
from .finish import cancel_flows
from .notices import tell_of_change, tell_of_doubt

WRONG_OLD_PASSWORD = "wrong_old_password"  # noqa: S105 - the name of a cause
_State = DirectoryChange.State
_STATES = {
    "done": _State.DONE,
    "partly": _State.PARTLY,
    "rejected": _State.REJECTED,
    "retry": _State.NOT_CHANGED,
    "failed": _State.FAILED,
    "unknown": _State.UNKNOWN,
}


@dataclass(frozen=True)
class Landed:
    """The outcomes of one change in all directories. attempt: the try of the old password."""

    row: DirectoryChange
    user: User
    attempt: Attempt
    now: datetime
    changes: Changes


def land_change(
    origin: UUID, jobs: Sequence[WritebackJob], now: datetime, changes: Changes
) -> None:
    """Ends the waiting, in the transaction that ends the last of the jobs."""
    rows = DirectoryChange.objects.select_for_update(of=("self",))
    row: DirectoryChange | None = rows.filter(pk=origin).first()
    if row is None or row.state not in {_State.WRITING, _State.UNKNOWN}:
        return
    flows = lock_open_flows_of(row.user_id)
    user = User.objects.select_for_update(no_key=True).get(pk=row.user_id)
    landed = Landed(row, user, attempt_of(row, user), now, changes)
    was_lost = row.state == _State.UNKNOWN
    ends = finished(jobs)
    row.state, row.reason, row.finished_at = _outcome(ends), cause_of(ends), now
    changes.update(row, "state", "reason", "finished_at")
    ended = 0
    if row.state in {_State.DONE, _State.PARTLY, _State.UNKNOWN} and not was_lost:
        # After a lost answer the new one may hold: whoever held the old key is out, to be sure.
        ended = _end_what_rested(landed)
        audit.record_many(cancel_flows(flows, user, now, changes), into=changes)
    if row.state == _State.UNKNOWN and not was_lost:
        tell_of_doubt(read_situation(now), belongings_of(user), None, now, changes)
    if row.state in {_State.DONE, _State.PARTLY}:
        _done(landed, ended, was_lost=was_lost)
    else:
        _not_done(landed, was_lost=was_lost)


def attempt_of(row: DirectoryChange, user: User) -> Attempt:
    """The try of the old password, as it was counted when the directory was asked."""
    tried = Try(subject_of(user.user_id), "", row.familiar)
    return Attempt("compare", row.locked_until, row.address, user, tried)


def give_up(row: DirectoryChange, attempt: Attempt, now: datetime) -> None:
    """Of a locked change that nobody told of: not known."""
    row.state, row.finished_at = _State.UNKNOWN, now
    row.save(update_fields=["state", "finished_at"])
    take_back(attempt)


def _outcome(ends: Sequence[Finished]) -> str:
    """A wrong old password is wrong, whatever another directory says that changed nothing."""
    what = told(ends)
    changed_nothing = what in {"rejected", "retry", "failed"}
    if changed_nothing and WRONG_OLD_PASSWORD in {end.cause for end in ends}:
        return _State.WRONG
    return _STATES[what]


def _end_what_rested(landed: Landed) -> int:
    """Every session ends but the one that waits, which goes on; how many ended."""
    user = landed.user
    user.session_epoch += 1
    user.password_changed_at = landed.now
    landed.changes.update(user, "session_epoch", "password_changed_at")
    return end_other_sessions(user, bytes(landed.row.session))


def _done(landed: Landed, ended: int, *, was_lost: bool) -> None:
    user, now, changes = landed.user, landed.now, landed.changes
    forced = user.must_change_password
    user.must_change_password = False
    changes.update(user, "must_change_password")
    if not was_lost:
        note_success(landed.attempt)
    tell_of_change(read_situation(now), belongings_of(user), now, changes)
    _record(landed, "password.changed", {"sessions_ended": ended, "forced": forced})


def _not_done(landed: Landed, *, was_lost: bool) -> None:
    """A wrong old password stays counted; what nobody judged, or what failed for another reason,
    was none."""
    if not was_lost:
        if landed.row.state == _State.WRONG:
            note_failure(landed.attempt, landed.now)
        else:
            take_back(landed.attempt)
    cause = landed.row.reason or landed.row.state
    _record(landed, "password.change_failed", {"cause": cause, "codes": []})


def _record(landed: Landed, event_type: str, data: dict[str, object]) -> None:
    row = landed.row
    event = change_event(event_type, landed.user, row.address, landed.now, data=data, change=row.pk)
    audit.record_many([event], into=landed.changes)
