"""How a tenant's directories stand: for the decision before a reset, and for administrators."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.models import User
from tenants.together import Given, Reading

from ..connectors.base import DirectoryRules
from ..health import AgentFacts, State, state_of, worst
from ..models import Agent, AgentKey, Connector, DirectoryLink
from ..reports import NotAReport, rules_read
from ..sealing import is_confirmed
from ..versions import VERSIONS, read_version

WORKING: frozenset[State] = frozenset({"healthy", "healthy_outdated"})
"""States in which a job is likely to be carried out."""


@dataclass(frozen=True)
class Standing:
    """A directory with its active agents as they are now."""

    connector: Connector
    agents: Sequence[Agent]
    state: State


_ALL = Reading(
    lambda: (
        Connector.objects.all(),
        Agent.objects.filter(state=Agent.State.ACTIVE),
        AgentKey.objects.only("agent", "begins", "ends"),
    )
)
_OF_PERSON = Reading(
    lambda: (
        DirectoryLink.objects.filter(user=Given("user")),
        Connector.objects.all(),
        Agent.objects.filter(state=Agent.State.ACTIVE),
        AgentKey.objects.only("agent", "begins", "ends"),
    )
)


def standings(now: datetime) -> list[Standing]:
    """Every directory of the tenant in force, the oldest first; one statement."""
    connectors, agents, keys = _ALL.rows()
    ordered = sorted(connectors, key=lambda row: row.created_at)
    return [_standing(row, agents, keys, now) for row in ordered]


def state_of_directory(connector: UUID, now: datetime) -> State:
    """The state of one directory of the tenant in force; `not_configured` for one that is gone."""
    found = [each.state for each in standings(now) if each.connector.pk == connector]
    return found[0] if found else "not_configured"


def _standing(
    connector: Connector, agents: Sequence[Agent], keys: Sequence[AgentKey], now: datetime
) -> Standing:
    own = [row for row in agents if row.connector_id == connector.pk and is_confirmed(row)]
    sealable = {key.agent_id for key in keys if key.begins <= now < key.ends}
    facts = [_facts(agent, sealable) for agent in own]
    directory = connector.directory_state or "ok"
    state = state_of(facts, VERSIONS, directory=directory, is_faulty=False, now=now)
    return Standing(connector, sorted(own, key=lambda row: row.enrolled_at), state)


def _facts(agent: Agent, sealable: set[UUID]) -> AgentFacts:
    return AgentFacts(
        version=read_version(agent.version),
        has_keys=agent.pk in sealable,
        seen_at=agent.seen_at,
        is_sound=agent.journal_sound,
    )


def state_for(user: User, now: datetime) -> State:
    """The worst state of the directories that keep this person's password: a reset goes to all of
    them. Somebody whose directory is not known, or is switched off, has none that is configured.

    One statement; works in `tenant_reading` too.
    """
    links, connectors, agents, keys = _OF_PERSON.rows(user=user.pk)
    by_id = {row.pk: row for row in connectors}
    own = [by_id[link.connector_id] for link in links]
    if not own or not all(connector.enabled for connector in own):
        return "not_configured"
    return worst([_standing(row, agents, keys, now).state for row in own])


_RULES = Reading(
    lambda: (DirectoryLink.objects.filter(user=Given("user")), Connector.objects.all())
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
