"""From a journey as it stands to the page that shows it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from accounts.methods.registry import METHODS
from accounts.passwords.messages import message, requirements
from accounts.passwords.rules import PasswordRules, Violation
from accounts.questions import question_text
from writeback.connectors.base import DirectoryRules

from ..flow import State
from ..models import REHEARSAL, UNLOCK
from ..services import FlowView, Handle, deny_stranger
from ..services.reading import MethodChoice, Pending
from ..services.written import PARTLY
from .context import clock, flow_url, origin_of, page_context, plain_url, shown_at
from .directory_words import directory_form, failure, landed_texts, remark
from .words import NOT_ME, description, label

STATUS = {State.EXPIRED: 410, State.LOCKED: 429}
MIN_RETRY_SECONDS = 1


def flow_page(
    request: HttpRequest,
    handle: Handle,
    view: FlowView,
    now: datetime,
    *,
    errors: Mapping[str, Any] | None = None,
    status: int | None = None,
    **more: Any,
) -> HttpResponse:
    """Renders the page of a journey, with the errors of the step that was just tried."""
    context = page_context(
        request,
        view.tenant,
        state=view.state.value,
        reference=view.reference,
        reason_code=view.reason if view.tenant.reveal_reason else "",
        concealed=view.concealed,
        language_url=flow_url("flow", handle.flow),
        help_url=f"{plain_url('help')}?reference={view.reference}",
        ends_at=clock(view.expires_at),
        errors={name: text for name, text in (errors or {}).items() if text},
        **shown_at(request, flow_url("flow", handle.flow)),
    )
    if view.steps:
        context["cancel_url"] = flow_url("cancel", handle.flow)
        if view.page != "password" and view.steps > 1:
            context["step"] = {"number": view.step, "total": view.steps}
    context.update(_OWN[view.page](handle, view, now))
    context.update(more)
    code = status or STATUS.get(view.state, 200)
    response = render(request, f"portal/{view.page}.html", context, status=code)
    if code == STATUS[State.LOCKED] and view.blocked_until is not None:
        retry_after(response, view.blocked_until, now)
    return response


def retry_after(response: HttpResponse, until: datetime, now: datetime) -> HttpResponse:
    """The same answer, which says in how many seconds to ask again."""
    seconds = int((until - now).total_seconds())
    response.headers["Retry-After"] = str(max(MIN_RETRY_SECONDS, seconds))
    return response


def _other_url(handle: Handle, view: FlowView) -> str:
    """ "Try another way", where there is another one."""
    return flow_url("flow", handle.flow) + "?other=1" if len(view.choices) > 1 else ""


def _choose(handle: Handle, view: FlowView, now: datetime) -> dict[str, Any]:
    return {
        "form_action": flow_url("choose", handle.flow),
        "methods": [
            {
                "key": choice.key,
                "label": label(choice.key),
                "description": description(choice.key, choice.channels),
                "hint": choice.hint,
                "contact": choice.contact,
                "channels": choice.channels,
                "checked": number == 0,
            }
            for number, choice in enumerate(view.choices)
        ],
    }


def _contact(handle: Handle, view: FlowView, now: datetime) -> dict[str, Any]:
    return contact_context(handle, view, view.choices[0])


def contact_context(handle: Handle, view: FlowView, choice: MethodChoice) -> dict[str, Any]:
    return {
        "form_action": flow_url("choose", handle.flow),
        "method": choice.key,
        "hint": choice.hint,
        "channels": choice.channels,
        "other_url": _other_url(handle, view),
    }


def _code(handle: Handle, view: FlowView, now: datetime) -> dict[str, Any]:
    pending = _pending(view)
    sent = pending.resend_at is not None
    wait = (pending.resend_at - now).total_seconds() if pending.resend_at is not None else 0
    return {
        "form_action": flow_url("verify", handle.flow),
        "method": pending.method,
        "channel": pending.channel,
        "hint": pending.hint,
        "tries_left": pending.tries_left,
        "expires_at": clock(pending.expires_at) if _is_sent(pending) else "",
        "resend_url": flow_url("send", handle.flow) if sent else "",
        "resend_in": max(0, int(wait)),
        "resend_at": clock(pending.resend_at),
        "other_url": _other_url(handle, view),
    }


def _is_sent(pending: Pending) -> bool:
    return pending.method in METHODS and pending.channel != ""


def _elsewhere(handle: Handle, view: FlowView, now: datetime) -> dict[str, Any]:
    """A proof that is given by a passkey, by somebody's decision, or at another service."""
    pending = _pending(view)
    return {
        "form_action": flow_url("verify", handle.flow),
        "method": pending.method,
        "prompt": pending.prompt,
        "status_url": flow_url("waiting", handle.flow),
        "tries_left": pending.tries_left,
        "ends_at": clock(pending.expires_at),
        "other_url": _other_url(handle, view),
    }


