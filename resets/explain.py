"""What would happen if this person tried to reset now. The same decision the portal makes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.contacts import find_value
from accounts.identifiers import canonical, find_domain
from accounts.models import ContactPoint, User
from accounts.people import Belongings, belongings_of, find_user, guest_lookup
from accounts.person_key import person_key
from tenants.context import tenant_context
from tenants.counters import find_block
from tenants.lookup import find_tenant, tenants_of_guest
from writeback.models import Connector
from writeback.services.orders import links_of
from writeback.services.states import standings, state_for

from .eligibility import HOME_TENANT, UNKNOWN_USER, Decision
from .facts import Situation, assess, read_situation

UNKNOWN = Decision(known=False, allowed=False, reason=UNKNOWN_USER)


class SeveralTenants(LookupError):
    """More than one tenant knows this guest; `slugs` names them to the operator."""

    def __init__(self, slugs: Sequence[str]) -> None:
        super().__init__(", ".join(slugs))
        self.slugs = slugs


def explain(user_id: str, *, tenant: UUID | None, now: datetime) -> dict[str, Any]:
    """The answer as JSON-ready values (design 5.1).

    `tenant` limits the look-up to one. Raises SeveralTenants for a guest several tenants know.
    """
    wanted = canonical(user_id)
    found = tenant or _locate(wanted)
    if found is None:
        return _answer(user_id, None, UNKNOWN, None)
    with tenant_context(found):
        situation = read_situation(now)
        user = find_user(wanted)
        own = belongings_of(user) if user is not None else None
        if own is None or own.user.origin != User.Origin.PARTNER:
            return _answer(user_id, situation, _decide(situation, own, now), user)
        home_slug, home_id = own.user.home, _registered_email(own)
    home = _home_decision(home_slug, home_id, found, now)
    with tenant_context(found):
        decision = assess(situation, own, home=home).decision
        return _answer(user_id, situation, decision, user)


def _locate(wanted: str) -> UUID | None:
    domain = find_domain(wanted)
    owner = find_tenant(domain=domain) if domain else None
    if owner is not None:
        return owner
    if "@" not in wanted or not wanted.isascii():
        return None
    knowing = tenants_of_guest(guest_lookup(wanted))
    if len(knowing) > 1:
        raise SeveralTenants(sorted(_slug(tenant) for tenant in knowing))
    return knowing[0] if knowing else None


def _slug(tenant: UUID) -> str:
    from tenants.models import Tenant

    with tenant_context(tenant):
        return Tenant.objects.get().slug


def _registered_email(own: Belongings) -> str:
    row = own.contacts.get(ContactPoint.Kind.ALTERNATE_EMAIL)
    return (find_value(row) if row is not None else None) or ""


def _decide(situation: Situation, own: Belongings | None, now: datetime) -> Decision:
    locked_until = None
    if own is not None:
        key = person_key(own.user.user_id).hex()
        locks = [situation.count(name, key) for name in ("failed_proofs", "reset_attempts")]
        block = find_block(locks, now)
        locked_until = block.until if block is not None else None
    return assess(situation, own, locked_until=locked_until).decision


def _home_decision(slug: str, user_id: str, guest_of: UUID, now: datetime) -> Decision | None:
    """The home tenant's own decision; a guest of a guest has none."""
    home = find_tenant(slug=slug) if slug else None
    if home is None or home == guest_of:
        return None
    with tenant_context(home):
        user = find_user(user_id)
        if user is not None and user.origin == User.Origin.PARTNER:
            return Decision(known=True, allowed=False, reason=HOME_TENANT)
        own = belongings_of(user) if user is not None else None
        return _decide(read_situation(now), own, now)


def _answer(
    user_id: str, situation: Situation | None, decision: Decision, user: User | None
) -> dict[str, Any]:
    notes = list(decision.notes)
    if decision.home_reason:
        notes.append(f"The home tenant refuses: {decision.home_reason}.")
    if decision.until is not None:
        notes.append(f"Too many tries. The lock ends at {decision.until.isoformat()}.")
    if user is not None and user.frozen_at is not None:
        notes.append('Frozen by a "this was not me" report.')
    state = decision.writeback
    if user is not None and situation is not None and user.source != User.Source.CLOUD:
        # As it is, whether the policy lets passwords be written there or not.
        state = state_for(user, situation.now)
        notes += _directories(user, situation.now)
    return {
        "user_id": user.user_id if user is not None else user_id,
        "tenant": situation.tenant.slug if situation is not None else None,
        "known": decision.known,
        "allowed": decision.allowed,
        "reason": decision.reason,
        "home_reason": decision.home_reason,
        "operations": list(decision.operations),
        "gates_required": decision.gates_required,
        "policy": decision.policy,
        "methods": list(dict.fromkeys(decision.methods)),
        "registered": list(decision.registered),
        "counted": decision.counted,
        "writeback": state,
        "next_step": decision.next_step,
        "until": decision.until.isoformat() if decision.until is not None else None,
        "notes": notes,
    }


def _directories(user: User, now: datetime) -> list[str]:
    """Where the password is kept, and how each of these directories stands."""
    links = {link.connector_id for link in links_of(user)}
    if not links:
        return ["No account of a directory is linked to this person."]
    own = [each for each in standings(now) if each.connector.pk in links]
    return [_directory(each.connector, each.state) for each in own]


def _directory(connector: Connector, state: str) -> str:
    if not connector.enabled:
        return f"Directory {connector.name}: writing is switched off."
    trouble = f" ({connector.trouble})" if connector.trouble else ""
    return f"Directory {connector.name}: {state.replace('_', ' ')}{trouble}."
