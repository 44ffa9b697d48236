"""The captcha at the doors of the portal: solved, to be waited for, or failed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from tenants.front import find_front
from tenants.limits import HARD_TICKET_WAIT, TICKET_WAIT
from tenants.lookup import find_owner
from tenants.middleware import host_name

from .. import captcha
from .context import host_tenant, page_context, plain_url

CAPTCHA_FIELDS = ("altcha", "ticket")
_WAIT_SALT = "resets.portal.wait"
_WAIT_SECONDS = 900

Admission = Literal["ok", "hard", "wait", "failed"]


def captcha_context(request: HttpRequest, now: datetime, *, hard: bool = False) -> dict[str, str]:
    host = host_name(request.get_host())
    return {
        "challenge": captcha.new_challenge(host, now, hard=hard),
        "ticket": captcha.new_ticket(host, now, hard=hard),
    }


def admit(request: HttpRequest, fields: Mapping[str, str], now: datetime) -> Admission:
    """Judges the captcha and spends it; `hard` where it was the harder one.

    A proof of work that is there decides alone. Raises Http404 where the host is nobody's any more.
    """
    host = host_name(request.get_host())
    digest, admission = None, _age_of(fields["ticket"], host, now)
    if fields["altcha"]:
        digest, admission = _solution_of(fields["altcha"], host, now)
    elif admission in {"ok", "hard"}:
        digest = captcha.ticket_digest(fields["ticket"])
    if admission in {"wait", "failed"}:
        return admission
    return admission if digest is not None and _spend(request, digest, now) else "failed"


def _spend(request: Any, answer: bytes, now: datetime) -> bool:
    """Spends the answer. Whose host this is is asked with it: the door was shown from memory."""
    if request.front is None:
        return captcha.spend(answer, now)
    host = host_name(request.get_host())
    owner, spent = find_owner(host, captcha.spending(answer, now))
    if owner != request.front.pk:
        request.front = find_front(host, kept=False)
        if request.front is None:
            raise Http404
        request.host_tenant = request.front.pk
    return spent


def _solution_of(payload: str, host: str, now: datetime) -> tuple[bytes | None, Admission]:
    easy = captcha.find_solution(payload, host, now)
    if easy is not None:
        return easy, "ok"
    hard = captcha.find_solution(payload, host, now, hard=True)
    return hard, "hard" if hard is not None else "failed"


def _age_of(ticket: str, host: str, now: datetime) -> Admission:
    for hard in (False, True):
        age = captcha.ticket_age(ticket, host, now, hard=hard)
        if age is not None and not captcha.is_ripe(age, hard=hard):
            return "wait"
        if age is not None:
            return "hard" if hard else "ok"
    return "failed"


def _seconds_to_wait(request: HttpRequest, waiting: "Waiting") -> int:
    """Until what was sent too early may be sent again."""
    host, ticket = host_name(request.get_host()), waiting.fields["ticket"]
    hard = captcha.ticket_age(ticket, host, timezone.now(), hard=True) is not None
    return int((HARD_TICKET_WAIT if hard else TICKET_WAIT).total_seconds())


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
        refresh_seconds=_seconds_to_wait(request, waiting),
        continue_url=plain_url("wait"),
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
