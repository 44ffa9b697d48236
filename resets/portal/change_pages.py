"""The pages of changing a known password, whoever keeps it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from accounts.models import User
from accounts.passwords.messages import requirements
from accounts.signin.due import password_due
from accounts.signin.person import SignedIn
from tenants.context import tenant_context
from tenants.pages import safe_next

from ..services.change import change_terms
from ..services.directory_change import find_obstacle
from ..services.reading import directory_rules
from . import words
from .context import clock, page_context, plain_url
from .directory_words import directory_form


def form_page(
    request: HttpRequest,
    person: SignedIn,
    now: datetime,
    *,
    errors: Mapping[str, Any] | None = None,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    """The old password and a new one, under the rules of whoever keeps it; or why not."""
    with tenant_context(person.tenant.pk):
        if person.user.source == User.Source.CLOUD:
            rules = _cloud_rules(person, now)
        else:
            rules = _directory_rules(person, now)
        why = password_due(person.user, now)
    values = {
        "state": "change",
        "errors": errors or {},
        "values": {"user_id": person.user.user_id, "next": next_of(request)},
        "form_action": reverse("password:change"),
        "why": why,
        "forgot_url": plain_url("start"),
        **rules,
        **more,
    }
    context = page_context(request, person.tenant, **values)
    return render(request, "portal/change.html", context, status=status)


def _cloud_rules(person: SignedIn, now: datetime) -> dict[str, Any]:
    rules = change_terms(person, now).rules
    return {
        "obstacle": "",
        "requirements": requirements(rules),
        "min_length": rules.shortest,
        "rule_set": rules.rules,
        "password_rules_attr": f"minlength: {rules.shortest}; maxlength: {rules.longest};",
    }


def _directory_rules(person: SignedIn, now: datetime) -> dict[str, Any]:
    obstacle = find_obstacle(person, now)
    form = directory_form(directory_rules(person.user)) if not obstacle else {}
    return {"obstacle": obstacle, **form}


def next_of(request: HttpRequest) -> str:
    """Where the person goes on to afterwards."""
    wanted = request.POST.get("next", request.GET.get("next", ""))
    return safe_next(request, wanted, "")


def done_page(request: HttpRequest, person: SignedIn, when: str, **more: Any) -> HttpResponse:
    context = page_context(
        request,
        person.tenant,
        state="done",
        operation="change",
        when=when,
        ended_sessions=True,
        next_url=next_of(request) or plain_url("home"),
        not_me_text=words.NOT_ME,
        **more,
    )
    return render(request, "portal/done.html", context)


def locked_text(until: datetime) -> str:
    return words.LOCKED_UNTIL % {"until": clock(until)}
