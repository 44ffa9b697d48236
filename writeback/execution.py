"""Carrying out one job: everything it has to pass before the directory is touched, in order.

Who carries it out brings a workplace: an agent its journal and its directory. A job changes a
password at most once, whatever is delivered twice, killed in between or left without an answer:
what is about to be done is on disk first, and what has no answer is looked into (`reconciling`).
"""

from datetime import datetime, timedelta
from typing import Any

from .agent.cap import may_set
from .connectors.base import Connection, Entry, Unreachable
from .outcomes import Witness, outcome_of_bind
from .protocol import CHANGES, NEEDS_NEW, SKEW, Passwords, Refused
from .reconciling import Interim, done_reconciled, settle_attempt, superseded
from .reports import Report, read
from .sending import check_person, check_time, remember, tried
from .workplace import (
    Attempt,
    Delivery,
    Forbidden,
    Intent,
    NotDone,
    Seen,
    Unwritable,
    Workplace,
)


def perform(delivery: Delivery, workplace: Workplace, interim: Interim) -> Report:
    """What became of a job. Its password is nowhere but in memory, and not longer than this takes.

    interim: is told at once when the directory gives no answer, long before the end is known. If
    the end stays unknown that is reported, the memory holds an intent without a result, and
    `reconciling.reconcile` asks on.
    """
    try:
        return _remembered(delivery, workplace, interim) or _begun(delivery, workplace, interim)
    except Forbidden as end:
        return workplace.report("failed", end.cause)
    except NotDone as end:
        cause = end.cause
    except Refused as refused:
        cause = refused.cause
    except Unreachable as unreachable:
        cause = unreachable.trouble
    except Unwritable:
        # Only who knows what was begun sends anything, so nothing was sent.
        cause = "journal"
    return not_begun(delivery, cause, workplace)


def not_begun(delivery: Delivery, cause: str, workplace: Workplace) -> Report:
    """Of a job that was handed out before nobody knows what the one before did with it, so what
    was not looked at is not told as unchanged."""
    may_be_done = delivery.fence > 1 and delivery.job.operation in CHANGES
    return workplace.report("unknown" if may_be_done else "failed", cause)


def _remembered(delivery: Delivery, workplace: Workplace, interim: Interim) -> Report | None:
    """The answer to a job that was begun here before (A-107); nothing for a new one."""
    result = workplace.memory.find_result(delivery.job.id)
    if result is not None:
        return read(result["report"])
    facts = workplace.memory.find_intent(delivery.job.id)
    if facts is None:
        return None
    intent, now = Intent.read(facts), workplace.clocks.now()
    try:
        passwords = _opened(delivery, workplace)
    except (NotDone, Refused):
        return workplace.report("unknown", "no_answer", intent.witness.controller)
    return settle_attempt(Attempt(delivery, intent, passwords, now), workplace, interim)


def _begun(delivery: Delivery, workplace: Workplace, interim: Interim) -> Report:
    job, bounds = delivery.job, workplace.bounds
    if (job.tenant, job.group) != (bounds.tenant, bounds.group):
        raise Forbidden("not_for_this_agent")
    with workplace.directory.connect() as connection:
        entry = _get_entry(connection, delivery, workplace)
        if job.operation == "describe":
            return _described(connection, entry, workplace)
        if job.operation in CHANGES and not _has_room(workplace):
            raise NotDone("held")
        passwords = _opened(delivery, workplace)
        check_time(delivery, workplace)
        if job.operation == "verify":
            return _verified(connection, entry, passwords, workplace)
        seen = Seen(entry, connection.witness(entry))
        if report := _done_by_another(delivery, seen, passwords, workplace):
            return report
        try:
            intent = _written_down(delivery, seen.witness, workplace)
        except NotDone as end:
            return workplace.report("failed", end.cause, connection.controller)
        if intent is None:
            return workplace.report("unknown", "no_answer", connection.controller)
        attempt = Attempt(delivery, intent, passwords, workplace.clocks.now())
        answer = tried(connection, entry, attempt, workplace)
    attempt.closed_at = workplace.clocks.now()
    return _settled(answer, attempt, workplace, interim)


