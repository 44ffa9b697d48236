"""Who calls: an agent is known by its own signature, whatever stands between it and us.

Time and nonce make a call good once. An agent that was revoked is refused at its next call.
"""

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import IntegrityError

from tenants.context import tenant_context
from tenants.lookup import find_tenant_of_agent
from tenants.models import Tenant
from tenants.together import Changes, Given, Reading

from ..models import Agent, AgentCall
from ..protocol import SKEW, request_text
from ..sealing import is_confirmed

Fault = Literal["unknown", "revoked", "signature", "clock_skew", "replayed", "pending"]
_NONCE = re.compile(r"[0-9a-f]{32}\Z")
_SEEN_AGAIN = 15.0
"""Seconds between two notes that an agent was seen."""
# The product itself has no need to call.
_CALLER = Reading(
    lambda: (Agent.objects.filter(pk=Given("agent"), own=False), Tenant.objects.all())
)


class Denied(Exception):
    """The call is nobody's. `fault` is told to the caller."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Fault = fault


@dataclass(frozen=True)
class Call:
    """A call as it arrived; the texts are the headers'."""

    method: str
    path: str
    body: bytes
    agent: str
    time: str
    nonce: str
    signature: str


def claim_time(call: Call, now: datetime) -> datetime:
    """When the caller says it is. Raises Denied when that is far from our own time."""
    if not _NONCE.match(call.nonce):
        raise Denied("signature")
    try:
        at = datetime.fromtimestamp(int(call.time), UTC)
    except (ValueError, OverflowError, OSError):
        raise Denied("signature") from None
    if abs(at - now) > SKEW:
        raise Denied("clock_skew")
    return at


def check_signature(call: Call, identity: bytes, at: datetime) -> None:
    """Raises Denied unless the holder of this identity made exactly this call."""
    text = request_text(call.method, call.path, call.body, at, call.nonce)
    try:
        signature = base64.b64decode(call.signature, validate=True)
        Ed25519PublicKey.from_public_bytes(identity).verify(signature, text)
    except (ValueError, InvalidSignature):
        raise Denied("signature") from None


@contextmanager
def calling(call: Call, now: datetime) -> Iterator[Agent]:
    """The agent that calls, in its tenant's context: one transaction with what it asks for.

    Raises Denied; nothing of the call was looked at then. A call whose transaction came to nothing
    was not made, and its nonce is as good as before.
    """
    try:
        claimed = UUID(call.agent)
    except ValueError:
        raise Denied("unknown") from None
    tenant = _tenant_of(claimed)
    at = claim_time(call, now)
    with tenant_context(tenant):
        agents, tenants = _CALLER.rows(agent=claimed)
        if not agents or not all(one.active for one in tenants):
            raise Denied("unknown")
        [agent] = agents
        check_signature(call, bytes(agent.identity), at)
        _check_state(agent)
        _spend(agent, call.nonce, now)
        yield agent
        _note_seen(agent, now)


@lru_cache(maxsize=4096)
def _tenant_of(agent: UUID) -> UUID:
    """An agent never changes its tenant, so a known one is not looked for again. Raises Denied."""
    tenant = find_tenant_of_agent(agent)
    if tenant is None:
        raise Denied("unknown")
    return tenant


def _check_state(agent: Agent) -> None:
    if agent.state == Agent.State.REVOKED:
        raise Denied("revoked")
    if agent.state == Agent.State.PENDING:
        raise Denied("pending")
    if not is_confirmed(agent):
        raise Denied("unknown")


def _spend(agent: Agent, nonce: str, now: datetime) -> None:
    changes = Changes()
    changes.add(AgentCall(agent_id=agent.pk, nonce=nonce, at=now))
    try:
        changes.write()
    except IntegrityError:
        raise Denied("replayed") from None


def _note_seen(agent: Agent, now: datetime) -> None:
    """Last of all: whoever changes a job and its agent takes the job first."""
    if agent.seen_at is None or (now - agent.seen_at).total_seconds() >= _SEEN_AGAIN:
        Agent.objects.filter(pk=agent.pk).update(seen_at=now)
