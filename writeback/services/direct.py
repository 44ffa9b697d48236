"""Directories that the product reaches itself: setting one up, trying it, and stopping."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from tenants import audit
from tenants.audit import Party
from tenants.bell import ring
from tenants.context import tenant_context
from tenants.invalid import refusal
from tenants.keys import SealBroken, binding, tenant_keys
from tenants.lookup import tenants_with_direct
from tenants.secret import Secret

from ..agent.probing import Health, probe
from ..connectors.base import Directory
from ..connectors.settings import SettingWrong
from ..direct_settings import (
    Allowed,
    DirectSettings,
    directory_from,
    hosts_read,
    places_read,
)
from ..models import Agent, Begun, Connector
from ..own import NAME, is_ours, keep_keys_of, public_identity
from ..places import Place
from ..sealing import agent_seal, is_canary
from .enrolment import put_out
from .heartbeats import note_directory

MISSING = "Write the password, secret or token of the account."
LOST = "The secret that is stored can't be opened. Write it anew."
NOT_DIRECT = "This directory is not reached directly."
_COLUMNS = ("direct", "settings", "secret", "directory_state", "trouble", "reported_at")
_AHEAD = timedelta(hours=1)


@dataclass(frozen=True)
class Reached:
    """A directory as it may be reached now. within: people are touched there alone."""

    directory: Directory = field(repr=False)
    places: tuple[Place, ...]
    wanted: DirectSettings


def allowed() -> Allowed:
    """What the operator allows, as it is set now."""
    return Allowed(hosts_read(settings.SSPR_DIRECT_HOSTS), settings.SSPR_DIRECT_TEST)


def set_direct(
    connector: Connector,
    wanted: DirectSettings,
    secret: Secret[str],
    *,
    by: Party,
    now: datetime,
) -> tuple[str, ...]:
    """From now on the product reaches this directory itself, in this way; returns the names of what
    was changed. secret: an empty one leaves the stored one as it is. Raises Invalid."""
    row = Connector.objects.select_for_update().get(pk=connector.pk)
    _check(row.kind, wanted)
    changed = _changed(row, wanted, secret)
    if not changed:
        return ()
    kept = secret if secret else _kept_secret(row)
    row.direct, row.settings = True, wanted.stored()
    row.secret = tenant_keys().seal(kept.reveal(), _bound_to(row))
    row.directory_state, row.trouble, row.reported_at = "", "", None
    row.save(update_fields=_COLUMNS)
    keep_keys_of(_own_agent(row, now), now)
    data = {"connector": row.name, "fields": list(changed)}
    audit.record("connector.direct_set", actor=by, data=data, now=now)
    return changed


def stop_direct(connector: Connector, reason: str, *, by: Party, now: datetime) -> None:
    """The product does not reach it any more; settings and secret are forgotten. Raises Invalid."""
    row = Connector.objects.select_for_update().get(pk=connector.pk)
    if not row.direct:
        raise refusal("", "not_direct", NOT_DIRECT)
    row.direct, row.settings, row.secret = False, {}, None
    row.directory_state, row.trouble, row.reported_at = "", "", None
    row.save(update_fields=_COLUMNS)
    for agent in Agent.objects.select_for_update(of=("self",)).filter(connector=row, own=True):
        put_out(agent, now)
    # Nobody looks into what was begun any more; agents find out by the account itself.
    unsettled = Begun.objects.filter(connector=row, settled_at=None)
    unsettled.update(settled_at=int(now.timestamp()))
    data = {"connector": row.name}
    audit.record("connector.direct_stopped", actor=by, reason=reason, data=data, now=now)
    ring(row.pk)


def try_direct(connector: Connector, now: datetime) -> Health:
    """Asks the directory now and keeps what was found. In the tenant's context."""
    health = look_at(connector)
    note_directory(connector.pk, health.state, health.trouble, health.rules, now)
    return health


