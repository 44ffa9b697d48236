"""What a page shows of a journey. Reads, never changes (R-15)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.methods.registry import get_method
from accounts.models import User
from accounts.passwords.rules import PasswordRules
from tenants.context import tenant_context, tenant_reading
from tenants.limits import TRIES_PER_CHALLENGE
from tenants.models import Tenant
from tenants.together import Given, Reading
from writeback.connectors.base import DirectoryRules, strictest
from writeback.models import Connector, WritebackJob
from writeback.services.states import rules_for

from ..flow import OPEN_STATES, State
from ..models import Challenge, Flow
from .challenges import offered_channels, resend_at
from .common import Handle, Result, asked_of
from .finish import password_terms
from .standing import Standing, read_standing


@dataclass(frozen=True)
class MethodChoice:
    """One way on: its channels under the plan, what is typed first, and the hint if any."""

    key: str
    contact: str
    channels: Sequence[str]
    hint: str


@dataclass(frozen=True)
class Pending:
    """The proof that is waited for."""

    method: str
    channel: str
    hint: str
    questions: Sequence[str]
    tries_left: int
    expires_at: datetime
    resend_at: datetime | None
    prompt: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Landing:
    """One directory's outcome."""

    connector: str
    outcome: str
    cause: str
    unlocked: bool | None


@dataclass(frozen=True)
class FlowView:
    """Everything a page needs.

    page: choose, contact, code, questions, assertion, approval, redirect, operation, password,
    working, done, ended.
    directory: the rules of the directory that keeps the password, where it is one; landed: what
    became of the last attempt, by directory.
    """

    page: str
    state: State
    reference: str
    reason: str
    tenant: Tenant
    concealed: bool
    operation: str
    user_id: str = ""
    step: int = 0
    steps: int = 0
    choices: Sequence[MethodChoice] = ()
    pending: Pending | None = None
    rules: PasswordRules | None = None
    directory: DirectoryRules | None = None
    landed: Sequence["Landing"] = ()
    finished_at: datetime | None = None
    blocked_until: datetime | None = None
    expires_at: datetime | None = field(default=None)


def read_flow(handle: Handle, *, now: datetime, choose_again: bool = False) -> FlowView:
    """The journey as its page shows it; `choose_again` leaves a code that waits aside.

    Raises NoFlow.
    """
    with tenant_reading(handle.tenant):
        standing, pending = read_standing(handle, now)
        return _shown(standing, None if choose_again else pending, now)


def read_flow_after(handle: Handle, result: Result, *, now: datetime) -> FlowView:
    """The journey as its page shows it after a step: as the step left it, where that is known,
    else read once more. Raises NoFlow."""
    if result.left is None:
        return read_flow(handle, now=now)
    with tenant_reading(handle.tenant):
        return _shown(*result.left, now)


def _shown(standing: Standing, pending: Challenge | None, now: datetime) -> FlowView:
    flow = standing.flow
    state = State(flow.state)
    if state in OPEN_STATES and flow.expires_at <= now:
        state = State.EXPIRED
    if state == State.PROVING:
        return _proving_page(standing, pending)
    if state == State.CHOOSING:
        return _password_page(standing)
    if state == State.PROVED:
        return _open_page(standing, "operation", reason=flow.reason)
    if state == State.WRITING:
        return _open_page(standing, "working")
    return _ended(flow, state)


def is_waiting(handle: Handle, *, now: datetime) -> bool:
    """Whether the page has nothing new to show: a decision elsewhere is still to come.

    Raises NoFlow.
    """
    with tenant_context(handle.tenant):
        standing, pending = read_standing(handle, now)
        flow = standing.flow
        if flow.state == State.WRITING:
            return True
        if flow.state != State.PROVING or flow.expires_at <= now or pending is None:
            return False
        asked = asked_of(flow, pending)
        return get_method(pending.method).is_waiting(asked, standing.method_context())


