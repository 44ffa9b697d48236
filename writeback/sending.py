"""The moment a directory is changed: what is asked right before, and what its answer means."""

from .connectors.base import Change, Connection, Entry, Unanswered, Unreachable
from .places import is_within
from .protocol import Operation
from .reports import Report, written
from .workplace import Attempt, Delivery, Forbidden, NotDone, Unwritable, Workplace


def check_person(entry: Entry, operation: Operation, workplace: Workplace) -> None:
    """Raises Forbidden for a person whom this agent may not touch, whatever it is told (A-109).

    To describe a person is to say just this of them, so only the place counts then; a sign-in is
    answered by the directory itself, which knows of disabled people.
    """
    bounds = workplace.bounds
    if not is_within(entry.place, bounds.places):
        raise Forbidden("outside_places")
    if operation == "describe":
        return
    if entry.protected and not bounds.may_touch_protected:
        raise Forbidden("protected")
    if operation == "verify":
        return
    if not entry.enabled:
        raise Forbidden("person_disabled")
    if entry.account_ends is not None and entry.account_ends <= workplace.clocks.now():
        raise Forbidden("account_ended")


def check_time(delivery: Delivery, workplace: Workplace) -> None:
    """Raises NotDone for a job whose time or lease is over: nothing is changed late (R-23)."""
    if workplace.clocks.now() >= delivery.job.expires:
        raise NotDone("expired")
    if workplace.clocks.monotonic() >= delivery.write_until:
        raise NotDone("lease_lost")


def tried(
    connection: Connection, entry: Entry, attempt: Attempt, workplace: Workplace
) -> Report | None:
    """Changes the directory once; nothing when it was asked and did not answer."""
    server = connection.controller
    try:
        check_time(attempt.delivery, workplace)
        change = _send(connection, entry, attempt)
    except Unanswered:
        return None
    except NotDone as end:
        return workplace.report("failed", end.cause, server)
    except Unreachable as unreachable:
        return workplace.report("failed", unreachable.trouble, server)
    return _report_of(change, attempt.delivery.job.operation, server, workplace.seconds())


def remember(delivery: Delivery, report: Report, workplace: Workplace) -> Report:
    """The report, kept if it can be: the truth is told even when the disk takes nothing more."""
    facts = {"report": written(report), "fence": delivery.fence}
    try:
        workplace.memory.settle(delivery.job.id, workplace.seconds(), facts)
    except (OSError, Unwritable):
        # The intent stays without a result, and is looked into after the next start.
        return report
    return report


def _send(connection: Connection, entry: Entry, attempt: Attempt) -> Change:
    job, passwords = attempt.delivery.job, attempt.passwords
    if job.operation == "unlock":
        return connection.unlock(entry)
    new, old = passwords.new or "", passwords.old or ""
    if job.operation == "change":
        return connection.change_password(entry, old, new)
    unlock = job.operation == "reset_and_unlock"
    return connection.set_password(entry, new, unlock=unlock, must_change=job.must_change)


def _report_of(change: Change, operation: Operation, server: str, at: int) -> Report:
    """What was asked for and done only in part is told as such (R-24)."""
    is_missing = change.done and change.unlocked is False
    cause = "no_right_to_unlock" if is_missing else change.cause
    is_done = change.done and not (is_missing and operation == "unlock")
    return Report(
        "succeeded" if is_done else "failed",
        cause,
        changed=change.done and operation != "unlock",
        unlocked=change.unlocked,
        controller=server,
        code=change.code,
        at=at,
    )
