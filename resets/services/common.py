"""What every step of a journey shares: the browser's handle, the locked row, the audit line."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.utils.crypto import constant_time_compare

from accounts.methods.base import Registration
from accounts.models import User
from accounts.passwords.rules import Violation
from accounts.people import Belongings, find_belongings
from tenants import audit
from tenants.audit import Event, Party
from tenants.counters import Blocked, Count
from tenants.keys import binding
from tenants.policy import STRONGEST_FIRST

from ..eligibility import Proof, next_proofs
from ..facts import Assessment, Situation, assess
from ..flow import ENDS, State, advance
from ..flow import Event as Step
from ..models import Challenge, Flow, Gate

OPEN_STATES = frozenset({State.STARTED, State.PROVING, State.PROVED, State.CHOOSING})


class NoFlow(LookupError):
    """This browser holds no journey of that name: ended, replaced, or never its own."""


@dataclass(frozen=True)
class Origin:
    """Where a request came from: network address behind the trusted proxies, and language."""

    address: str
    language: str


@dataclass(frozen=True)
class Handle:
    """What the browser holds. Only the hash of `secret` is stored; it changes at every gate."""

    tenant: UUID
    flow: UUID
    secret: str = field(repr=False)

    def cookie(self) -> str:
        return f"{self.tenant.hex}.{self.secret}"

    @staticmethod
    def parse(cookie: str, flow: UUID) -> "Handle":
        """The handle in a cookie. Raises NoFlow."""
        head, dot, secret = cookie.partition(".")
        if not (dot and secret and len(cookie) < 120):
            raise NoFlow
        try:
            return Handle(UUID(hex=head), flow, secret)
        except ValueError:
            raise NoFlow from None


@dataclass(frozen=True)
class Result:
    """What came of a step. A wrong answer is one of these, never an exception.

    kind: ok, wrong, late (the code expired), missing (something has to be typed), blocked (a
    limit, until when), weak (the password breaks rules), not_now (the journey is elsewhere).
    handle: the new one after a gate; the old one is void.
    """

    kind: str
    handle: Handle | None = None
    until: datetime | None = None
    tries_left: int = 0
    violations: Sequence[Violation] = ()
    field: str = ""


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def secret_hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def get_flow(handle: Handle, now: datetime, *, lock: bool = True) -> Flow:
    """The journey this handle holds, locked, and expired if its time is over. Raises NoFlow.

    The tenant's context is open. Lock order everywhere: flow, challenge, user. Person and tenant
    are read with it, so that a decoy costs as much; a suspended tenant has no journeys.
    """
    rows = Flow.objects.select_related("user", "tenant")
    if lock:
        rows = rows.select_for_update(of=("self",))
    flow: Flow | None = rows.filter(pk=handle.flow).first()
    if flow is None or not constant_time_compare(
        bytes(flow.secret_hash).hex(), secret_hash(handle.secret).hex()
    ):
        raise NoFlow
    if not flow.tenant.active:
        raise NoFlow
    if lock and flow.expires_at <= now and State(flow.state) in OPEN_STATES:
        end(flow, Step.EXPIRE, now)
        record(flow, "flow.expired", now)
    return flow


def lock_open_flows_of(person: UUID) -> list[Flow]:
    """Every open journey of a person, locked in one order, before the person is.

    Whoever ends several journeys begins with this: two that each hold one and want the other's
    would wait for each other.
    """
    rows = Flow.objects.select_for_update().filter(user=person, state__in=list(OPEN_STATES))
    return list(rows.order_by("pk"))


def move(flow: Flow, step: Step) -> None:
    """Moves the row along the table; saves nothing. Raises StepNotAllowed."""
    flow.state = advance(State(flow.state), step).value


def end(flow: Flow, step: Step, now: datetime, *, until: datetime | None = None) -> None:
    """Moves a journey to an end and stores it; its challenges can't be answered any more."""
    move(flow, step)
    flow.finished_at = now
    flow.blocked_until = until
    flow.save(update_fields=["state", "reason", "finished_at", "blocked_until"])
    Challenge.objects.filter(flow=flow, dead=False).update(dead=True)


def is_over(flow: Flow) -> bool:
    return State(flow.state) in ENDS