def _ended(flow: Flow, state: State) -> FlowView:
    return FlowView(
        page="done" if state == State.DONE else "ended",
        state=state,
        reference=flow.reference,
        reason=flow.reason,
        tenant=flow.tenant,
        concealed=flow.concealed,
        operation=flow.operation,
        finished_at=flow.finished_at,
        blocked_until=flow.blocked_until,
        landed=_landed(flow),
    )


_JOBS = Reading(
    lambda: (WritebackJob.objects.filter(origin=Given("origin")), Connector.objects.all())
)


def _landed(flow: Flow) -> list[Landing]:
    """What became of the last attempt in each directory; nothing where there was none."""
    return landings(flow.pk, flow.attempts) if flow.attempts else []


def landings(origin: UUID, attempt: int) -> list[Landing]:
    """What became of one attempt in each directory, by name."""
    jobs, connectors = _JOBS.rows(origin=origin)
    names = {row.pk: row.name for row in connectors}
    last = [job for job in jobs if job.attempt == attempt]
    return [
        Landing(names[job.connector_id], job.outcome, job.cause, job.unlocked)
        for job in sorted(last, key=lambda job: names[job.connector_id])
    ]


def _open_page(standing: Standing, page: str, *, reason: str = "", **more: object) -> FlowView:
    flow = standing.flow
    return FlowView(
        reason=reason,
        page=page,
        state=State(flow.state),
        reference=flow.reference,
        tenant=standing.situation.tenant,
        concealed=flow.concealed,
        operation=flow.operation,
        expires_at=flow.expires_at,
        step=min(standing.step, standing.steps),
        steps=standing.steps,
        **more,  # type: ignore[arg-type]  # further fields of FlowView
    )


def directory_rules(user: User) -> DirectoryRules:
    """What is known of the rules of this person's directories."""
    known = rules_for(user)
    return strictest(known) if known else DirectoryRules()


def _password_page(standing: Standing) -> FlowView:
    user = standing.person
    terms = password_terms(standing, user)
    directory = directory_rules(user) if terms.directory else None
    return _open_page(
        standing,
        "password",
        reason=standing.flow.reason,
        user_id=user.user_id,
        rules=terms.rules,
        directory=directory,
    )


def _proving_page(standing: Standing, challenge: Challenge | None) -> FlowView:
    choices = [_choice(standing, method) for method in standing.offered()]
    if challenge is None:
        page = "contact" if len(choices) == 1 and choices[0].contact else "choose"
        return _open_page(standing, page, choices=choices)
    pending = Pending(
        method=challenge.method,
        channel=challenge.channel,
        hint=_hint(standing, challenge.method),
        questions=challenge.questions,
        tries_left=TRIES_PER_CHALLENGE - challenge.tries,
        expires_at=challenge.expires_at,
        resend_at=resend_at(challenge),
        prompt=_prompt(standing, challenge),
    )
    page = _PAGES.get(get_method(challenge.method).asks, "code")
    return _open_page(standing, page, choices=choices, pending=pending)


_PAGES = {
    "answers": "questions",
    "assertion": "assertion",
    "approval": "approval",
    "redirect": "redirect",
}
"""What a method asks for → the page that asks it."""


def _prompt(standing: Standing, challenge: Challenge) -> Mapping[str, Any]:
    own = standing.own if standing.open_registration(challenge.method) is not None else None
    asked = asked_of(standing.flow, challenge)
    return get_method(challenge.method).prompt(own, asked, standing.method_context())


def _choice(standing: Standing, key: str) -> MethodChoice:
    method = get_method(key)
    return MethodChoice(
        key, method.contact, offered_channels(standing.situation, key), _hint(standing, key)
    )


def _hint(standing: Standing, method: str) -> str:
    """Masked, and only to somebody who is shown their own methods (design, decision 7a)."""
    registration = standing.registration(method)
    return registration.hint if registration is not None and not standing.flow.concealed else ""
