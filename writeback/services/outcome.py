"""How a job ends: by its agent's report, by nobody taking it, or by its time.

A result is believed from the agent that holds the newest fence. What the person hears is settled
when every directory of the same attempt has ended; a late truth corrects an unknown one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from tenants import audit
from tenants.audit import Party
from tenants.bell import ring
from tenants.context import tenant_context
from tenants.lookup import tenants_with_connectors, tenants_with_open_jobs
from tenants.together import Change, Changes, Given

from ..afterwards import SPREADS_WITHIN, judge
from ..jobs import TAKEN_WITHIN, Finished, State
from ..models import (
    LONG_AGO,
    Agent,
    AgentCall,
    AgentKey,
    DirectoryLink,
    EnrolmentCode,
    JobEnvelope,
    WritebackJob,
)
from ..outcomes import ASKED_FOR, SETTLES_AFTER, TOLD_WITHIN
from ..protocol import CHANGES
from ..reports import Report, rules_written
from ..signals import job_finished
from .attempts import lock_attempt

WRITEBACK = Party("system", None, "writeback")
KEPT_CALLS = timedelta(minutes=10)
KEPT_CODES = timedelta(days=1)
DESCRIBED_FOR = timedelta(hours=24)
"""What was seen of an account is not looked at again within this time, unless somebody asks."""
KEPT_QUESTIONS = timedelta(days=1)
"""How long a job that only asked something is kept once it ended."""
_PURGE = Change(lambda: JobEnvelope.objects.filter(job=Given("job")))
_LOOK_LATER = Change(
    lambda: DirectoryLink.objects.filter(connector=Given("connector"), anchor=Given("anchor")),
    look_at=Given("at"),
)
# When the new password ends is not known yet, and the old one's end means nothing any more.
_LOOK_SOON = Change(
    lambda: DirectoryLink.objects.filter(connector=Given("connector"), user=Given("user")),
    look_at=LONG_AGO,
    password_ends=None,
)


@dataclass(frozen=True)
class Reported:
    """A result on its way in: of which job, by whom, with which fence."""

    job: UUID
    agent: Agent
    fence: int
    report: Report


def take_report(reported: Reported, now: datetime) -> bool:
    """Ends the job, or corrects it; false when another took it over. In the tenant's context.

    The same report again is accepted and changes nothing, because its answer may have been lost.
    """
    changes = Changes()
    together = lock_attempt(reported.job)
    job = next((job for job in together if job.pk == reported.job), None)
    if job is None or not _may_tell(job, reported):
        return False
    agent = reported.agent
    if job.sequence > agent.seen_sequence and _is_in_journal(job, reported.report):
        agent.seen_sequence = job.sequence
        changes.update(agent, "seen_sequence")
    settled = job.state == State.DONE and job.outcome != "unknown"
    if not settled:
        _apply(job, reported.report, now, changes)
        tell_if_ended(together, now, changes)
    changes.write()
    if reported.report.rules is not None:
        _settle_left(job, reported.report, now)
    return True


def _may_tell(job: WritebackJob, reported: Reported) -> bool:
    """Whoever had the job last. Where that told nothing, whoever had it before and knows that it
    did the change; and that nothing arrived, if it is the same agent, which began anew since."""
    agent, report = reported.agent, reported.report
    is_last = job.agent_id == agent.pk
    if is_last and job.fence == reported.fence:
        return True
    if job.state != State.DONE or job.outcome != "unknown":
        return False
    if job.connector_id != agent.connector_id or not 0 < reported.fence < job.fence:
        return False
    return report.outcome == "succeeded" or (is_last and report.cause == "not_applied")


def _is_in_journal(job: WritebackJob, report: Report) -> bool:
    """Whether the agent certainly wrote this job down: what it refused, only looked up, or found
    done by another it did not, and a journal is not put back because it lacks it."""
    return job.operation in CHANGES and report.outcome == "succeeded" and not report.reconciled


def tell_if_ended(together: Sequence[WritebackJob], now: datetime, changes: Changes) -> None:
    """Tells whoever asked, once no directory of the attempt is open any more."""
    if any(job.state != State.DONE for job in together):
        return
    job = together[0]
    job_finished.send(
        WritebackJob,
        tenant=job.tenant_id,
        purpose=job.purpose,
        origin=job.origin,
        attempt=job.attempt,
        jobs=together,
        now=now,
        changes=changes,
    )


def _apply(job: WritebackJob, report: Report, now: datetime, changes: Changes) -> None:
    job.outcome, job.cause = report.outcome, report.cause
    job.changed, job.unlocked = report.changed, report.unlocked
    job.reconciled, job.answer = report.reconciled, report.answer or ""
    job.controller = report.controller
    changes.update(job, "changed", "unlocked", "reconciled", "answer", "controller")
    if report.rules is not None:
        _note_description(job, report, now, changes)
    if report.changed and job.user_id is not None:
        changes.execute(*_LOOK_SOON.of(connector=job.connector_id, user=job.user_id))
    _end(job, now, changes)


def _note_description(job: WritebackJob, report: Report, now: datetime, changes: Changes) -> None:
    link = DirectoryLink.objects.filter(connector=job.connector_id, anchor=job.anchor).first()
    if link is None or report.rules is None:
        return
    person = dict(report.person or {})
    link.described = {"rules": rules_written(report.rules), "person": person}
    link.described_at = now
    ends = person.get("password_ends")
    link.password_ends = datetime.fromisoformat(ends) if ends else None
    link.look_at = now + DESCRIBED_FOR
    changes.update(link, "described", "described_at", "password_ends", "look_at")


def _settle_left(look: WritebackJob, report: Report, now: datetime) -> None:
    """A look at an account also tells what became of its jobs that nobody told of."""
    left = WritebackJob.objects.filter(
        connector=look.connector_id,
        anchor=look.anchor,
        outcome="unknown",
        operation__in=CHANGES,
        created_at__gt=now - ASKED_FOR,
    )
    for key in list(left.values_list("pk", flat=True)):
        together = lock_attempt(key, skip_locked=True)
        job = next((job for job in together if job.pk == key), None)
        if job is None or job.outcome != "unknown" or job.leased_until is None:
            continue
        changes = Changes()
        end = judge(
            job.operation,
            report.person or {},
            begun=job.created_at,
            closed=job.leased_until,
            now=now,
        )
        if end is None:
            _look_when_spread(job, now, changes)
        else:
            _apply(job, replace(end, controller=report.controller), now, changes)
            tell_if_ended(together, now, changes)
        changes.write()


def _look_when_spread(job: WritebackJob, now: datetime, changes: Changes) -> None:
    """A look in between tells nothing yet and puts the next one off: not beyond the moment when the
    account can tell."""
    if job.leased_until is None:
        return
    at = job.leased_until + SETTLES_AFTER + SPREADS_WITHIN
    if at > now:
        changes.execute(*_LOOK_LATER.of(connector=job.connector_id, anchor=job.anchor, at=at))


def finish_unsent(job: WritebackJob, cause: str, now: datetime, changes: Changes) -> None:
    """Ends a locked job that no agent holds: certainly nothing was changed."""
    job.outcome, job.cause = "failed", cause
    _end(job, now, changes)


def _end(job: WritebackJob, now: datetime, changes: Changes) -> None:
    job.state = State.DONE
    job.finished_at = now
    changes.update(job, "state", "outcome", "cause", "finished_at")
    changes.execute(*_PURGE.of(job=job.pk))
    if job.outcome == "unknown":
        _look_when_spread(job, now, changes)
    _record(job, now, changes)
    ring(job.pk)


_QUIET = frozenset({"describe", "sign_in"})


def _record(job: WritebackJob, now: datetime, changes: Changes) -> None:
    if job.purpose in _QUIET:
        return
    target = Party("user", job.user_id, job.user.user_id) if job.user is not None else None
    data: dict[str, object] = {
        "job": str(job.pk),
        "operation": job.operation,
        "outcome": job.outcome,
        "cause": job.cause,
        "connector": job.connector.name,
        "agent": job.agent.name if job.agent is not None else "",
        "reconciled": job.reconciled,
        "unlocked": job.unlocked,
    }
    event = audit.Event(
        event_type="writeback.finished",
        actor=WRITEBACK,
        target=target,
        result="success" if job.outcome == "succeeded" else "failure",
        reason=job.cause,
        data=data,
        reference=job.reference,
        correlation_id=job.origin,
        now=now,
    )
    audit.record_many([event], into=changes)


def finished(jobs: Sequence[WritebackJob]) -> list[Finished]:
    """The rows as the pure rule reads them."""
    return [Finished(j.outcome, j.cause, j.changed, j.unlocked) for j in jobs]  # type: ignore[arg-type]  # outcomes were checked when they came in


def sweep(now: datetime) -> int:
    """Ends what nobody took and what nobody reported; how many jobs.

    What was taken is never called "not changed": it is unknown, until its agent tells.
    """
    return sum(_sweep_tenant(tenant, now) for tenant in tenants_with_open_jobs())


def _sweep_tenant(tenant: UUID, now: datetime) -> int:
    with tenant_context(tenant):
        waiting = Q(state__in=[State.UNSIGNED, State.READY], created_at__lte=now - TAKEN_WITHIN)
        silent = Q(state=State.TAKEN, taken_at__lte=now - TOLD_WITHIN)
        late = list(WritebackJob.objects.filter(waiting | silent).values_list("pk", flat=True))
        return sum(_sweep_one(job, now) for job in late)


def _sweep_one(late: UUID, now: datetime) -> int:
    changes = Changes()
    together = lock_attempt(late, skip_locked=True)
    job = next((job for job in together if job.pk == late and job.state != State.DONE), None)
    if job is None:
        return 0
    if job.state != State.TAKEN:
        finish_unsent(job, "withdrawn", now, changes)
    elif job.taken_at is not None and job.taken_at <= now - TOLD_WITHIN:
        job.outcome, job.cause = "unknown", "no_answer"
        _end(job, now, changes)
    tell_if_ended(together, now, changes)
    changes.write()
    return 1


def forget_calls(now: datetime) -> int:
    """Removes nonces of calls whose time is over, codes that let nobody in any more, and jobs that
    only asked: every sign-in makes one."""
    return sum(_forget_tenant(tenant, now) for tenant in tenants_with_connectors())


def _forget_tenant(tenant: UUID, now: datetime) -> int:
    with tenant_context(tenant):
        calls = AgentCall.objects.filter(at__lt=now - KEPT_CALLS).delete()[0]
        codes = EnrolmentCode.objects.filter(expires_at__lt=now - KEPT_CODES).delete()[0]
        keys = AgentKey.objects.filter(ends__lt=now - KEPT_CODES).delete()[0]
        asked = WritebackJob.objects.filter(
            purpose__in=_QUIET, state=State.DONE, created_at__lt=now - KEPT_QUESTIONS
        )
        return int(calls + codes + keys + asked.delete()[0])
