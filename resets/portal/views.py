"""The HTML door of the reset: parse, call one service, choose a page."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tenants.evenness import on_the_beat
from tenants.fields import read_fields
from tenants.limits import MAX_USER_ID

from .. import captcha, services
from ..flow import State
from ..services import NoFlow
from . import words
from .admission import (
    CAPTCHA_FIELDS,
    Waiting,
    admit,
    captcha_context,
    find_waiting,
    forget_waiting,
    waiting_page,
)
from .aid import pass_on
from .context import host_tenant, origin_of, page_context, plain_url, shown_at
from .guests import go_on
from .pages import error_page
from .steps import to_flow

_OTHER_DOORS = {"help": pass_on, "sign_up": go_on}
_WHO_SALT = "resets.portal.who"
_WHO_SECONDS = 600


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    context = page_context(request, host_tenant(request), state="home")
    context |= {
        "reset_url": plain_url("start"),
        "change_url": reverse("password:change"),
        "security_info_url": reverse("security-info:index"),
    }
    return render(request, "portal/home.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@on_the_beat
def start(request: HttpRequest) -> HttpResponse:
    """Find your account: user ID and captcha."""
    now = timezone.now()
    if request.method != "POST":
        return _start_page(request, now, {"user_id": request.GET.get("user_id", "")[:MAX_USER_ID]})
    fields = read_fields(request, ("user_id", *CAPTCHA_FIELDS))
    error = _user_id_error(fields["user_id"])
    if error:
        status = 400 if error == words.TOO_LONG_USER_ID else 200
        return _start_page(request, now, fields, {"user_id": error}, status=status)
    admission = admit(request, fields, now)
    if admission == "wait":
        return waiting_page(request, Waiting("start", fields))
    if admission == "failed":
        return _start_page(request, now, fields, {"user_id": words.CAPTCHA_FAILED}, status=400)
    return _begin(request, fields["user_id"], "", now, hard=admission == "hard")


def _user_id_error(typed: str) -> Any:
    if not typed.strip():
        return words.EMPTY_USER_ID
    return words.TOO_LONG_USER_ID if len(typed.strip()) > MAX_USER_ID else ""


def _start_page(
    request: HttpRequest,
    now: datetime,
    values: Mapping[str, str],
    errors: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
    hard: bool = False,
) -> HttpResponse:
    context = page_context(
        request,
        host_tenant(request),
        state=State.STARTED.value,
        errors=errors or {},
        values={"user_id": values.get("user_id", "")},
        form_action=plain_url("start"),
        **shown_at(request, plain_url("start")),
        **captcha_context(request, now, hard=hard),
    )
    return render(request, "portal/start.html", context, status=status)


@require_GET
@on_the_beat
def wait(request: HttpRequest) -> HttpResponse:
    """Goes on with what was posted too early, without JavaScript.

    A browser can only come back by GET here. What it carries is the signed, single-use ticket of
    its own POST in a cookie that no other site and no mail scanner has.
    """
    waiting = find_waiting(request)
    if waiting is None:
        return HttpResponseRedirect(plain_url("start"))
    now = timezone.now()
    admission = admit(request, waiting.fields, now)
    if admission == "wait":
        return waiting_page(request, waiting)
    if admission == "failed":
        return forget_waiting(HttpResponseRedirect(plain_url("start")))
    if waiting.door in _OTHER_DOORS:
        return forget_waiting(_OTHER_DOORS[waiting.door](request, waiting.fields, now))
    hard = admission == "hard"
    return forget_waiting(_begin(request, waiting.fields["user_id"], "", now, hard=hard))


def _begin(
    request: Any, user_id: str, organisation: str, now: datetime, *, hard: bool
) -> HttpResponse:
    try:
        started = services.start(
            user_id,
            host_tenant=request.host_tenant,
            organisation=organisation,
            origin=origin_of(request),
            now=now,
            hard=hard,
        )
    except NoFlow:
        # The tenant was suspended a moment ago.
        raise Http404 from None
    if started.blocked is not None:
        return error_page(request, "too_many", 429, until=started.blocked.until, now=now)
    if started.harder:
        fields, errors = {"user_id": user_id}, {"user_id": words.CAPTCHA_AGAIN}
        return _start_page(request, now, fields, errors, hard=True)
    if started.ask_organisation or started.handle is None:
        who = signing.dumps([user_id, hard], salt=_WHO_SALT)
        return _organisation_page(request, who, {})
    return to_flow(started.handle)


@require_POST
@on_the_beat
def organisation(request: HttpRequest) -> HttpResponse:
    """A guest whom several organisations know says which one is meant; none is ever listed."""
    now = timezone.now()
    fields = read_fields(request, ("who", "organisation"))
    try:
        user_id, hard = signing.loads(fields["who"], salt=_WHO_SALT, max_age=_WHO_SECONDS)
    except (signing.BadSignature, ValueError):
        return HttpResponseRedirect(plain_url("start"))
    if not fields["organisation"].strip():
        return _organisation_page(request, fields["who"], {"organisation": words.TYPE_ORGANISATION})
    if not captcha.spend(captcha.ticket_digest(fields["who"]), now):
        return HttpResponseRedirect(plain_url("start"))
    return _begin(request, user_id, fields["organisation"], now, hard=hard)


def _organisation_page(request: HttpRequest, who: str, errors: Mapping[str, Any]) -> HttpResponse:
    context = page_context(
        request,
        None,
        state=State.STARTED.value,
        who=who,
        errors=errors,
        language_url=plain_url("start"),
        form_action=plain_url("organisation"),
    )
    return render(request, "portal/organisation.html", context)
