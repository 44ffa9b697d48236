"""How a tenant's directories stand: for the decision before a reset, and for administrators."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from accounts.models import User
from tenants.heartbeat import SIGNER, WORKER
from tenants.models import Heartbeat
from tenants.together import Given, Reading

from ..connectors.base import DirectoryRules
from ..health import AgentFacts, State, state_of, worst
from ..models import Agent, AgentKey, Connector, DirectoryLink
from ..reports import NotAReport, rules_read
from ..sealing import is_confirmed
from ..versions import VERSIONS, read_version

WORKING: frozenset[State] = frozenset({"healthy", "healthy_outdated"})
"""States in which a job is likely to be carried out."""
SILENT = timedelta(seconds=60)
"""A signer tells every ten seconds that it is at work."""


@dataclass(frozen=True)
class Standing:
    """A directory with its active agents as they are now."""

    connector: Connector
    agents: Sequence[Agent]
    state: State


_ALL = Reading(
    lambda: (
        Connector.objects.defer("settings", "secret"),
        Agent.objects.filter(state=Agent.State.ACTIVE),
        AgentKey.objects.only("agent", "begins", "ends"),
        Heartbeat.objects.filter(name__in=(SIGNER, WORKER)),
    )
)
_OF_PERSON = Reading(
    lambda: (
        DirectoryLink.objects.filter(user=Given("user")),
        Connector.objects.defer("settings", "secret"),
        Agent.objects.filter(state=Agent.State.ACTIVE),
        AgentKey.objects.only("agent", "begins", "ends"),
        Heartbeat.objects.filter(name__in=(SIGNER, WORKER)),
    )
)


def standings(now: datetime) -> list[Standing]:
    """Every directory of the tenant in force, the oldest first; one statement."""
    connectors, *facts = _ALL.rows()
    known = _Known(*facts)
    ordered = sorted(connectors, key=lambda row: row.created_at)
    return [_standing(row, known, now) for row in ordered]


def state_of_directory(connector: UUID, now: datetime) -> State:
    """The state of one directory of the tenant in force; `not_configured` for one that is gone."""
    found = [each.state for each in standings(now) if each.connector.pk == connector]
    return found[0] if found else "not_configured"


@dataclass(frozen=True)
class _Known:
    """What was read beside the directories. beats: the signer's and the worker's, where each was
    ever at work."""

    agents: Sequence[Agent]
    keys: Sequence[AgentKey]
    beats: Sequence[Heartbeat]

    def is_faulty(self, now: datetime) -> bool:
        """Nothing is signed, so no agent believes what it is handed."""
        signed_at = self.beat_of(SIGNER)
        return signed_at is None or now - signed_at > SILENT

    def facts(self, agent: Agent, now: datetime) -> AgentFacts:
        """The product itself is never outdated."""
        sealable = {key.agent_id for key in self.keys if key.begins <= now < key.ends}
        return AgentFacts(
            version=VERSIONS.recommended if agent.own else read_version(agent.version),
            has_keys=agent.pk in sealable,
            seen_at=agent.seen_at,
            is_sound=agent.journal_sound,
        )

    def beat_of(self, name: str) -> datetime | None:
        return next((beat.beat_at for beat in self.beats if beat.name == name), None)


def _standing(connector: Connector, known: _Known, now: datetime) -> Standing:
    own = [row for row in known.agents if row.connector_id == connector.pk and is_confirmed(row)]
    for agent in own:
        if agent.own:
            # The product does not call itself; its worker tells that it is there.
            agent.seen_at = known.beat_of(WORKER)
    facts = [known.facts(agent, now) for agent in own]
    directory = connector.directory_state or "ok"
    is_faulty = known.is_faulty(now)
    state = state_of(facts, VERSIONS, directory=directory, is_faulty=is_faulty, now=now)
    return Standing(connector, sorted(own, key=lambda row: row.enrolled_at), state)


def state_for(user: User, now: datetime) -> State:
    """The worst state of the directories that keep this person's password: a reset goes to all of
    them. Somebody whose directory is not known, or is switched off, has none that is configured.

    One statement; works in `tenant_reading` too.
    """
    links, connectors, *facts = _OF_PERSON.rows(user=user.pk)
    known = _Known(*facts)
    by_id = {row.pk: row for row in connectors}
    own = [by_id[link.connector_id] for link in links]
    if not own or not all(connector.enabled for connector in own):
        return "not_configured"
    return worst([_standing(row, known, now).state for row in own])


_RULES = Reading(
    lambda: (
        DirectoryLink.objects.filter(user=Given("user")),
        Connector.objects.defer("settings", "secret"),
    )
)


def rules_for(user: User) -> list[DirectoryRules]:
    """What is known of the rules of this person's directories: their own, where they were looked
    at, else the directory's. Works in `tenant_reading` too."""
    links, connectors = _RULES.rows(user=user.pk)
    by_id = {row.pk: row for row in connectors}
    found = [_rules_of(link, by_id[link.connector_id]) for link in links]
    return [rules for rules in found if rules is not None]


def _rules_of(link: DirectoryLink, connector: Connector) -> DirectoryRules | None:
    described = link.described or {}
    try:
        return rules_read(described.get("rules") or connector.rules)
    except NotAReport:
        # Written by another version of the product.
        return None
