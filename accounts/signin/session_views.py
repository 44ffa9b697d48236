"""Signed in elsewhere: the list of a person's sessions, ending one or all others; signing out."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.views.decorators.http import require_GET, require_POST

from tenants.fields import read_fields
from tenants.pages import address_of, host_tenant, page_context

from ..methods.words import LABELS
from .own_sessions import OwnSession, end_other_sessions, end_session, own_sessions, sign_out_here
from .person import SignedIn, find_signed_in, for_signed_in
from .services import session_hash
from .stages import own_page
from .words import PASSWORD_NAME

DONE = {"one", "others"}


@require_GET
@for_signed_in
def sessions(request: HttpRequest, person: SignedIn) -> HttpResponse:
    """Where this person is signed in now."""
    found = own_sessions(person, session_hash(request), timezone.now())
    done = request.GET.get("done", "")
    context = page_context(
        request,
        person.tenant,
        state="sessions",
        sessions=[_line(each) for each in found],
        others=sum(not each.here for each in found),
        done=done if done in DONE else "",
        user_id=person.user.user_id,
        end_url=reverse("sign-in:end-session"),
        end_others_url=reverse("sign-in:end-other-sessions"),
        out_url=reverse("sign-in:out"),
        own_url=own_page(),
    )
    return render(request, "signin/sessions.html", context)


def _line(session: OwnSession) -> dict[str, Any]:
    return {
        "id": session.id,
        "browser": session.browser,
        "address": session.address,
        "begun": _moment(session.begun_at),
        "seen": _moment(session.seen_at),
        "methods": [LABELS.get(name, PASSWORD_NAME) for name in session.methods],
        "here": session.here,
    }


def _moment(moment: datetime) -> str:
    local = timezone.localtime(moment)
    day, time = date_format(local, "DATE_FORMAT"), time_format(local, "H:i")
    return f"{day}, {time} {local.tzname()}"


@require_POST
@for_signed_in
def end_one(request: HttpRequest, person: SignedIn) -> HttpResponse:
    """Signs out one other browser. One that is gone already is as good as ended."""
    fields = read_fields(request, ("session",))
    try:
        wanted = UUID(fields["session"])
    except ValueError:
        return _see_sessions()
    end_session(
        person, wanted, session_hash(request), address=address_of(request), now=timezone.now()
    )
    return _see_sessions("one")


@require_POST
@for_signed_in
def end_others(request: HttpRequest, person: SignedIn) -> HttpResponse:
    """Signs out everywhere but here."""
    read_fields(request, ())
    now = timezone.now()
    end_other_sessions(person, session_hash(request), address=address_of(request), now=now)
    return _see_sessions("others")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Ends this browser's session, whoever's it was; a second press does no harm."""
    read_fields(request, ())
    person = find_signed_in(request)
    if person is not None:
        sign_out_here(person, address=address_of(request), now=timezone.now())
    request.session.flush()
    tenant = person.tenant if person is not None else host_tenant(request)
    context = page_context(
        request, tenant, state="signed_out", sign_in_url=reverse("sign-in:sign-in")
    )
    return render(request, "signin/signed_out.html", context)


def _see_sessions(done: str = "") -> HttpResponse:
    query = f"?done={done}" if done else ""
    response = HttpResponseRedirect(reverse("sign-in:sessions") + query)
    response.status_code = 303
    return response
