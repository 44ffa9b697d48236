"""The pages and steps of a journey this browser holds: parse, call one service, choose a page."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_POST

from accounts.methods.base import Answer
from tenants.evenness import on_the_beat
from tenants.fields import BadForm, read_fields
from tenants.limits import MAX_ANSWER, MAX_ASSERTION, MAX_CONTACT, MAX_PASSWORD
from tenants.secret import Secret

from .. import services
from ..flow import State
from ..services import FlowView, Handle, NoFlow, Result
from . import words
from .context import clock, flow_url
from .pages import contact_context, flow_page, gone_page, retry_after, stranger_page, texts

FLOW_COOKIE_AGE = 3600
ANSWERS = tuple(f"answer_{number}" for number in range(1, 6))
SEE_OTHER = 303
DIRECT = "direct"
"""In the address of a form whose page has a script that works."""
_WAITS = {
    "channel": words.TOO_MANY_CODES,
    "asked": words.TOO_MANY_ASKED,
    "paused": words.PAUSED,
}

FlowAction = Callable[[HttpRequest, Handle, datetime], HttpResponse]


def to_flow(handle: Handle) -> HttpResponse:
    """On to the page of the journey, with its secret in the cookie."""
    return _with_cookie(_see_flow(handle), handle)


def _with_cookie(response: HttpResponse, handle: Handle) -> HttpResponse:
    response.set_cookie(
        settings.FLOW_COOKIE_NAME,
        handle.cookie(),
        max_age=FLOW_COOKIE_AGE,
        secure=settings.SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def flow_view(action: FlowAction) -> Callable[[HttpRequest, UUID], HttpResponse]:
    """A view that belongs to the journey this browser holds; without it there is nothing to see."""

    @sensitive_post_parameters()
    @on_the_beat
    def view(request: HttpRequest, flow: UUID) -> HttpResponse:
        handle, now = None, timezone.now()
        try:
            handle = Handle.parse(request.COOKIES.get(settings.FLOW_COOKIE_NAME, ""), flow)
            return action(request, handle, now)
        except NoFlow:
            return stranger_page(request, handle, now)

    return view


@require_GET
@flow_view
def flow(request: HttpRequest, handle: Handle, now: datetime) -> HttpResponse:
    """The journey as it stands."""
    again = request.GET.get("other") == "1"
    view = services.read_flow(handle, now=now, choose_again=again)
    return flow_page(request, handle, view, now)


@require_POST
@flow_view
def choose(request: HttpRequest, handle: Handle, now: datetime) -> HttpResponse:
    """Takes up a method, with the contact typed in full."""
    fields = read_fields(request, ("method", "contact", "channel"))
    if len(fields["contact"]) > MAX_CONTACT:
        raise BadForm("far longer than any address or number")
    result = services.choose(
        handle, fields["method"], contact=fields["contact"], channel=fields["channel"], now=now
    )
    if result.kind in {"missing", "denied"}:
        return _incomplete(request, handle, fields, result, now)
    if result.kind == "ok":
        return _show_flow(request, handle, result, now)
    return _after_code(request, handle, result, now)


def _incomplete(
    request: HttpRequest,
    handle: Handle,
    fields: Mapping[str, str],
    result: Result,
    now: datetime,
) -> HttpResponse:
    view = services.read_flow(handle, now=now, choose_again=True)
    chosen = next((c for c in view.choices if c.key == fields["method"]), None)
    if result.field == "contact" and chosen is not None:
        # A method without its contact is no mistake: the next page asks for it.
        asked_before = view.page == "contact"
        errors = {"contact": words.TYPE_CONTACT} if asked_before else {}
        context = contact_context(handle, view, chosen)
        view = replace(view, page="contact")
        return flow_page(request, handle, view, now, errors=errors, **context)
    text = words.CHOOSE_CHANNEL if result.field == "channel" else words.CHOOSE_METHOD
    field = result.field if result.field == "channel" else "method"
    status = 403 if result.kind == "denied" else None
    return flow_page(request, handle, view, now, errors={field: text}, status=status)


@require_POST
@flow_view
def send(request: HttpRequest, handle: Handle, now: datetime) -> HttpResponse:
    """A new code for the method in hand."""
    read_fields(request, ())
    result = services.send(handle, now=now)
    if result.kind == "missing":
        view = services.read_flow(handle, now=now)
        return flow_page(request, handle, view, now, errors={"code": words.NO_MORE_CODES})
    return _after_code(request, handle, result, now)


def _after_code(
    request: HttpRequest, handle: Handle, result: Result, now: datetime
) -> HttpResponse:
    if result.kind == "blocked":
        view = services.read_flow(handle, now=now)
        if view.state == State.PROVING and result.until is not None:
            text = _WAITS.get(result.field, words.WAIT_FOR_CODE)
            field = "method" if view.page == "choose" else _field_of(view)
            message = text % {"until": clock(result.until)}
            response = flow_page(request, handle, view, now, errors={field: message}, status=429)
            return retry_after(response, result.until, now)
    return _see_flow(handle)


def _field_of(view: FlowView) -> str:
    return {"contact": "contact", "questions": "answer_1"}.get(view.page, "code")


def _show_flow(request: HttpRequest, handle: Handle, result: Result, now: datetime) -> HttpResponse:
    """The page of the journey, as the answer to the form of somebody who got on.

    At once where the script of the page gives it its address; elsewhere that address alone, so
    that loading the page again sends nothing twice. So is who proved nothing yet: a stranger's
    request never costs a step and a page.
    """
    if request.GET.get(DIRECT) != "1" or result.of_stranger:
        return _see_flow(handle)
    view = services.read_flow_after(handle, result, now=now)
    return flow_page(request, handle, view, now)


def _see_flow(handle: Handle) -> HttpResponse:
    response = HttpResponseRedirect(flow_url("flow", handle.flow))
    response.status_code = SEE_OTHER
    return response


@require_POST
@flow_view
@sensitive_variables()
def verify(request: HttpRequest, handle: Handle, now: datetime) -> HttpResponse:
    """A code, or the answers to the questions."""
    fields = read_fields(request, ("code", "assertion", *ANSWERS))
    if any(len(fields[name]) > MAX_ANSWER for name in ANSWERS):
        raise BadForm("an answer longer than any that was registered")
    if len(fields["assertion"]) > MAX_ASSERTION:
        raise BadForm("longer than anything a passkey signs")
    answers = [Secret(fields[name]) for name in ANSWERS]
    answer = Answer(Secret(fields["code"]), answers, Secret(fields["assertion"]))
    try:
        result = services.verify(handle, answer, now=now)
    except NoFlow:
        # The reply to the same answer may have been lost, and the new secret with it.
        return to_flow(services.repeat(handle, answer, now=now))
    if result.kind == "ok" and result.handle is not None:
        return _with_cookie(_show_flow(request, result.handle, result, now), result.handle)
    if result.kind == "blocked" and result.field:
        return _after_code(request, handle, result, now)
    view = services.read_flow_after(handle, result, now=now)
    if result.kind in {"missing", "malformed", "waiting"} and view.pending is not None:
        status = None if result.fields or result.kind == "waiting" else 400
        errors = _incomplete_answer(view, result)
        return flow_page(request, handle, view, now, errors=errors, status=status)
    if result.kind in {"wrong", "late"}:
        return _wrong(request, handle, view, result, now)
    return _moved_on(request, handle, view, now)


@require_GET
@flow_view
def waiting(request: HttpRequest, handle: Handle, now: datetime) -> HttpResponse:
    """Whether a decision elsewhere is still to come, for the script of the page."""
    return JsonResponse({"waiting": services.is_waiting(handle, now=now)})


@require_GET
@flow_view
def status(request: HttpRequest, handle: Handle, now: datetime) -> HttpResponse:
    """Where the journey stands, for the script of the page that waits."""
    return JsonResponse({"state": services.read_flow(handle, now=now).state.value})


@require_POST
@flow_view
def operation(request: HttpRequest, handle: Handle, now: datetime) -> HttpResponse:
    """A new password, or only the lock taken away."""
    fields = read_fields(request, ("operation",))
    result = services.choose_operation(handle, fields["operation"], now=now)
    if result.kind == "ok":
        return _show_flow(request, handle, result, now)
    view = services.read_flow(handle, now=now)
    if result.kind == "missing":
        errors = {"operation": words.CHOOSE_OPERATION}
        return flow_page(request, handle, view, now, errors=errors)
    if result.kind == "denied":
        return flow_page(request, handle, view, now, status=403)
    return _moved_on(request, handle, view, now)


_ANSWERED = {"code", "assertion", "approval", "redirect"}
"""Pages whose answer is one piece, so what is wrong with it stands at `code`."""


def _incomplete_answer(view: FlowView, result: Result) -> Mapping[str, Any]:
    if result.fields:
        return dict.fromkeys(result.fields, words.TYPE_ANSWERS)
    if result.kind == "waiting":
        return {"code": words.NOT_YET}
    if view.page == "assertion":
        return {"code": words.NO_ASSERTION}
    if view.page == "redirect":
        return {"code": words.NOT_APPROVED}
    if result.kind == "malformed":
        return {"code": words.malformed(view.pending.method if view.pending else "")}
    return {"code": words.TYPE_CODE}


def _wrong(
    request: HttpRequest, handle: Handle, view: FlowView, result: Result, now: datetime
) -> HttpResponse:
    if view.page == "questions":
        return flow_page(request, handle, view, now, errors={"answer_1": words.WRONG_ANSWERS})
    if view.page not in _ANSWERED or view.pending is None:
        text = words.wrong(result.field, sent=False) if result.field else words.WRONG_CODE
        return flow_page(request, handle, view, now, errors={"method": text})
    wrong = words.wrong(view.pending.method, sent=bool(view.pending.channel))
    text = words.LATE_CODE if result.kind == "late" else wrong
    if result.field == "unavailable":
        text = words.UNAVAILABLE
    return flow_page(
        request, handle, view, now, errors={"code": text}, tries_left=view.pending.tries_left
    )


def _moved_on(request: HttpRequest, handle: Handle, view: FlowView, now: datetime) -> HttpResponse:
    """The journey is elsewhere: on to its page, or a plain word that it is over."""
    if view.state in {State.PROVING, State.PROVED, State.CHOOSING}:
        return _see_flow(handle)
    if view.state in {State.EXPIRED, State.LOCKED}:
        return flow_page(request, handle, view, now)
    if view.state == State.REFUSED:
        return flow_page(request, handle, view, now, status=403)
    return gone_page(request, 409)


@require_POST
@flow_view
@sensitive_variables()
def submit(request: HttpRequest, handle: Handle, now: datetime) -> HttpResponse:
    """The new password."""
    fields = read_fields(request, ("new_password",))
    if len(fields["new_password"]) > MAX_PASSWORD * 4:
        raise BadForm("far longer than any password")
    if not fields["new_password"]:
        view = services.read_flow(handle, now=now)
        if view.page != "password":
            return _moved_on(request, handle, view, now)
        return flow_page(request, handle, view, now, errors={"new_password": words.TYPE_PASSWORD})
    result = services.submit(handle, Secret(fields["new_password"]), now=now)
    if result.kind == "ok":
        return _show_flow(request, handle, result, now)
    view = services.read_flow(handle, now=now)
    if result.kind == "weak" and view.page == "password":
        reasons = texts(result.violations)
        return flow_page(
            request,
            handle,
            view,
            now,
            errors={"new_password": reasons[0]},
            status=400 if len(fields["new_password"]) > MAX_PASSWORD else None,
            password_errors=reasons,
        )
    if result.kind == "denied":
        return flow_page(request, handle, view, now, status=403)
    return _moved_on(request, handle, view, now)


@require_POST
@flow_view
def cancel(request: HttpRequest, handle: Handle, now: datetime) -> HttpResponse:
    read_fields(request, ())
    services.cancel(handle, now=now)
    return _see_flow(handle)
