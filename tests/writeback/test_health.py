"""The six states of a directory's connection."""

from datetime import UTC, datetime, timedelta

import pytest

from writeback.health import FRESH_FOR, AgentFacts, Versions, state_of

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
VERSIONS = Versions(reports=(1, 2), recommended=(2, 0))
JUST_FRESH = NOW - FRESH_FOR
STALE = JUST_FRESH - timedelta(seconds=1)


def agent(
    version: tuple[int, ...] = (2, 0), seen_at: datetime | None = NOW, *, has_keys: bool = True
) -> AgentFacts:
    return AgentFacts(version, has_keys, seen_at)


@pytest.mark.parametrize(
    ("agents", "is_faulty", "state"),
    [
        ([], False, "not_configured"),
        ([], True, "not_configured"),
        ([agent(has_keys=False)], False, "not_configured"),
        ([agent()], False, "healthy"),
        ([agent((2, 0, 1))], False, "healthy"),
        ([agent(seen_at=JUST_FRESH)], False, "healthy"),
        ([agent(seen_at=STALE)], False, "disconnected"),
        ([agent(seen_at=None)], False, "disconnected"),
        ([agent((1, 9))], False, "healthy_outdated"),
        ([agent((1, 2))], False, "healthy_outdated"),
        ([agent((1, 1))], False, "unknown_outdated"),
        ([agent((1, 1), STALE)], False, "unknown_outdated"),
        ([agent((1, 1)), agent((2, 0), STALE)], False, "disconnected"),
        ([agent((1, 9)), agent((2, 0))], False, "healthy"),
        ([agent((1, 9)), agent((2, 0), STALE)], False, "healthy_outdated"),
        ([agent((2, 0)), agent((3, 0), has_keys=False)], False, "healthy"),
        ([agent()], True, "service_fault"),
    ],
)
def test_the_best_agent_decides(agents: list[AgentFacts], is_faulty: bool, state: str) -> None:
    assert state_of(agents, VERSIONS, is_faulty=is_faulty, now=NOW) == state
