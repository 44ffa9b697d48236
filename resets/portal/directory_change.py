"""Changing a known password that directories keep: asking them, waiting, and what came of it.

The page that waits asks again by itself, with JavaScript or without; what came of it stands at the
same address, for the session that asked and for nobody else.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib.sessions.backends.base import UpdateError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.signin.person import SignedIn, for_signed_in, to_sign_in
from accounts.signin.services import RETRY_SECONDS, session_hash
from accounts.signin.tries import Attempt, count_attempt
from tenants.context import tenant_context

from ..models import DirectoryChange
from ..services.change import Changed, Passwords
from ..services.directory_change import Asking, ChangeView, ask_directory, find_change
from . import words
from .change_pages import done_page, form_page, locked_text, next_of
from .context import clock, origin_of, page_context
from .directory_words import failure, landed_texts, remark
from .pages import retry_after, texts

SEE_OTHER = 303
_State = DirectoryChange.State


def send(request: HttpRequest, person: SignedIn, typed: Passwords, now: datetime) -> HttpResponse:
    """Asks the directories, and leads to the page that waits for them."""
    asking = Asking(
        origin=origin_of(request),
        count=lambda: _count(request, person, now),
        renew=lambda: _renew(request, person),
    )
    try:
        changed = ask_directory(person, typed, asking, now=now)
    except UpdateError:
        # The session ended a moment ago.
        return to_sign_in(request)
    if changed.change is not None and _is_own(request, person, changed.change, now):
        response = HttpResponseRedirect(_address("changing", changed.change, next_of(request)))
        response.status_code = SEE_OTHER
        return response
    return _refused(request, person, changed, now)


def _count(request: HttpRequest, person: SignedIn, now: datetime) -> Attempt:
    with tenant_context(person.tenant.pk):
        return count_attempt(request, person.user.user_id, None, now)


def _renew(request: HttpRequest, person: SignedIn) -> bytes:
    with tenant_context(person.tenant.pk):
        request.session.cycle_key()
    return session_hash(request)


def _is_own(request: HttpRequest, person: SignedIn, change: UUID, now: datetime) -> bool:
    return find_change(person, change, session_hash(request), now) is not None


def _address(name: str, change: UUID, wanted: str) -> str:
    address = reverse(f"password:{name}", args=[change])
    return f"{address}?{urlencode({'next': wanted})}" if wanted else address


def _refused(
    request: HttpRequest, person: SignedIn, changed: Changed, now: datetime
) -> HttpResponse:
    if changed.kind == "weak":
        reasons = texts(changed.violations)
        errors: dict[str, Any] = {"new_password": reasons[0]}
        return form_page(request, person, now, errors=errors, password_errors=reasons)
    if changed.kind == "blocked" and changed.until is not None:
        errors = {"old_password": locked_text(changed.until)}
        page = form_page(request, person, now, errors=errors, status=429)
        return retry_after(page, changed.until, now)
    if changed.kind == "unreachable":
        page = form_page(request, person, now, status=503)
        page.headers["Retry-After"] = str(RETRY_SECONDS)
        return page
    message = words.CHANGE_UNDER_WAY if changed.kind == "busy" else ""
    return form_page(request, person, now, status=409, remark=message)


@require_GET
@for_signed_in
def changing(request: HttpRequest, person: SignedIn, change: UUID) -> HttpResponse:
    """The change that this session asked for, as it stands."""
    now = timezone.now()
    view = _get_change(request, person, change, now)
    page = _PAGES.get(view.state)
    if page is not None:
        return page(request, person, view, now)
    context = page_context(
        request,
        person.tenant,
        state=view.state,
        operation="change",
        status_url=_address("status", change, ""),
        continue_url=_address("changing", change, next_of(request)),
    )
    return render(request, "portal/working.html", context)


@require_GET
@for_signed_in
def status(request: HttpRequest, person: SignedIn, change: UUID) -> HttpResponse:
    """Where it stands, for the script of the page that waits."""
    return JsonResponse({"state": _get_change(request, person, change, timezone.now()).state})


def _get_change(request: HttpRequest, person: SignedIn, change: UUID, now: datetime) -> ChangeView:
    """Raises Http404 for another session's, too."""
    view = find_change(person, change, session_hash(request), now)
    if view is None:
        raise Http404
    return view


def _done(request: HttpRequest, person: SignedIn, view: ChangeView, now: datetime) -> HttpResponse:
    partly = view.state == _State.PARTLY
    landed = landed_texts(view.landed) if partly else []
    return done_page(request, person, clock(view.finished_at), landed=landed)


def _wrong(request: HttpRequest, person: SignedIn, view: ChangeView, now: datetime) -> HttpResponse:
    return _again(request, person, now, errors={"old_password": words.WRONG_OLD_PASSWORD})


def _rejected(
    request: HttpRequest, person: SignedIn, view: ChangeView, now: datetime
) -> HttpResponse:
    return _again(request, person, now, errors={"new_password": remark("password_rules")})


def _not_changed(
    request: HttpRequest, person: SignedIn, view: ChangeView, now: datetime
) -> HttpResponse:
    return _again(request, person, now, remark=remark("not_changed"))


def _again(request: HttpRequest, person: SignedIn, now: datetime, **more: Any) -> HttpResponse:
    """The form once more; whether the directory can be reached is asked when it is sent."""
    return form_page(request, person, now, obstacle="", **more)


def _ended(request: HttpRequest, person: SignedIn, view: ChangeView, now: datetime) -> HttpResponse:
    failed = view.state == _State.FAILED
    context = page_context(
        request,
        person.tenant,
        state=view.state,
        kind=view.state,
        operation="change",
        failure=failure(view.reason, "change") if failed else "",
        start_again_url=reverse("password:change"),
    )
    return render(request, "portal/ended.html", context)


_PAGES: dict[str, Callable[[HttpRequest, SignedIn, ChangeView, datetime], HttpResponse]] = {
    _State.DONE: _done,
    _State.PARTLY: _done,
    _State.WRONG: _wrong,
    _State.REJECTED: _rejected,
    _State.NOT_CHANGED: _not_changed,
    _State.FAILED: _ended,
    _State.UNKNOWN: _ended,
}
"""How it stands → its page; what is not here is still waited for."""