def _settled(
    answer: Report | None, attempt: Attempt, workplace: Workplace, interim: Interim
) -> Report:
    is_second = attempt.delivery.fence > 1
    if answer is not None and not (answer.cause == "password_rules" and is_second):
        return remember(attempt.delivery, answer, workplace)
    # Who had the job before may have been at it a moment ago; then these rules are the history.
    attempt.retried = answer is not None
    return settle_attempt(attempt, workplace, interim, refused=answer)


def _get_entry(connection: Connection, delivery: Delivery, workplace: Workplace) -> Entry:
    """The one person the job means. Raises Forbidden when there is none or it is not allowed."""
    anchor = delivery.job.anchor
    entry = connection.find(anchor)
    if entry is None or entry.anchor.lower() != anchor.lower():
        raise Forbidden("person_missing")
    check_person(entry, delivery.job.operation, workplace)
    return entry


def _has_room(workplace: Workplace) -> bool:
    return may_set(workplace.memory.times(), workplace.seconds(), workplace.bounds.cap)


def _opened(delivery: Delivery, workplace: Workplace) -> Passwords:
    key = workplace.find_key(delivery.job.key)
    if key is None:
        raise NotDone("key_mismatch")
    return delivery.envelope.open(key)


def _written_down(delivery: Delivery, before: Witness, workplace: Workplace) -> Intent | None:
    """The intent, on disk; nothing when somebody here began the job a moment ago. Raises NotDone
    when the cap was reached meanwhile or when nothing can be written (F-24)."""
    check_time(delivery, workplace)
    job, at = delivery.job, workplace.clocks.now()
    intent = Intent(before, job.anchor, job.operation, job.expires, delivery.fence, at)
    with workplace.counting:
        if not _has_room(workplace):
            raise NotDone("held")
        try:
            seconds = workplace.seconds()
            is_new = workplace.memory.intend(job.id, job.sequence, seconds, intent.facts())
        except (OSError, Unwritable):
            raise NotDone("journal") from None
    return intent if is_new else None


def _done_by_another(
    delivery: Delivery, seen: Seen, passwords: Passwords, workplace: Workplace
) -> Report | None:
    """What an agent did that had this job before and was not heard of again; nothing if it did
    not come to it."""
    job, witness = delivery.job, seen.witness
    if delivery.fence <= 1 or job.operation not in NEEDS_NEW:
        return None
    if witness.changed_at < job.not_before - SKEW:
        return None
    try:
        answer = workplace.directory.sign_in(seen.entry, passwords.new or "", witness.controller)
    except Unreachable:
        answer = None
    outcome = outcome_of_bind(answer)
    if outcome == "succeeded":
        return done_reconciled(job.operation, seen, witness.controller, workplace)
    if witness.changed_at < job.not_before:
        # Clocks differ a little, and a password that was set shortly before is not this one.
        return None
    if outcome == "superseded":
        # A job's times are whole seconds: within its first one, this may be what it was to replace.
        is_later = witness.changed_at >= job.not_before + timedelta(seconds=1)
        return superseded(witness.controller, workplace) if is_later else None
    # Where a sign-in says nothing, as of a locked account, the time does.
    return done_reconciled(job.operation, seen, witness.controller, workplace)


def _verified(
    connection: Connection, entry: Entry, passwords: Passwords, workplace: Workplace
) -> Report:
    server = connection.controller
    answer = workplace.directory.sign_in(entry, passwords.old or "", server)
    return Report("succeeded", answer=answer, controller=server, at=workplace.seconds())


def _described(connection: Connection, entry: Entry, workplace: Workplace) -> Report:
    rights = connection.rights(entry)
    person: dict[str, Any] = {
        "protected": entry.protected,
        "enabled": entry.enabled,
        "locked": entry.locked,
        "must_change": entry.must_change,
        "may_reset": rights.reset,
        "may_unlock": rights.unlock,
        "changed_at": _written_moment(entry.changed_at),
        "password_ends": _written_moment(entry.password_ends),
        "account_ends": _written_moment(entry.account_ends),
    }
    return Report(
        "succeeded",
        rules=connection.rules(entry),
        person=person,
        controller=connection.controller,
        at=workplace.seconds(),
    )


def _written_moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
