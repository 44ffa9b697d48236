"""The signer: the one place where a job becomes an order that agents obey (R-21).

It runs as a process of its own with a key that is not in the database. It believes nothing that
others wrote: the envelope's keyed hash, the job's own row against the signed text, its age, and
what the job rests on, which the part of the product it comes from checks once more.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tenants import audit, heartbeat
from tenants.audit import Party
from tenants.bell import DIRECT, ring
from tenants.context import tenant_context
from tenants.lookup import tenants_with_unsigned_jobs
from tenants.together import Changes, Given, Reading

from ..jobs import State
from ..models import Agent, JobEnvelope, WritebackJob
from ..protocol import LIFETIME, Refused, read_job, sign_job
from ..sealing import as_told, is_own
from .attempts import lock_attempt
from .orders import NO_EVIDENCE, is_link_of
from .outcome import finish_unsent, tell_if_ended

log = structlog.get_logger(__name__)
SIGNER = Party("system", None, "signer")
SIGNED_WITHIN = timedelta(seconds=60)
CLAIM = 20

_ENVELOPES = Reading(
    lambda: (
        JobEnvelope.objects.filter(job=Given("job")),
        Agent.objects.filter(
            pk__in=JobEnvelope.objects.filter(job=Given("job")).values("agent")
        ).only("connector"),
    )
)

Grounds = Callable[[WritebackJob], bool]
_grounds: dict[str, Grounds] = {}


def register_grounds(purpose: str, check: Grounds) -> None:
    """What a job of this purpose rests on, checked in its tenant's context before it is signed."""
    _grounds[purpose] = check


def drain(key: Ed25519PrivateKey, now: datetime) -> int:
    """Signs what waits for it, tenant by tenant; how many jobs were judged."""
    heartbeat.beat(now, heartbeat.SIGNER)
    return sum(_drain_tenant(tenant, key, now) for tenant in tenants_with_unsigned_jobs())


def _drain_tenant(tenant: UUID, key: Ed25519PrivateKey, now: datetime) -> int:
    with tenant_context(tenant):
        rows = WritebackJob.objects.filter(state=State.UNSIGNED).order_by("created_at")
        return sum(_judge(job, key, now) for job in rows.values_list("pk", flat=True)[:CLAIM])


def _judge(unsigned: UUID, key: Ed25519PrivateKey, now: datetime) -> int:
    together = lock_attempt(unsigned, skip_locked=True)
    job = next((j for j in together if j.pk == unsigned and j.state == State.UNSIGNED), None)
    if job is None:
        return 0
    changes = Changes()
    _sign_or_refuse(job, key, now, changes)
    tell_if_ended(together, now, changes)
    changes.write()
    return 1


def _sign_or_refuse(
    job: WritebackJob, key: Ed25519PrivateKey, now: datetime, changes: Changes
) -> None:
    envelopes = _envelopes(job)
    cause = _objection(job, envelopes, now)
    if cause:
        log.error("job_not_signed", tenant=str(job.tenant_id), job=str(job.pk), cause=cause)
        data: dict[str, Any] = {"cause": cause, "purpose": job.purpose, "job": str(job.pk)}
        target = Party("user", job.user_id, "") if job.user_id is not None else None
        event = audit.Event(
            event_type="writeback.not_signed",
            actor=SIGNER,
            target=target,
            result="denied",
            reason=cause,
            data=data,
            reference=job.reference,
            now=now,
        )
        audit.record_many([event], into=changes)
        finish_unsent(job, "not_signed", now, changes)
        return
    for envelope in envelopes:
        envelope.signed = sign_job(bytes(envelope.text), bytes(envelope.sealed), key)
        changes.update(envelope, "signed")
    job.state = State.READY
    changes.update(job, "state")
    ring(job.connector_id)
    if job.connector.direct:
        ring(DIRECT)


def _envelopes(job: WritebackJob) -> list[JobEnvelope]:
    """Each with its agent."""
    envelopes, agents = _ENVELOPES.rows(job=job.pk)
    known = {agent.pk: agent for agent in agents}
    for envelope in envelopes:
        envelope.agent = known[envelope.agent_id]
    return envelopes


def _objection(job: WritebackJob, envelopes: list[JobEnvelope], now: datetime) -> str:
    """Why this is not signed; "" when it is."""
    if not timedelta(seconds=-5) <= now - job.created_at <= SIGNED_WITHIN:
        return "too_old"
    if job.expires_at > job.created_at + LIFETIME:
        return "lifetime"
    for envelope in envelopes:
        if not is_own(envelope):
            return "seal"
        if not _matches(job, envelope):
            return "text"
    check = _grounds.get(job.purpose)
    if check is None or not check(job):
        return "evidence"
    return ""


def _matches(job: WritebackJob, envelope: JobEnvelope) -> bool:
    """Whether the sealed text says what the row says: the row decides who is told what."""
    try:
        told = read_job(bytes(envelope.text))
    except Refused:
        return False
    return told == as_told(job, told.key) and envelope.agent.connector_id == job.connector_id


def evidence_of(*parts: bytes) -> bytes:
    """32 bytes over what a job rests on."""
    return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()


def rests_on_nothing(job: WritebackJob) -> bool:
    """Grounds of a job that changes nothing, about an account of its person's own."""
    return job.operation in {"verify", "describe"} and is_without_evidence(job)


def is_without_evidence(job: WritebackJob) -> bool:
    """Whether it claims no proofs, and is about an account of its person's own."""
    return bytes(job.evidence) == NO_EVIDENCE and is_link_of(job)


for _purpose in ("sign_in", "describe"):
    register_grounds(_purpose, rests_on_nothing)
