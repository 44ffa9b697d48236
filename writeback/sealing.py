"""Which agents a job is sealed to, and the keyed hashes that make rows believable.

Whoever can write to the database can write a row of an agent, a key of the day or an envelope;
nobody without the tenant's keys can make the hash that belongs to it (R-21).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from django.db.models import QuerySet
from django.utils.crypto import constant_time_compare

from tenants.keys import tenant_keys
from tenants.together import Given, Reading

from .models import Agent, AgentKey, Connector, DirectoryLink, JobEnvelope, WritebackJob
from .protocol import LIFETIME, Job, Operation, Passwords, key_id, key_text, seal_job


def agent_seal(agent: Agent) -> bytes:
    """What ties a confirmed identity to its agent and connector."""
    parts = (agent.tenant_id, agent.pk, agent.connector_id, bytes(agent.identity).hex())
    return tenant_keys().mac("writeback agent", *parts)


def is_confirmed(agent: Agent) -> bool:
    """Whether an administrator confirmed exactly this identity for this connector."""
    if agent.state != Agent.State.ACTIVE or agent.seal is None:
        return False
    return constant_time_compare(bytes(agent.seal).hex(), agent_seal(agent).hex())


def link_seal(link: DirectoryLink) -> bytes:
    parts = (link.tenant_id, link.user_id, link.connector_id, link.anchor)
    return tenant_keys().mac("directory link", *parts)


def is_linked(link: DirectoryLink) -> bool:
    """Whether this installation itself said that the account is this person's."""
    return constant_time_compare(bytes(link.seal).hex(), link_seal(link).hex())


def canary_seal(connector: Connector) -> bytes:
    """What ties a directory to the account that drills reset there."""
    parts = (connector.tenant_id, connector.pk, connector.canary)
    return tenant_keys().mac("writeback canary", *parts)


def is_canary(connector: Connector) -> bool:
    """Whether this installation itself said that drills may reset the account."""
    if not connector.canary or connector.canary_seal is None:
        return False
    return constant_time_compare(bytes(connector.canary_seal).hex(), canary_seal(connector).hex())


def key_holds(agent: Agent, row: AgentKey, now: datetime) -> bool:
    """Whether jobs may be sealed to this key now: in its time, and signed by its agent."""
    return row.begins <= now < row.ends and is_signed(agent, row)


def is_signed(agent: Agent, row: AgentKey) -> bool:
    identity = Ed25519PublicKey.from_public_bytes(bytes(agent.identity))
    text = key_text(agent.pk, bytes(row.key), row.begins.astimezone(UTC), row.ends.astimezone(UTC))
    try:
        identity.verify(bytes(row.signature), text)
    except InvalidSignature:
        return False
    return True


def _active() -> QuerySet[Agent]:
    return Agent.objects.filter(connector=Given("connector"), state=Agent.State.ACTIVE)


_RECIPIENTS = Reading(
    lambda: (
        _active(),
        AgentKey.objects.filter(
            agent__in=_active().values("pk"), begins__lte=Given("now"), ends__gt=Given("now")
        ),
    )
)


def find_recipients(connector: UUID, now: datetime) -> list[tuple[Agent, X25519PublicKey]]:
    """The confirmed agents of a connector, each with its newest key that holds."""
    active, keys = _RECIPIENTS.rows(connector=connector, now=now)
    agents = {agent.pk: agent for agent in active if is_confirmed(agent)}
    found: dict[UUID, tuple[Agent, X25519PublicKey]] = {}
    for row in sorted(keys, key=lambda key: key.begins):
        agent = agents.get(row.agent_id)
        if agent is not None and key_holds(agent, row, now):
            found[agent.pk] = (agent, X25519PublicKey.from_public_bytes(bytes(row.key)))
    return list(found.values())


@dataclass(frozen=True)
class Sealing:
    """A job and what it carries in secret, on its way to several agents."""

    job: WritebackJob
    passwords: Passwords


def envelopes(
    sealing: Sealing, recipients: Sequence[tuple[Agent, X25519PublicKey]]
) -> list[JobEnvelope]:
    """One envelope an agent, sealed and not yet signed."""
    return [_envelope(sealing, agent, key) for agent, key in recipients]


def _envelope(sealing: Sealing, agent: Agent, key: X25519PublicKey) -> JobEnvelope:
    row = sealing.job
    described = as_told(row, key_id(key))
    text, sealed = described.text(), seal_job(described, sealing.passwords, key)
    envelope = JobEnvelope(tenant_id=row.tenant_id, job=row, agent=agent, text=text, sealed=sealed)
    envelope.seal = envelope_seal(envelope)
    return envelope


def as_told(row: WritebackJob, key: str) -> Job:
    """The job as its agent is told it."""
    return Job(
        id=row.pk,
        tenant=row.tenant_id,
        group=row.connector_id,
        anchor=row.anchor,
        operation=cast(Operation, row.operation),
        evidence=bytes(row.evidence),
        not_before=row.created_at.replace(microsecond=0),
        expires=row.created_at.replace(microsecond=0) + LIFETIME,
        sequence=row.sequence,
        key=key,
        must_change=row.must_change,
    )


def envelope_seal(envelope: JobEnvelope) -> bytes:
    text = hashlib.sha256(bytes(envelope.text)).hexdigest()
    sealed = hashlib.sha256(bytes(envelope.sealed)).hexdigest()
    parts = (envelope.tenant_id, envelope.job_id, envelope.agent_id, text, sealed)
    return tenant_keys().mac("writeback envelope", *parts)


def is_own(envelope: JobEnvelope) -> bool:
    """Whether a process of this installation sealed it, with exactly this text."""
    return constant_time_compare(bytes(envelope.seal).hex(), envelope_seal(envelope).hex())
