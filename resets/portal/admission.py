"""The captcha at the doors of the portal: solved, to be waited for, or failed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from tenants.limits import TICKET_WAIT
from tenants.middleware import host_name

from .. import captcha
from .context import host_tenant, page_context

CAPTCHA_FIELDS = ("altcha", "ticket")
_WAIT_SALT = "resets.portal.wait"
_WAIT_SECONDS = 900

Admission = Literal["ok", "wait", "failed"]


def captcha_context(request: HttpRequest, now: datetime) -> dict[str, str]:
    host = host_name(request.get_host())
    return {"challenge": captcha.new_challenge(host, now), "ticket": captcha.new_ticket(host, now)}


def admit(request: HttpRequest, fields: Mapping[str, str], now: datetime) -> Admission:
    """Judges the captcha and spends it. A proof of work that is there decides alone."""
    host = host_name(request.get_host())
    if fields["altcha"]:
        digest = captcha.find_solution(fields["altcha"], host, now)
        return "ok" if digest is not None and captcha.spend(digest, now) else "failed"
    age = captcha.ticket_age(fields["ticket"], host, now)
    if age is None:
        return "failed"
    if not captcha.is_ripe(age):
        return "wait"
    return "ok" if captcha.spend(captcha.ticket_digest(fields["ticket"]), now) else "failed"


@dataclass(frozen=True)
class Waiting:
    """What was sent too early, kept by the browser until it may be sent again."""

    door: str
    fields: Mapping[str, str]


def waiting_page(request: Any, waiting: Waiting) -> HttpResponse:
    """The page that comes back by itself; what was typed waits in a signed cookie."""
    context = page_context(
        request,
        host_tenant(request),
        state="waiting",
        refresh_seconds=int(TICKET_WAIT.total_seconds()),
        continue_url=reverse("portal:wait"),
    )
    response = render(request, "portal/wait.html", context)
    kept = {name: value for name, value in waiting.fields.items() if name != "altcha"}
    response.set_cookie(
        settings.WAIT_COOKIE_NAME,
        signing.dumps([waiting.door, kept], salt=_WAIT_SALT, compress=True),
        max_age=_WAIT_SECONDS,
        secure=settings.SECURE,
        httponly=True,
        samesite="Strict",
    )
    return response


def find_waiting(request: HttpRequest) -> Waiting | None:
    cookie = request.COOKIES.get(settings.WAIT_COOKIE_NAME, "")
    try:
        door, fields = signing.loads(cookie, salt=_WAIT_SALT, max_age=_WAIT_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return Waiting(door, {"altcha": "", **fields})


def forget_waiting(response: HttpResponse) -> HttpResponse:
    response.delete_cookie(settings.WAIT_COOKIE_NAME, samesite="Strict")
    return response
