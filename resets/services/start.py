"""Starting a journey: who is meant, may they, and what does everybody else see."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

from django.db import transaction

from accounts.contacts import find_value
from accounts.identifiers import canonical
from accounts.models import ContactPoint, User
from accounts.people import (
    Belongings,
    belongings_from,
    belongings_rows,
    meaning,
    meant_person,
    meant_rows,
)
from accounts.person_key import person_key
from tenants import audit
from tenants.context import tenant_context, tenant_reading
from tenants.counters import Blocked, Count, Counted, count_down, count_up, forget
from tenants.keys import binding, tenant_keys
from tenants.limits import FLOW_LIFETIME, LIMITS
from tenants.lookup import find_tenant
from tenants.models import Tenant
from tenants.reference import new_reference
from tenants.together import Changes, Reading
from writeback.policy_knowledge import synchronised_rows

from ..eligibility import HOME_TENANT, LOCKED_OUT, Decision
from ..facts import Assessment, Situation, assess, read_situation
from ..flow import Event as Step
from ..flow import State
from ..models import REHEARSAL, RESET, Flow
from .challenges import begin_without_choice, concealed_methods
from .common import (
    Handle,
    NoFlow,
    Origin,
    event,
    move,
    new_secret,
    secret_hash,
    step_in,
    until_of,
)
from .guessing import judge_start, watched_at_start
from .meant import find_meant
from .notices import hint_unregistered
from .standing import Standing

MAX_TYPED = 320


@dataclass(frozen=True)
class HandOver:
    """A partner guest, on the way to the home tenant."""

    home: str
    user_id: str


@dataclass(frozen=True)
class Started:
    """What came of a start: a journey, a limit, or the question which organisation is meant.

    partner: a step in between, when somebody's home tenant has to decide. harder: the same once
    more, with the harder captcha.
    """

    handle: Handle | None = None
    blocked: Blocked | None = None
    ask_organisation: bool = False
    partner: HandOver | None = None
    harder: bool = False


@dataclass(frozen=True)
class _Request:
    """What came with a start; hard: after the harder captcha."""

    origin: Origin
    now: datetime
    hard: bool
    operation: str = RESET


def rehearse(user: User, *, origin: Origin, now: datetime) -> Started:
    """Begins a rehearsal for somebody who is signed in, which takes no captcha."""
    request = _Request(origin, now, hard=True, operation=REHEARSAL)
    return _start_in(user.tenant_id, user.user_id, request, hand_over=False)


def start(
    typed: str,
    *,
    host_tenant: UUID | None,
    organisation: str,
    origin: Origin,
    now: datetime,
    hard: bool = False,
) -> Started:
    """Begins a journey for a user ID, existing or not, after the captcha, `hard` or not."""
    request = _Request(origin, now, hard)
    wanted = canonical(typed)[:MAX_TYPED]
    tenant = find_meant(wanted, host_tenant, organisation)
    if tenant is None:
        blocked = _count_asking(origin, now)
        return Started(blocked=blocked, ask_organisation=blocked is None)
    started = _start_in(tenant, wanted, request, hand_over=True)
    if started.partner is None:
        return started
    home = find_tenant(slug=started.partner.home) if started.partner.home else None
    if home is None or home == tenant:
        return _start_in(tenant, wanted, request, hand_over=False)
    return _start_in(home, started.partner.user_id, request, hand_over=False)


def _count_asking(origin: Origin, now: datetime) -> Blocked | None:
    """Somebody who has to name the organisation first is counted for that, too."""
    address = origin.address or "none"
    names = ("starts_by_address", "starts_by_address_hour")
    with transaction.atomic():
        return count_up([Count(LIMITS[name], address) for name in names], now).blocked


def _start_in(tenant: UUID, wanted: str, request: _Request, *, hand_over: bool) -> Started:
    now = request.now
    with tenant_reading(tenant):
        arrival = _read(wanted, request)
        own = arrival.own
        if own is not None and own.user.origin == User.Origin.PARTNER and hand_over:
            return Started(partner=_hand_over(own))
    with tenant_context(tenant):
        watching = watched_at_start(arrival.situation, arrival.key)
        counted = count_up(arrival.counts(), now, watching=watching, ends=True)
    # What was counted stays counted, whatever becomes of the journey.
    with step_in(tenant) as changes:
        return _judge(arrival, counted, now, changes)


def _judge(arrival: "_Arrival", counted: Counted, now: datetime, changes: Changes) -> Started:
    blocked = _blocked(arrival, counted, changes)
    if blocked is not None:
        return Started(blocked=blocked)
    lock, harder = judge_start(counted, hard=arrival.request.hard)
    if harder:
        # It was none yet.
        count_down(arrival.own_counts(), into=changes)
        return Started(harder=True)
    hinted = "hints" in {block.limit.name for block in counted.over}
    return Started(handle=_open(_Opening(arrival, lock, hinted), now, changes))


@dataclass(frozen=True)
class _Arrival:
    """Who is meant, as they are on file now, and where they come from."""

    situation: Situation
    own: Belongings | None
    synchronised: bool
    typed: str
    request: _Request

    @property
    def origin(self) -> Origin:
        return self.request.origin

    @cached_property
    def key(self) -> bytes:
        return person_key(self.own.user.user_id if self.own is not None else self.typed)

    @property
    def concealed(self) -> bool:
        """Whether what is true is hidden: not from somebody who is signed in."""
        known = self.situation.tenant.platform or self.request.operation == REHEARSAL
        return self.situation.concealed and not known

    def counts(self) -> list[Count]:
        """Starts and different people of one network address, over all tenants; starts of one
        person; in concealed mode, whether today's hint went out."""
        address = self.origin.address or "none"
        names = ("starts_by_address", "starts_by_address_hour", "people_by_address")
        return [
            Count(LIMITS["person_at_address"], self.here),
            *(Count(LIMITS[name], address) for name in names),
            *self.own_counts(),
        ]

    def own_counts(self) -> list[Count]:
        names = ["starts_by_person", *(["hints"] if self.concealed else [])]
        return [self.situation.count(name, self.key.hex()) for name in names]

    @property
    def here(self) -> str:
        return f"{self.origin.address or 'none'} {self.typed}"


