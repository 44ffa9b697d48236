"""What every step of a journey shares: the browser's handle, the locked row, the audit line.

A step reads the journey's row, locked, with person and tenant; then in one statement everything
else that it is judged by; and writes all its changes in one. The frequent ones read without a lock
(`stepping`).
"""

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils.crypto import constant_time_compare

from accounts.authenticator.approvals import cancel_requests_of_journey
from accounts.authenticator.devices import METHOD as APPROVED
from accounts.methods.base import Asked
from accounts.passwords.rules import Violation
from tenants import audit
from tenants.audit import Event, Party
from tenants.context import tenant_context
from tenants.counters import Blocked, Count
from tenants.keys import binding
from tenants.policy import STRONGEST_FIRST
from tenants.together import Change, Changes, Given

from ..facts import Situation
from ..flow import OPEN_STATES, State, advance
from ..flow import Event as Step
from ..models import Challenge, Flow
from .locking import find_asked, find_locked

if TYPE_CHECKING:
    from .standing import Standing


class NoFlow(LookupError):
    """This browser holds no journey of that name: ended, replaced, or never its own."""


@dataclass(frozen=True)
class Origin:
    """Where a request came from: network address behind the trusted proxies, and language; and
    the web origin it was sent to."""

    address: str
    language: str
    site: str = ""


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

    kind: ok, wrong, late (the code expired), missing (something has to be typed), malformed (it
    can't be a code), waiting (the answer comes from elsewhere, later), blocked (a limit, until
    when), weak (the password breaks rules), denied (a step that is not open), not_now (the journey
    is elsewhere).
    handle: the new one after a gate; the old one is void. left: where the journey stands after
    the step and the proof it waits for then, where the step knows it.
    """

    kind: str
    handle: Handle | None = None
    until: datetime | None = None
    tries_left: int = 0
    violations: Sequence[Violation] = ()
    left: "tuple[Standing, Challenge | None] | None" = field(default=None, repr=False)
    field: str = ""
    fields: Sequence[str] = ()

    @property
    def of_stranger(self) -> bool:
        """Whether nothing was proved in the journey yet, where the step knows it."""
        return self.left is not None and not self.left[0].gates


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def secret_hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


@contextmanager
def step_in(tenant: UUID) -> Iterator[Changes]:
    """One step: a transaction of the tenant, whose changes are written together at its end."""
    with tenant_context(tenant):
        changes = Changes()
        yield changes
        changes.write(ends=True)


def get_flow(handle: Handle, now: datetime, changes: Changes) -> Flow:
    """The journey this handle holds, locked, and expired if its time is over. Raises NoFlow.

    Person and tenant are read with it, so that a decoy costs as much.
    """
    return _held(find_locked(handle.flow), handle, now, changes)


def get_asked_flow(
    handle: Handle, now: datetime, changes: Changes
) -> tuple[Flow, Challenge | None]:
    """The same with the proof it waits for, if it waits for one, locked too."""
    flow = find_asked(handle.flow)
    if flow is None:
        return get_flow(handle, now, changes), None
    _held(flow, handle, now, changes)
    return flow, _find_pending(flow)


def _held(flow: Flow | None, handle: Handle, now: datetime, changes: Changes) -> Flow:
    if flow is None:
        raise NoFlow
    check_held(flow, handle)
    take_up(flow, now, changes)
    return flow


def take_up(flow: Flow, now: datetime, changes: Changes) -> None:
    """Begins a step of this journey: its row is written with whatever the step writes, and its
    time may be over."""
    changes.hold(flow, "state")
    if flow.expires_at <= now and State(flow.state) in OPEN_STATES:
        end(flow, Step.EXPIRE, now, changes)
        record(flow, "flow.expired", now, changes)


def check_held(flow: Flow, handle: Handle) -> None:
    """A suspended tenant has no journeys. Raises NoFlow."""
    expected, given = bytes(flow.secret_hash), secret_hash(handle.secret)
    if not constant_time_compare(expected.hex(), given.hex()) or not flow.tenant.active:
        raise NoFlow


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


def end(
    flow: Flow, step: Step, now: datetime, changes: Changes, *, until: datetime | None = None
) -> None:
    """Moves a journey to an end; its challenges can't be answered any more."""
    move(flow, step)
    flow.finished_at = now
    flow.blocked_until = until
    changes.update(flow, "state", "reason", "finished_at", "blocked_until")
    kill_challenges(flow, changes)


_KILLING = Change(lambda: Challenge.objects.filter(flow=Given("flow"), dead=False), dead=True)


def kill_challenges(flow: Flow, changes: Changes) -> None:
    """The proof in hand can't be answered any more. Where it was read with the journey it is
    changed as that row, because the step may have changed it already."""
    challenge = _find_pending(flow)
    if APPROVED in flow.methods:
        cancel_requests_of_journey(flow.reference, changes)
    if challenge is None:
        changes.execute(*_KILLING.of(flow=flow.pk))
    else:
        challenge.dead = True
        changes.update(challenge, "dead")


def _find_pending(flow: Flow) -> Challenge | None:
    found: Challenge | None = getattr(flow, "pending", None)
    return found


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


def record(flow: Flow, event_type: str, now: datetime, changes: Changes, **more: object) -> None:
    """One line of the journey in the audit trail, in the transaction of the step."""
    audit.record_many([event(flow, event_type, now, **more)], into=changes)


def subject(flow: Flow) -> str:
    return bytes(flow.person_key).hex()


def proof_counts(situation: Situation, flow: Flow, method: str) -> list[Count]:
    """What a proof that could fail is counted on, before it is judged."""
    person = subject(flow)
    return [
        situation.count("failed_by_address", flow.address or "none"),
        situation.count("failed_in_tenant", "all"),
        situation.count("failed_method", f"{person}:{method}"),
        situation.count("failed_in_a_row", f"{person}:{method}"),
        situation.count("failed_proofs", person),
    ]


def own_counts(situation: Situation, keys: Iterable[str]) -> list[Count]:
    """Every counter of a person that a successful reset starts afresh; of methods those that the
    tenant allows now."""
    methods = [method for method in STRONGEST_FIRST if method in situation.rules.methods]
    found = []
    for person in keys:
        found += [
            situation.count(name, person)
            for name in ("failed_proofs", "phone_sends", "email_sends", "reset_attempts")
        ]
        found += [situation.count("failed_method", f"{person}:{method}") for method in methods]
    return found


def bound_to(flow: Flow, challenge: Challenge) -> bytes:
    """What a code of this challenge is derived from: no other flow, method or person has it."""
    return binding(
        flow.tenant_id, flow.pk, challenge.pk, challenge.step, challenge.method, flow.user_id
    )


def asked_of(flow: Flow, challenge: Challenge) -> Asked:
    """The challenge as its method is given it."""
    return Asked(
        bytes(challenge.nonce),
        bound_to(flow, challenge),
        tuple(challenge.questions),
        challenge=challenge.pk,
        reference=flow.reference,
        address=flow.address,
        expires_at=challenge.expires_at,
    )


def until_of(block: Blocked | None) -> datetime | None:
    return block.until if block is not None else None
