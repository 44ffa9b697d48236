"""PURE. The connectivity state of a tenant's directory: six of them, as Entra tells them
(concept-sspr-writeback, "writeback client status")."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

State = Literal[
    "healthy",
    "healthy_outdated",
    "unknown_outdated",
    "disconnected",
    "not_configured",
    "service_fault",
]
HEARTBEAT = timedelta(minutes=5)
FRESH_FOR = 2 * HEARTBEAT
Version = tuple[int, ...]


@dataclass(frozen=True)
class AgentFacts:
    """version: of the agent; has_keys: a key that jobs can be sealed to; seen_at: its newest call,
    nothing when it never called."""

    version: Version
    has_keys: bool
    seen_at: datetime | None


@dataclass(frozen=True)
class Versions:
    """reports: the first that tells of its health; recommended: the first that is no old one."""

    reports: Version
    recommended: Version


def state_of(
    agents: Sequence[AgentFacts], versions: Versions, *, is_faulty: bool, now: datetime
) -> State:
    """The state of a tenant with these agents; the best agent decides, because any may take a job.

    is_faulty: our own side can't tell, so nothing is said about the agents.
    """
    usable = [agent for agent in agents if agent.has_keys]
    if not usable:
        return "not_configured"
    if is_faulty:
        return "service_fault"
    fresh = [agent.version for agent in usable if _is_fresh(agent, now)]
    if fresh and max(fresh) >= versions.recommended:
        return "healthy"
    if fresh and max(fresh) >= versions.reports:
        return "healthy_outdated"
    if all(agent.version < versions.reports for agent in usable):
        return "unknown_outdated"
    return "disconnected"


def _is_fresh(agent: AgentFacts, now: datetime) -> bool:
    return agent.seen_at is not None and now - agent.seen_at <= FRESH_FOR


def state_of_tenant() -> State:
    """No connector can be enrolled yet, so every tenant's writeback is not configured."""
    return "not_configured"