_ARRIVING = Reading(
    lambda: (
        Tenant.objects.all(),
        meant_rows(),
        *belongings_rows(user=meant_person()),
        synchronised_rows(),
    )
)


def _read(wanted: str, request: _Request) -> _Arrival:
    """Everything about the person with one statement. Raises NoFlow for a suspended tenant."""
    found = _ARRIVING.rows(**meaning(wanted))
    tenants, users, *belongings, synchronised = found
    if not (tenants and tenants[0].active):
        raise NoFlow
    user = next(iter(users), None)
    own = belongings_from(user, *belongings) if user is not None else None
    situation = read_situation(request.now, tenants[0])
    return _Arrival(situation, own, bool(synchronised), wanted, request)


def _blocked(arrival: _Arrival, counted: Counted, changes: Changes) -> Blocked | None:
    """The limit that refuses this start. Somebody who was here before is nobody new."""
    over = {block.limit.name: block for block in counted.over}
    over.pop("hints", None)
    people = Count(LIMITS["people_by_address"], arrival.origin.address or "none")
    if over.pop("person_at_address", None) is not None:
        over.pop("people_by_address", None)
        count_down([people], into=changes)
    elif over:
        # A start that was refused does not make this person known here.
        forget([Count(LIMITS["person_at_address"], arrival.here)], into=changes)
        if "people_by_address" not in over:
            count_down([people], into=changes)
    return max(over.values(), key=lambda block: block.until, default=None)


def _hand_over(own: Belongings) -> HandOver:
    contact = own.contacts.get(ContactPoint.Kind.ALTERNATE_EMAIL)
    address = find_value(contact) if contact is not None else None
    return HandOver(own.user.home, canonical(address or ""))


@dataclass(frozen=True)
class _Opening:
    """An arrival that may begin a journey. lock: too many tries before; hinted: today's hint is
    out."""

    arrival: _Arrival
    lock: Blocked | None
    hinted: bool

    @cached_property
    def assessment(self) -> Assessment:
        """The decision of the start, which knows of the lock."""
        return assess(
            self.arrival.situation,
            self.arrival.own,
            synchronised=self.arrival.synchronised,
            locked_until=until_of(self.lock),
            site=self.arrival.origin.site,
        )


def _open(opening: _Opening, now: datetime, changes: Changes) -> Handle:
    """Writes the row, its audit events and, in concealed mode, one message real or not."""
    arrival, decision = opening.arrival, opening.assessment.decision
    situation, own = arrival.situation, arrival.own
    secret = new_secret()
    flow = _new_flow(opening, secret, now)
    _first_step(flow, decision, opening.lock, now)
    changes.add(flow)
    audit.record_many(_opening_events(flow, decision, now), into=changes)
    if flow.state == State.PROVING:
        known = own if flow.user is not None else None
        judged = opening.assessment if known is not None and opening.lock is None else None
        standing = Standing(flow, situation, known, (), arrival.synchronised, judged)
        begin_without_choice(standing, now, changes)
    if arrival.concealed:
        hint_unregistered(situation, own, decision, flow, now, changes, hinted=opening.hinted)
    return Handle(flow.tenant_id, flow.pk, secret)


def _new_flow(opening: _Opening, secret: str, now: datetime) -> Flow:
    arrival, decision = opening.arrival, opening.assessment.decision
    situation, concealed = arrival.situation, arrival.concealed
    user = arrival.own.user if arrival.own is not None else None
    flow = Flow(
        tenant=situation.tenant,
        secret_hash=secret_hash(secret),
        reference=new_reference(secrets.choice),
        # In concealed mode somebody who may not reset walks the decoy: nobody's journey.
        user=user if decision.allowed or not concealed else None,
        person_key=arrival.key,
        operation=arrival.request.operation,
        state=State.STARTED,
        reason=decision.reason or "",
        policy=decision.policy,
        policy_version=situation.policy.version if situation.policy is not None else 0,
        gates_required=_gates_shown(situation, decision, concealed=concealed),
        methods=list(_methods_shown(situation, decision, concealed=concealed)),
        concealed=concealed,
        language=arrival.origin.language,
        address=arrival.origin.address,
        site=arrival.origin.site,
        started_at=now,
        expires_at=now + FLOW_LIFETIME,
    )
    flow.user_id_typed = tenant_keys().seal(arrival.typed, binding("typed", flow.pk))
    return flow


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


def _gates_shown(situation: Situation, decision: Decision, *, concealed: bool) -> int:
    if decision.allowed:
        return decision.gates_required
    return situation.rules.methods_required if concealed else 0
