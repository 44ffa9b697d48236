"""Starting a journey: who is meant, may they, and what does everybody else see."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.contacts import find_value
from accounts.identifiers import canonical, find_domain
from accounts.methods.registry import METHODS
from accounts.models import ContactPoint, User
from accounts.people import Belongings, find_belongings, find_user, guest_lookup
from tenants import audit
from tenants.context import tenant_context
from tenants.counters import Blocked, Count, count_up, find_block
from tenants.keys import binding, tenant_keys
from tenants.limits import FLOW_LIFETIME, LIMITS
from tenants.lookup import find_tenant, tenants_of_guest
from tenants.policy import STRONGEST_FIRST
from tenants.reference import new_reference
from tenants.services import get_platform

from ..eligibility import HOME_TENANT, LOCKED_OUT, Decision
from ..facts import Assessment, Situation, assess, person_key, read_situation
from ..flow import Event as Step
from ..flow import State
from ..models import Flow
from .common import Handle, Origin, event, move, new_secret, secret_hash, standing_of
from .notices import hint_unregistered
from .proofs import begin_without_choice

MAX_TYPED = 320


@dataclass(frozen=True)
class HandOver:
    """A partner guest, on the way to the home tenant."""

    home: str
    user_id: str


@dataclass(frozen=True)
class Started:
    """What came of a start: a journey, a limit, or the question which organisation is meant.

    partner: a step in between, when somebody's home tenant has to decide.
    """

    handle: Handle | None = None
    blocked: Blocked | None = None
    ask_organisation: bool = False
    partner: HandOver | None = None


def start(
    typed: str, *, host_tenant: UUID | None, organisation: str, origin: Origin, now: datetime
) -> Started:
    """Begins a journey for a user ID, existing or not, after the captcha."""
    wanted = canonical(typed)[:MAX_TYPED]
    blocked = _count_address(wanted, origin, now)
    if blocked is not None:
        return Started(blocked=blocked)
    tenant = _locate(wanted, host_tenant, organisation)
    if tenant is None:
        return Started(ask_organisation=True)
    started = _start_in(tenant, wanted, origin, now, hand_over=True)
    if started.partner is None:
        return started
    home = find_tenant(slug=started.partner.home) if started.partner.home else None
    if home is None or home == tenant:
        return _start_in(tenant, wanted, origin, now, hand_over=False)
    return _start_in(home, started.partner.user_id, origin, now, hand_over=False)


def _count_address(wanted: str, origin: Origin, now: datetime) -> Blocked | None:
    """Starts and different people of one network address, over all tenants (committed at once)."""
    address = origin.address or "none"
    here = f"{address} {wanted}"
    with transaction.atomic():
        seen = count_up([Count(LIMITS["person_at_address"], here)], now).blocked is not None
        limits = ["starts_by_address", "starts_by_address_hour"]
        if not seen:
            limits.append("people_by_address")
        return count_up([Count(LIMITS[name], address) for name in limits], now).blocked


def _locate(wanted: str, host_tenant: UUID | None, organisation: str) -> UUID | None:
    """The tenant that is meant; nothing when the organisation has to be asked for.

    A tenant's own host decides alone. On the shared host the domain of the user ID does, then the
    registered emails of guests. Somebody nobody knows belongs to the installation itself.
    """
    if host_tenant is not None:
        return host_tenant
    domain = find_domain(wanted)
    owner = find_tenant(domain=domain) if domain else None
    if owner is not None:
        return owner
    knowing = tenants_of_guest(guest_lookup(wanted)) if "@" in wanted and wanted.isascii() else []
    if organisation:
        named = find_organisation(organisation)
        return named if named in knowing else get_platform()
    if len(knowing) > 1:
        return None
    return knowing[0] if knowing else get_platform()


def find_organisation(typed: str) -> UUID | None:
    """The tenant of a web address, domain or short name, as somebody writes it."""
    text = typed.strip().lower().removeprefix("https://").removeprefix("http://").strip("/ @")
    if not text.isascii() or not text or len(text) > 253 or "\x00" in text:
        return None
    for kind in ("host", "domain", "slug"):
        found = find_tenant(**{kind: text})
        if found is not None:
            return found
    return None


def _start_in(
    tenant: UUID, wanted: str, origin: Origin, now: datetime, *, hand_over: bool
) -> Started:
    with tenant_context(tenant):
        situation = read_situation(now)
        user = find_user(wanted)
        own = find_belongings(user)
        if own is not None and own.user.origin == User.Origin.PARTNER and hand_over:
            return Started(partner=_hand_over(own))
        key = person_key(user.user_id if user is not None else wanted)
        over = count_up([situation.count("starts_by_person", key.hex())], now).blocked
        if over is not None:
            return Started(blocked=over)
        locks = [situation.count(n, key.hex()) for n in ("failed_proofs", "reset_attempts")]
        lock = find_block(locks, now)
        assessment = assess(situation, own, locked_until=lock.until if lock else None)
        opening = _Opening(situation, own, assessment, key, lock, wanted)
        return Started(handle=_open(opening, origin, now))


def _hand_over(own: Belongings) -> HandOver:
    contact = own.contacts.get(ContactPoint.Kind.ALTERNATE_EMAIL)
    address = find_value(contact) if contact is not None else None
    return HandOver(own.user.home, canonical(address or ""))


@dataclass(frozen=True)
class _Opening:
    situation: Situation
    own: Belongings | None
    assessment: Assessment
    key: bytes
    lock: Blocked | None
    typed: str


def _open(opening: _Opening, origin: Origin, now: datetime) -> Handle:
    """Writes the row, its audit events and, in concealed mode, one message real or not."""
    situation, decision = opening.situation, opening.assessment.decision
    platform = situation.tenant.platform
    concealed = situation.concealed and not platform
    secret = new_secret()
    user = opening.own.user if opening.own is not None else None
    flow = Flow(
        secret_hash=secret_hash(secret),
        reference=new_reference(secrets.choice),
        # In concealed mode somebody who may not reset walks the decoy: nobody's journey.
        user=user if decision.allowed or not concealed else None,
        person_key=opening.key,
        user_id_typed=b"",
        state=State.STARTED,
        reason=decision.reason or "",
        policy=decision.policy,
        policy_version=situation.policy.version if situation.policy is not None else 0,
        gates_required=_gates_shown(situation, decision, concealed=concealed),
        methods=list(_methods_shown(situation, decision, concealed=concealed)),
        concealed=concealed,
        language=origin.language,
        address=origin.address,
        started_at=now,
        expires_at=now + FLOW_LIFETIME,
    )
    flow.tenant_id = situation.tenant.pk
    flow.user_id_typed = tenant_keys().seal(opening.typed, binding("typed", flow.pk))
    _first_step(flow, decision, opening.lock, now)
    flow.save(force_insert=True)
    audit.record_many(_opening_events(flow, decision, now))
    if flow.state == State.PROVING:
        begin_without_choice(standing_of(flow, situation), now)
    if concealed:
        hint_unregistered(situation, opening.own, decision, flow, now)
    return Handle(flow.tenant_id, flow.pk, secret)


def _first_step(flow: Flow, decision: Decision, lock: Blocked | None, now: datetime) -> None:
    if flow.concealed or decision.allowed:
        move(flow, Step.ADMIT)
    elif lock is not None:
        # The same for an ID that exists and one that does not: both are counted.
        flow.reason, flow.blocked_until, flow.finished_at = LOCKED_OUT, lock.until, now
        move(flow, Step.LOCK)
    else:
        flow.finished_at = now
        move(flow, Step.REFUSE)


def _opening_events(flow: Flow, decision: Decision, now: datetime) -> Sequence[audit.Event]:
    started = event(
        flow,
        "flow.started",
        now,
        data={
            "operation": flow.operation,
            "policy": flow.policy,
            "gates_required": flow.gates_required,
            "methods": list(flow.methods),
            "concealed": flow.concealed,
            "language": flow.language,
        },
    )
    if decision.allowed:
        shown = event(flow, "flow.options_presented", now, data={"methods": list(flow.methods)})
        return [started, shown]
    reason = flow.reason if decision.reason != HOME_TENANT else decision.home_reason or HOME_TENANT
    refused = event(
        flow,
        "flow.refused",
        now,
        result="failure",
        reason=reason,
        data={"reason": reason, "policy": flow.policy},
    )
    return [started, refused]


def _methods_shown(situation: Situation, decision: Decision, *, concealed: bool) -> Sequence[str]:
    """A person's own methods, or in concealed mode all the tenant's, the same for everybody."""
    if not concealed:
        return decision.methods if decision.allowed else ()
    return concealed_methods(situation)


def concealed_methods(situation: Situation) -> Sequence[str]:
    """What a concealing tenant shows to everybody: what it allows and this product can verify."""
    voice = situation.facts(synchronised=False).granted.voice
    return [
        method
        for method in STRONGEST_FIRST
        if method in situation.rules.methods
        and method in METHODS
        and (voice or method != "office_phone")
    ]


def _gates_shown(situation: Situation, decision: Decision, *, concealed: bool) -> int:
    if decision.allowed:
        return decision.gates_required
    return situation.rules.methods_required if concealed else 0