def look_at(connector: Connector) -> Health:
    """How the directory is. In the tenant's context, where its settings are opened."""
    try:
        reached = reach(connector)
    except (SettingWrong, SealBroken):
        return Health("misconfigured", "configuration")
    return probe(reached.directory, canary_of(connector), reached.places)


def canary_of(connector: Connector) -> str:
    """The account on which rights are looked up; "" for none, or one that was written by hand."""
    return connector.canary if is_canary(connector) else ""


def reach(connector: Connector) -> Reached:
    """The directory, if it may be reached. In the tenant's context. Raises SettingWrong, and
    SealBroken for settings that this installation did not store."""
    wanted = DirectSettings.read(connector.settings)
    secret = _secret_of(connector)
    directory = directory_from(connector.kind, wanted.settings, secret, allowed())
    return Reached(directory, places_read(wanted.places), wanted)


def find_own_agents() -> list[Agent]:
    """The product's own agents in the tenant in force, of directories that it reaches itself."""
    rows = Agent.objects.filter(own=True, state=Agent.State.ACTIVE, connector__direct=True)
    found = rows.filter(tenant__active=True).select_related("connector")
    return [agent for agent in found if is_ours(agent)]


def keep_keys(now: datetime) -> int:
    """Sees that jobs can be sealed to every one of them today and tomorrow; how many keys are
    new."""
    return sum(_keep_keys(tenant, now) for tenant in tenants_with_direct(now + _AHEAD))


def _keep_keys(tenant: UUID, now: datetime) -> int:
    with tenant_context(tenant):
        return sum(keep_keys_of(agent, now) for agent in find_own_agents())


def _check(kind: str, wanted: DirectSettings) -> None:
    try:
        directory_from(kind, wanted.settings, lambda: "", allowed())
    except SettingWrong as wrong:
        told = wrong.fix if wrong.name == "settings" else f"{wrong.name}: {wrong.fix}"
        raise refusal("settings", "wrong", told) from None
    try:
        places_read(wanted.places)
    except SettingWrong as wrong:
        raise refusal("places", "wrong", wrong.fix) from None


def _changed(row: Connector, wanted: DirectSettings, secret: Secret[str]) -> tuple[str, ...]:
    stored = row.settings if row.direct else {}
    new = wanted.stored()
    changed = [each.name for each in fields(wanted) if stored.get(each.name) != new[each.name]]
    return (*changed, "secret") if secret else tuple(changed)


def _kept_secret(row: Connector) -> Secret[str]:
    if not row.direct:
        raise refusal("secret", "missing", MISSING)
    try:
        return Secret(_secret_of(row)())
    except SealBroken:
        raise refusal("secret", "lost", LOST) from None


def _secret_of(row: Connector) -> Callable[[], str]:
    """Opens the secret at each call; the way to do so is found out at once. Raises SealBroken."""
    keys, sealed, bound_to = tenant_keys(), bytes(row.secret or b""), _bound_to(row)
    keys.open_text(sealed, bound_to)
    return lambda: keys.open_text(sealed, bound_to).reveal()


def _bound_to(row: Connector) -> bytes:
    """The secret opens for these settings alone: written by hand, they would lead it elsewhere."""
    text = json.dumps(row.settings, sort_keys=True)
    return binding("direct directory", row.tenant_id, row.pk, row.kind, text)


def _own_agent(row: Connector, now: datetime) -> Agent:
    """The product's own agent of this directory, at work."""
    found: Agent | None = Agent.objects.filter(connector=row, own=True).first()
    agent = found or Agent(connector=row, own=True, enrolled_at=now)
    agent.tenant_id, agent.name = row.tenant_id, NAME
    agent.identity = public_identity(row.tenant_id, row.pk)
    agent.state, agent.confirmed_at, agent.revoked_at = Agent.State.ACTIVE, now, None
    agent.seal = agent_seal(agent)
    agent.save()
    return agent
