"""What an agent says of itself and its directory, every five minutes and when it changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from uuid import UUID

from tenants.context import tenant_context

from ..connectors.base import DirectoryRules, Trouble
from ..jobs import State
from ..models import Agent, AgentKey, Connector, WritebackJob
from ..reports import rules_written
from ..sealing import is_signed

DIRECTORY_STATES = frozenset({"ok", "unreachable", "misconfigured"})
TROUBLES = frozenset({"", *get_args(Trouble)})
MAX_KEYS = 4
KEY_LIFETIME = timedelta(hours=25)


class BadHeartbeat(ValueError):
    """What came is no heartbeat."""


@dataclass(frozen=True)
class OfferedKey:
    """A key of the day as its agent tells of it."""

    key: bytes
    begins: datetime
    ends: datetime
    signature: bytes


@dataclass(frozen=True)
class Heartbeat:
    """directory: one of `DIRECTORY_STATES`; trouble: why it is not ok; sequence: the highest the
    agent's journal knows; begun: in the first one of a process the jobs that its journal began and
    nobody knows the end of, later nothing.
    """

    version: str
    keys: Sequence[OfferedKey]
    directory: str
    trouble: str
    rules: DirectoryRules | None
    sequence: int
    journal_sound: bool
    begun: frozenset[UUID] | None = None


def take_heartbeat(agent: Agent, beat: Heartbeat, now: datetime) -> Mapping[str, Any]:
    """Keeps what was said; answers with what the agent has to know. Raises BadHeartbeat.

    A journal that does not reach what we had from it is one that was put back: the agent is told
    how far it has to reach, and we no longer call it sound.
    """
    with tenant_context(agent.tenant_id):
        _keep_keys(agent, beat.keys, now)
        reaches = beat.sequence >= agent.seen_sequence
        # Whoever changes a job and its agent takes the job first.
        if beat.begun is not None:
            _hand_back(agent, beat.begun, now)
        agent.version, agent.seen_at = beat.version, now
        agent.journal_sound = beat.journal_sound and reaches
        agent.save(update_fields=["version", "seen_at", "journal_sound"])
        note_directory(agent.connector_id, beat.directory, beat.trouble, beat.rules, now)
        return {"state": "active", "seen_sequence": agent.seen_sequence}


def note_directory(
    connector: UUID, state: str, trouble: str, rules: DirectoryRules | None, now: datetime
) -> None:
    """What was found out about a directory. In the tenant's context."""
    row = Connector.objects.select_for_update().get(pk=connector)
    row.directory_state, row.trouble, row.reported_at = state, trouble, now
    if rules is not None:
        row.rules = rules_written(rules)
    row.save(update_fields=["directory_state", "trouble", "rules", "reported_at"])


def _hand_back(agent: Agent, begun: frozenset[UUID], now: datetime) -> None:
    """An agent that starts holds nothing of what it took before but what its journal began: of the
    rest certainly nothing was sent, and the next one need not wait for the end of the lease."""
    held = WritebackJob.objects.filter(agent=agent, state=State.TAKEN, leased_until__gt=now)
    held.exclude(pk__in=begun).update(leased_until=now)


def _keep_keys(agent: Agent, keys: Sequence[OfferedKey], now: datetime) -> None:
    """Raises BadHeartbeat for a key that is not this agent's, or that is good for too long."""
    rows = []
    for offered in keys:
        row = AgentKey(
            agent=agent,
            key=offered.key,
            begins=offered.begins.astimezone(UTC),
            ends=offered.ends.astimezone(UTC),
            signature=offered.signature,
        )
        if not row.begins < row.ends <= row.begins + KEY_LIFETIME or not is_signed(agent, row):
            raise BadHeartbeat("key")
        if row.ends > now:
            rows.append(row)
    known = {
        bytes(key) for key in AgentKey.objects.filter(agent=agent).values_list("key", flat=True)
    }
    AgentKey.objects.bulk_create([row for row in rows if bytes(row.key) not in known])
    AgentKey.objects.filter(agent=agent).exclude(key__in=[row.key for row in rows]).delete()
