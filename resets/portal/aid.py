"""Contact your administrator, "this was not me", and the tenant's colour."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from tenants.colors import readable_on
from tenants.evenness import on_the_beat
from tenants.fields import read_fields
from tenants.limits import MAX_USER_ID

from .. import services
from ..services.help import MAX_NOTE
from . import words
from .admission import CAPTCHA_FIELDS, Waiting, admit, captcha_context, waiting_page
from .context import host_tenant, origin_of, page_context, plain_url
from .pages import error_page


@require_http_methods(["GET", "HEAD", "POST"])
@on_the_beat
def help_request(request: HttpRequest) -> HttpResponse:
    """A message to the help desk or the administrators, open to everybody."""
    now = timezone.now()
    if request.method != "POST":
        values = {
            "user_id": request.GET.get("user_id", "")[:MAX_USER_ID],
            "reference": request.GET.get("reference", "")[:20],
        }
        return _help_page(request, now, values)
    fields = read_fields(request, ("user_id", "note", "reference", *CAPTCHA_FIELDS))
    errors: dict[str, Any] = {}
    if not fields["user_id"].strip():
        errors["user_id"] = words.EMPTY_USER_ID
    elif len(fields["user_id"].strip()) > MAX_USER_ID:
        errors["user_id"] = words.TOO_LONG_USER_ID
    if len(fields["note"]) > MAX_NOTE:
        errors["note"] = words.NOTE_TOO_LONG
    if errors:
        return _help_page(request, now, fields, errors)
    admission = admit(request, fields, now)
    if admission == "wait":
        return waiting_page(request, Waiting("help", fields))
    if admission == "failed":
        return _help_page(request, now, fields, {"user_id": words.CAPTCHA_FAILED}, status=400)
    return pass_on(request, fields, now)


def pass_on(request: Any, fields: Mapping[str, str], now: datetime) -> HttpResponse:
    passed = services.ask_for_help(
        services.HelpRequest(fields["user_id"], fields["note"], fields["reference"]),
        host_tenant=request.host_tenant,
        origin=origin_of(request),
        now=now,
    )
    if not passed:
        return error_page(request, "too_many", 429)
    context = page_context(request, host_tenant(request), state="help_sent")
    return render(request, "portal/help_sent.html", context)


def _help_page(
    request: HttpRequest,
    now: datetime,
    values: Mapping[str, str],
    errors: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    context = page_context(
        request,
        host_tenant(request),
        state="help",
        values={name: values.get(name, "") for name in ("user_id", "note", "reference")},
        errors=errors or {},
        form_action=plain_url("help"),
        **captcha_context(request, now),
    )
    return render(request, "portal/help.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def not_me(request: HttpRequest, token: str) -> HttpResponse:
    """Shows what will happen; only the button does it, so a mail scanner freezes nobody."""
    now = timezone.now()
    if request.method != "POST":
        works = services.is_repudiable(token, now=now)
        name, status = ("repudiate", 200) if works else ("repudiate_ended", 410)
    else:
        read_fields(request, ())
        done = services.repudiate(token, origin=origin_of(request), now=now)
        name, status = ("repudiated", 200) if done else ("repudiate_ended", 410)
    context = page_context(request, None, state=name)
    return render(request, f"portal/{name}.html", context, status=status)


@require_GET
def theme(request: HttpRequest, color: str) -> HttpResponse:
    """The tenant's colour as a style sheet of its own; the policy allows no inline styles."""
    css = f":root{{--brand:#{color};--on-brand:{readable_on(color)}}}\n"
    return HttpResponse(css, content_type="text/css; charset=utf-8")
