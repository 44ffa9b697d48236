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
ANSWERING: frozenset[State] = frozenset({"healthy", "healthy_outdated", "unknown_outdated"})
"""States in which it is worth asking the directory."""
HEARTBEAT = timedelta(minutes=5)
FRESH_FOR = timedelta(seconds=75)
"""An agent that waits for jobs calls every 25 seconds; after three calls that did not come it is
not there, and nobody proves anything in vain."""
Version = tuple[int, ...]


@dataclass(frozen=True)
class AgentFacts:
    """version: of the agent; has_keys: a key that jobs can be sealed to; seen_at: its newest call,
    nothing when it never called; is_sound: its journal can be believed, so it sets passwords."""

    version: Version
    has_keys: bool
    seen_at: datetime | None
    is_sound: bool = True


@dataclass(frozen=True)
class Versions:
    """reports: the first that tells of its health; recommended: the first that is no old one."""

    reports: Version
    recommended: Version


def state_of(
    agents: Sequence[AgentFacts],
    versions: Versions,
    *,
    directory: str = "ok",
    is_faulty: bool,
    now: datetime,
) -> State:
    """The state of a directory with these agents; the best agent decides, because any may take a
    job.

    directory: what the agents say of it, `ok`, `unreachable` or `misconfigured` (the account they
    use was refused, or its certificate is not to be believed). is_faulty: our own side can't tell,
    so nothing is said about the agents.
    """
    # Keys end a day after an agent was last heard of: one that was here and is not has none.
    usable = [a for a in agents if a.is_sound and (a.has_keys or _went_away(a, now))]
    if usable and is_faulty:
        return "service_fault"
    if not usable or directory == "misconfigured":
        return "not_configured"
    return "disconnected" if directory == "unreachable" else _of_agents(usable, versions, now)


def _of_agents(usable: Sequence[AgentFacts], versions: Versions, now: datetime) -> State:
    fresh = [agent.version for agent in usable if _is_fresh(agent, now)]
    if fresh and max(fresh) >= versions.recommended:
        return "healthy"
    if fresh and max(fresh) >= versions.reports:
        return "healthy_outdated"
    if all(agent.version < versions.reports for agent in usable):
        return "unknown_outdated"
    return "disconnected"


def _went_away(agent: AgentFacts, now: datetime) -> bool:
    return agent.seen_at is not None and not _is_fresh(agent, now)


def _is_fresh(agent: AgentFacts, now: datetime) -> bool:
    return agent.seen_at is not None and now - agent.seen_at <= FRESH_FOR


_BEST_FIRST: tuple[State, ...] = (
    "healthy",
    "healthy_outdated",
    "unknown_outdated",
    "service_fault",
    "disconnected",
    "not_configured",
)


def worst(states: Sequence[State]) -> State:
    """The state of several directories that all have to do their part. At least one."""
    return max(states, key=_BEST_FIRST.index)
