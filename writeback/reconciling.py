"""What became of a change that was sent and not answered (R-22).

The same controller is asked for the version of the password before and after. While the new
password is in memory a sign-in with it tells whose change it was; after a restart the time of the
change does. Nothing is set a second time unless it is certain that the first one never arrived.
"""

from collections.abc import Callable
from datetime import datetime

from .connectors.base import Unreachable
from .outcomes import SETTLES_AFTER, TOLD_WITHIN, Next, Witness, next_step, outcome_of_bind
from .protocol import Operation
from .reports import Report, found_done, found_superseded
from .sending import check_person, remember, tried
from .workplace import Attempt, Intent, NotDone, Seen, Workplace

ASK_EVERY = 2.5
"""Seconds between two looks while somebody waits for the answer."""
Interim = Callable[[Report], None]


def settle_attempt(
    attempt: Attempt, workplace: Workplace, interim: Interim, refused: Report | None = None
) -> Report:
    """Looks until the end of a change is known, at the longest until its job expires.

    refused: what the directory said to a repetition, which is true only if there was no first one.
    """
    job, server = attempt.delivery.job, attempt.intent.witness.controller
    interim(workplace.report("unknown", "no_answer", server))
    while not workplace.clocks.wait(_pause(attempt, workplace)):
        seen = find_seen(attempt.intent, workplace)
        step = _step(attempt.intent, seen, attempt.closed_at, attempt.retried, workplace)
        report: Report | None = None
        if step == "retry":
            report = _retried(attempt, workplace)
            if report is not None and report.cause == "password_rules":
                report, refused = None, report
        elif step == "not_applied":
            report = refused or workplace.report("failed", "not_applied", server)
        elif step == "try_bind" and seen is not None:
            report = _by_sign_in(attempt, seen, workplace)
        if report is not None:
            return remember(attempt.delivery, report, workplace)
        if workplace.clocks.now() >= job.expires:
            break
    return workplace.report("unknown", "no_answer", server)


def reconcile(intent: Intent, workplace: Workplace, closed_at: datetime) -> Report | None:
    """One look at a change whose password is gone; nothing while its end is open.

    closed_at: when nobody can have been at it any more, at the latest the agent's start. What was
    not applied stays open for as long as the job may be handed out again and still be done. The
    report is not remembered: that is for the caller, who knows the job.
    """
    seen = find_seen(intent, workplace)
    step = _step(intent, seen, closed_at, True, workplace)
    if step == "try_bind" and seen is not None:
        return _by_time(intent, seen, workplace)
    if step == "not_applied" and workplace.clocks.now() >= intent.at + TOLD_WITHIN:
        return workplace.report("failed", "not_applied", intent.witness.controller)
    if step == "unknown":
        return workplace.report("unknown", "no_answer", intent.witness.controller)
    return None


def find_seen(intent: Intent, workplace: Workplace) -> Seen | None:
    """The person on the controller that was asked for the change, and on no other."""
    try:
        with workplace.directory.connect(intent.witness.controller) as connection:
            entry = connection.find(intent.anchor)
            return None if entry is None else Seen(entry, connection.witness(entry))
    except Unreachable:
        return None


def done_reconciled(operation: Operation, seen: Seen, server: str, workplace: Workplace) -> Report:
    return found_done(
        operation, is_locked=seen.entry.locked, controller=server, at=workplace.seconds()
    )


def superseded(server: str, workplace: Workplace) -> Report:
    return found_superseded(server, workplace.seconds())


def _pause(attempt: Attempt, workplace: Workplace) -> float:
    """Seconds until the next look: at once the directory may still be at the change."""
    settled_at = attempt.closed_at + SETTLES_AFTER
    left = (settled_at - workplace.clocks.now()).total_seconds()
    return min(max(left, ASK_EVERY), SETTLES_AFTER.total_seconds())


def _step(
    intent: Intent, seen: Seen | None, closed_at: datetime, retried: bool, workplace: Workplace
) -> Next:
    before, after = intent.witness, seen.witness if seen else None
    if seen is not None and intent.operation == "unlock":
        # Of an unlock the lock itself is the witness: gone counts like a newer version.
        version = before.version if seen.entry.locked else before.version + 1
        after = Witness(seen.witness.controller, version, seen.witness.changed_at)
    return next_step(
        before,
        after,
        closed_at=closed_at,
        expires=intent.expires,
        retried=retried,
        now=workplace.clocks.now(),
    )


def _retried(attempt: Attempt, workplace: Workplace) -> Report | None:
    """The one repetition of a change that certainly never arrived; nothing if it has no answer
    either. The person is looked at anew: minutes may lie between."""
    server = attempt.intent.witness.controller
    try:
        with workplace.directory.connect(server) as connection:
            entry = connection.find(attempt.intent.anchor)
            if entry is None:
                return workplace.report("failed", "person_missing", server)
            check_person(entry, attempt.intent.operation, workplace)
            attempt.retried = True
            report = tried(connection, entry, attempt, workplace)
    except Unreachable:
        return None
    except NotDone as end:
        return workplace.report("failed", end.cause, server)
    attempt.closed_at = workplace.clocks.now()
    return report


def _by_sign_in(attempt: Attempt, seen: Seen, workplace: Workplace) -> Report | None:
    """Whose change it was; nothing while the directory does not answer."""
    intent, server = attempt.intent, attempt.intent.witness.controller
    if intent.operation == "unlock":
        return _by_time(intent, seen, workplace)
    try:
        answer = workplace.directory.sign_in(seen.entry, attempt.passwords.new or "", server)
    except Unreachable:
        return None
    outcome = outcome_of_bind(answer)
    if outcome == "superseded":
        return superseded(server, workplace)
    if outcome == "succeeded":
        return done_reconciled(intent.operation, seen, server, workplace)
    # A locked account tells nothing of the password.
    return _by_time(intent, seen, workplace)


def _by_time(intent: Intent, seen: Seen, workplace: Workplace) -> Report:
    server = intent.witness.controller
    if intent.operation == "unlock" or intent.covers(seen.witness.changed_at):
        return done_reconciled(intent.operation, seen, server, workplace)
    return superseded(server, workplace)
