"""Letting an agent in, and putting it out again.

A code of 128 bits is valid for 15 minutes and once. Whoever uses it is a pending agent that gets no
job: an administrator compares six words, which both sides make from the agent's key, and confirms.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from tenants import audit
from tenants.audit import Party
from tenants.bell import ring
from tenants.context import tenant_context
from tenants.lookup import find_tenant_of_enrolment

from ..models import Agent, AgentKey, Connector, EnrolmentCode, JobEnvelope
from ..sealing import agent_seal

CODE_LIFETIME = timedelta(minutes=15)
PREFIX = "sspr_enr_"
MAX_AGENTS = 20


class WrongState(Exception):
    """This agent is not where it would have to be for that."""


@dataclass(frozen=True)
class Newcomer:
    """What somebody who uses a code says of itself. identity: 32 bytes, whose holder it proved to
    be."""

    code: str
    identity: bytes
    name: str
    version: str


def make_code(connector: Connector, by: Party, now: datetime) -> str:
    """A code for one more agent of this connector; shown once, kept as a hash. In its context."""
    code = PREFIX + secrets.token_urlsafe(16)
    EnrolmentCode.objects.create(
        connector=connector,
        code_hash=_hash(code),
        made_by=by.label,
        expires_at=now + CODE_LIFETIME,
    )
    _record("agent.code_made", None, connector, by, now)
    return code


def enrol(newcomer: Newcomer, now: datetime) -> Agent | None:
    """A pending agent; nothing for a code that is wrong, used, or past. No tenant is in force."""
    code_hash = _hash(newcomer.code)
    tenant = find_tenant_of_enrolment(code_hash)
    if tenant is None:
        return None
    with tenant_context(tenant):
        used = EnrolmentCode.objects.filter(
            code_hash=code_hash, used_at=None, expires_at__gt=now
        ).update(used_at=now)
        if not used:
            return None
        code = EnrolmentCode.objects.select_related("connector").get(code_hash=code_hash)
        if Agent.objects.filter(identity=newcomer.identity).exists():
            return None
        agent: Agent = Agent.objects.create(
            connector=code.connector,
            name=newcomer.name,
            identity=newcomer.identity,
            version=newcomer.version,
            enrolled_at=now,
        )
        _record("agent.enrolled", agent, code.connector, Party("system", None, code.made_by), now)
        return agent


def confirm(agent: UUID, by: Party, now: datetime) -> Agent:
    """The words are the same on both sides. Raises WrongState. In the tenant's context."""
    with transaction.atomic():
        row = _lock(agent)
        if row.state != Agent.State.PENDING:
            raise WrongState
        active = Agent.objects.filter(connector=row.connector_id, state=Agent.State.ACTIVE).count()
        if active >= MAX_AGENTS:
            raise WrongState
        row.state, row.confirmed_at = Agent.State.ACTIVE, now
        row.seal = agent_seal(row)
        row.save(update_fields=["state", "confirmed_at", "seal"])
        _record("agent.confirmed", row, row.connector, by, now)
        return row


def revoke(agent: UUID, by: Party, now: datetime, reason: str = "") -> Agent:
    """Its next call is refused; what it held may be taken by others at once. Raises WrongState. In
    the tenant's context."""
    with transaction.atomic():
        row = _lock(agent)
        if row.state == Agent.State.REVOKED:
            raise WrongState
        put_out(row, now)
        _record("agent.revoked", row, row.connector, by, now, reason)
        ring(row.connector_id)
        return row


def put_out(agent: Agent, now: datetime) -> None:
    """Nothing is sealed to it any more, and what it held may be taken by others."""
    agent.state, agent.revoked_at, agent.seal = Agent.State.REVOKED, now, None
    agent.save(update_fields=["state", "revoked_at", "seal"])
    AgentKey.objects.filter(agent=agent).delete()
    JobEnvelope.objects.filter(agent=agent).delete()
    agent.jobs.exclude(state="done").update(leased_until=now)


def _lock(agent: UUID) -> Agent:
    """The product itself is none that is let in or put out here."""
    rows = Agent.objects.filter(own=False).select_related("connector")
    rows = rows.select_for_update(of=("self",))
    found: Agent | None = rows.filter(pk=agent).first()
    if found is None:
        raise WrongState
    return found


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()


def _record(
    event_type: str,
    agent: Agent | None,
    connector: Connector,
    by: Party,
    now: datetime,
    reason: str = "",
) -> None:
    audit.record(
        event_type,
        actor=by,
        reason=reason,
        data={"connector": connector.name, "agent": agent.name if agent is not None else ""},
        now=now,
    )
