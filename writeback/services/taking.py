"""Handing a job to an agent: one at a time, with a lease and a fence that grows."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Case, IntegerField, OuterRef, Q, Subquery, Value, When

from tenants import audit
from tenants.together import Changes, Given, Reading

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


def _free() -> Any:
    agent = Given("agent")
    lost = Q(state=State.TAKEN, leased_until__lte=Given("now"), taken_at__gt=Given("since"))
    free = Q(state=State.READY) | lost & (~Q(agent=agent) | Q(leased_until__lte=Given("called_at")))
    rows = WritebackJob.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        free, connector=Given("connector"), expires_at__gt=Given("ends_after")
    )
    # One look for each job that waits, in an index; as a join it would be all by all.
    mine = JobEnvelope.objects.filter(job=OuterRef("pk"), agent=agent, signed__isnull=False)
    rows = rows.alias(mine=Subquery(mine.values("pk")[:1])).filter(mine__isnull=False)
    return rows.order_by(_PEOPLE_FIRST, "created_at")[:1]


_NEXT = Reading(lambda: (_free(),))
_ENVELOPE = Reading(
    lambda: (JobEnvelope.objects.filter(agent=Given("agent"), job=Given("job")).only("signed"),)
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
    an earlier one may be all that is left of an agent that sleeps or died. In the tenant's context.
    """
    found = _NEXT.rows(
        agent=agent.pk,
        connector=agent.connector_id,
        now=now,
        called_at=called_at,
        since=now - TOLD_WITHIN,
        ends_after=now + MARGIN,
    )
    job: WritebackJob | None = next(iter(found[0]), None)
    if job is None:
        return None
    [[envelope]] = _ENVELOPE.rows(agent=agent.pk, job=job.pk)
    again, changes = job.state == State.TAKEN, Changes()
    job.state, job.agent_id = State.TAKEN, agent.pk
    job.fence += 1
    job.taken_at = job.taken_at or now
    job.leased_until = now + LEASE
    changes.update(job, "state", "agent", "fence", "taken_at", "leased_until")
    if again:
        audit.record_many([_taken_over(job, agent, now)], into=changes)
    changes.write()
    signed = bytes(envelope.signed or b"")
    return Taken(job.pk, job.fence, int(LEASE.total_seconds()), signed)


def _taken_over(job: WritebackJob, agent: Agent, now: datetime) -> audit.Event:
    return audit.Event(
        event_type="writeback.taken_over",
        actor=WRITEBACK,
        data={"job": str(job.pk), "agent": agent.name, "fence": job.fence},
        reference=job.reference,
        correlation_id=job.origin,
        now=now,
    )