def actor_of(flow: Flow) -> Party:
    """The person of a journey; somebody unknown has no label, because it could be a password."""
    if flow.user is None:
        return Party("anonymous", None, "")
    if flow.policy == "administrator":
        return Party("administrator", flow.user.pk, flow.user.user_id)
    return Party("user", flow.user.pk, flow.user.user_id)


def event(flow: Flow, event_type: str, now: datetime, **more: object) -> Event:
    party = actor_of(flow)
    return Event(
        event_type=event_type,
        actor=party,
        target=party if flow.user is not None else None,
        correlation_id=flow.pk,
        reference=flow.reference,
        address=flow.address,
        now=now,
        **more,  # type: ignore[arg-type]  # result, reason and data, as Event has them
    )


def record(flow: Flow, event_type: str, now: datetime, **more: object) -> None:
    """One line of the journey in the audit trail, in the transaction of the step."""
    audit.record_many([event(flow, event_type, now, **more)])


def subject(flow: Flow) -> str:
    return bytes(flow.person_key).hex()


def proof_counts(situation: Situation, flow: Flow, method: str) -> list[Count]:
    """What a proof that could fail is counted on, before it is judged."""
    person = subject(flow)
    return [
        situation.count("failed_by_address", flow.address or "none"),
        situation.count("failed_in_tenant", "all"),
        situation.count("failed_method", f"{person}:{method}"),
        situation.count("failed_proofs", person),
    ]


def own_counts(situation: Situation, keys: Iterable[str]) -> list[Count]:
    """Every counter of a person that a successful reset starts afresh."""
    found = []
    for person in keys:
        found += [
            situation.count(name, person)
            for name in ("failed_proofs", "phone_sends", "email_sends", "reset_attempts")
        ]
        found += [
            situation.count("failed_method", f"{person}:{method}") for method in STRONGEST_FIRST
        ]
    return found


def bound_to(flow: Flow, challenge: Challenge) -> bytes:
    """What a code of this challenge is derived from: no other flow, method or person has it."""
    return binding(
        flow.tenant_id, flow.pk, challenge.pk, challenge.step, challenge.method, flow.user_id
    )


@dataclass(frozen=True)
class Standing:
    """A journey with everything needed to judge its next step."""

    flow: Flow
    situation: Situation
    own: Belongings | None
    assessment: Assessment
    gates: tuple[Gate, ...]

    @property
    def step(self) -> int:
        return len(self.gates) + 1

    @property
    def steps(self) -> int:
        """Gates in all. Until the first is passed a concealing tenant tells everybody its own."""
        if self.flow.concealed and not self.gates:
            return self.situation.rules.methods_required
        return max(self.flow.gates_required, len(self.gates))

    @property
    def person(self) -> User:
        """The person of a real journey. Raises NoFlow for a decoy, which never comes this far."""
        if self.flow.user is None:
            raise NoFlow
        return self.flow.user

    def registration(self, method: str) -> Registration | None:
        """What the person registered for the method, if it is usable in this journey."""
        found = self.assessment.registrations.get(method)
        usable = method in self.assessment.decision.methods
        return found if usable else None

    def open_registration(self, method: str) -> Registration | None:
        """The same, if a gate can still be passed with it beside those that were (R-11)."""
        return self.registration(method) if method in self._reachable() else None

    def offered(self) -> tuple[str, ...]:
        """The methods that can come next, strongest first."""
        if self.flow.concealed:
            passed = {gate.method for gate in self.gates}
            return tuple(method for method in self.flow.methods if method not in passed)
        return self._reachable()

    def _reachable(self) -> tuple[str, ...]:
        """Methods from which the required number of independent gates can be reached."""
        proofs = [p for p in self.assessment.decision.proofs if p.method in self.flow.methods]
        done = [
            next((p for p in proofs if p.method == gate.method), Proof(gate.method, b""))
            for gate in self.gates
        ]
        by_kind = self.flow.policy == "administrator"
        found = next_proofs(proofs, done, self.flow.gates_required, by_kind=by_kind)
        return tuple(proof.method for proof in found)


def standing_of(flow: Flow, situation: Situation) -> Standing:
    """Reads the person of the journey as they are now."""
    own = find_belongings(flow.user)
    gates = tuple(Gate.objects.filter(flow=flow).order_by("step"))
    return Standing(flow, situation, own, assess(situation, own), gates)


def until_of(block: Blocked | None) -> datetime | None:
    return block.until if block is not None else None
