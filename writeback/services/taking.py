"""Handing a job to an agent: one at a time, with a lease and a fence that grows."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Case, IntegerField, Q, Value, When

from tenants import audit
from tenants.context import tenant_context

from ..jobs import LEASE, State
from ..models import Agent, JobEnvelope, WritebackJob
from ..outcomes import TOLD_WITHIN
from .outcome import WRITEBACK

MARGIN = timedelta(seconds=2)
_NOBODY_WAITS = Q(
    purpose__in=[WritebackJob.Purpose.DESCRIBE, WritebackJob.Purpose.DRILL], reference=""
)
# Sorts the few jobs that wait, so the index that finds them stays in use.
_PEOPLE_FIRST = Case(
    When(_NOBODY_WAITS, then=Value(1)), default=Value(0), output_field=IntegerField()
)


@dataclass(frozen=True)
class Taken:
    """A job in an agent's hands. lease: seconds within which it may write; envelope: as signed."""

    job: UUID
    fence: int
    lease: int
    envelope: bytes


def take(agent: Agent, now: datetime, called_at: datetime) -> Taken | None:
    """The oldest job of the agent's connector that nobody holds, now held by this agent; what
    people wait for comes before what the product asks by itself.

    A job whose holder was not heard of within its lease is handed on, as long as its time and the
    patience of the person who waits allow. To its holder only for a call that was made since:
    an earlier one may be all that is left of an agent that sleeps or died.
    """
    with tenant_context(agent.tenant_id):
        lost = Q(state=State.TAKEN, leased_until__lte=now, taken_at__gt=now - TOLD_WITHIN)
        free = Q(state=State.READY) | lost & (~Q(agent=agent) | Q(leased_until__lte=called_at))
        rows = WritebackJob.objects.select_for_update(skip_locked=True, of=("self",))
        mine = JobEnvelope.objects.filter(agent=agent, signed__isnull=False).values("job")
        open_jobs = rows.filter(
            free, connector=agent.connector_id, expires_at__gt=now + MARGIN, pk__in=mine
        )
        job: WritebackJob | None = open_jobs.order_by(_PEOPLE_FIRST, "created_at").first()
        if job is None:
            return None
        envelope = JobEnvelope.objects.get(job=job, agent=agent)
        again = job.state == State.TAKEN
        job.state, job.agent = State.TAKEN, agent
        job.fence += 1
        job.taken_at = job.taken_at or now
        job.leased_until = now + LEASE
        job.save(update_fields=["state", "agent", "fence", "taken_at", "leased_until"])
        if again:
            _record_again(job, agent, now)
        signed = bytes(envelope.signed or b"")
        return Taken(job.pk, job.fence, int(LEASE.total_seconds()), signed)


def _record_again(job: WritebackJob, agent: Agent, now: datetime) -> None:
    audit.record(
        "writeback.taken_over",
        actor=WRITEBACK,
        data={"job": str(job.pk), "agent": agent.name, "fence": job.fence},
        reference=job.reference,
        correlation_id=job.origin,
        now=now,
    )