def _pending(view: FlowView) -> Pending:
    if view.pending is None:
        raise LookupError("this page always waits for a proof")
    return view.pending


def _questions(handle: Handle, view: FlowView, now: datetime) -> dict[str, Any]:
    return {
        "form_action": flow_url("verify", handle.flow),
        "questions": [
            {"name": f"answer_{number}", "text": question_text(key), "value": ""}
            for number, key in enumerate(_pending(view).questions, start=1)
        ],
        "other_url": _other_url(handle, view),
    }


def _password(handle: Handle, view: FlowView, now: datetime) -> dict[str, Any]:
    rules = view.rules or PasswordRules()
    if view.directory is not None:
        return _directory_password(handle, view, view.directory)
    return {
        "form_action": flow_url("submit", handle.flow),
        "values": {"user_id": view.user_id},
        "requirements": requirements(rules),
        "min_length": rules.shortest,
        "rule_set": rules.rules,
        "password_rules_attr": f"minlength: {rules.shortest}; maxlength: {rules.longest};",
    }


def _directory_password(handle: Handle, view: FlowView, rules: DirectoryRules) -> dict[str, Any]:
    """The same for a password that a directory judges."""
    return {
        **directory_form(rules),
        "form_action": flow_url("submit", handle.flow),
        "values": {"user_id": view.user_id},
        "remark": remark(view.reason),
    }


def _operation(handle: Handle, view: FlowView, now: datetime) -> dict[str, Any]:
    return {
        "form_action": flow_url("operation", handle.flow),
        "values": {"operation": "reset"},
        "remark": remark(view.reason),
    }


def _working(handle: Handle, view: FlowView, now: datetime) -> dict[str, Any]:
    return {
        "operation": view.operation,
        "status_url": flow_url("status", handle.flow),
        "continue_url": flow_url("flow", handle.flow),
    }


def _done(handle: Handle, view: FlowView, now: datetime) -> dict[str, Any]:
    return {
        "operation": view.operation,
        "security_info_url": reverse("security-info:index"),
        "when": clock(view.finished_at),
        "ended_sessions": view.operation not in {REHEARSAL, UNLOCK},
        "sign_in_url": "",
        "not_me_text": NOT_ME if view.operation != REHEARSAL else "",
        "landed": landed_texts(view.landed) if view.reason == PARTLY else [],
    }


def _ended(handle: Handle, view: FlowView, now: datetime) -> dict[str, Any]:
    kind = view.state.value
    if view.reason in {"personal_account", "not_me"}:
        kind = view.reason
    return {
        "kind": kind,
        "failure": failure(view.reason, view.operation) if kind == "failed" else "",
        "operation": view.operation,
        "until": clock(view.blocked_until),
        "register_url": reverse("security-info:register"),
        "security_info_url": reverse("security-info:index"),
    }


_OWN = {
    "choose": _choose,
    "contact": _contact,
    "code": _code,
    "questions": _questions,
    "assertion": _elsewhere,
    "approval": _elsewhere,
    "redirect": _elsewhere,
    "operation": _operation,
    "password": _password,
    "working": _working,
    "done": _done,
    "ended": _ended,
}


def error_page(
    request: HttpRequest,
    kind: str,
    status: int,
    *,
    until: datetime | None = None,
    now: datetime | None = None,
) -> HttpResponse:
    context = page_context(request, None, state="error", kind=kind, until=clock(until))
    response = render(request, "portal/error.html", context, status=status)
    if until is not None and now is not None:
        retry_after(response, until, now)
    return response


def gone_page(request: HttpRequest, status: int) -> HttpResponse:
    """A journey this browser does not hold: finished, replaced, or never its own."""
    context = page_context(request, None, state="gone", kind="replaced")
    return render(request, "portal/ended.html", context, status=status)


def stranger_page(request: HttpRequest, handle: Handle | None, now: datetime) -> HttpResponse:
    """For a browser without the journey's secret; a step that it tried is in the trail."""
    if handle is not None and request.method == "POST":
        step = request.path.rstrip("/").rpartition("/")[2]
        deny_stranger(handle, step, origin=origin_of(request), now=now)
    return gone_page(request, 401)


def texts(violations: Sequence[Violation]) -> list[str]:
    return [message(violation) for violation in violations]
