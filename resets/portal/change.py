"""Changing a known password: `/change-password/`, for somebody who is signed in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods

from accounts.models import User
from accounts.passwords.messages import requirements
from accounts.signin.due import password_due
from accounts.signin.person import SignedIn, for_signed_in
from accounts.signin.services import check_password, session_hash
from tenants.context import tenant_context
from tenants.fields import BadForm, read_fields
from tenants.limits import MAX_PASSWORD
from tenants.pages import safe_next
from tenants.secret import Secret

from ..services.change import Changed, Passwords, change_password, change_terms
from . import words
from .context import clock, origin_of, page_context, plain_url
from .pages import retry_after, texts


@require_GET
def well_known(request: HttpRequest) -> HttpResponse:
    """Where password managers look for the page (W3C, a well-known URL for changing passwords)."""
    return HttpResponseRedirect(reverse("password:change"))


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@sensitive_variables()
@for_signed_in
def change(request: HttpRequest, person: SignedIn) -> HttpResponse:
    """The old password and a new one."""
    now = timezone.now()
    if request.method != "POST":
        return _page(request, person, now)
    fields = read_fields(request, ("old_password", "new_password", "next"))
    if any(len(fields[name]) > MAX_PASSWORD * 4 for name in ("old_password", "new_password")):
        raise BadForm("far longer than any password")
    errors = {
        name: text
        for name, text in (
            ("old_password", words.TYPE_OLD_PASSWORD),
            ("new_password", words.TYPE_PASSWORD),
        )
        if not fields[name]
    }
    if errors:
        return _page(request, person, now, errors=errors)
    typed = Passwords(Secret(fields["old_password"]), Secret(fields["new_password"]))
    changed = change_password(
        person,
        typed,
        judge=lambda old: check_password(
            request, person.tenant.pk, person.user.user_id, old, now=now
        ),
        session=session_hash(request),
        origin=origin_of(request),
        now=now,
    )
    if changed.kind == "ok":
        return _done(request, person, now)
    return _refused(request, person, changed, now)


def _refused(
    request: HttpRequest, person: SignedIn, changed: Changed, now: datetime
) -> HttpResponse:
    if changed.kind == "elsewhere":
        return _page(request, person, now, status=409)
    if changed.kind == "weak":
        reasons = texts(changed.violations)
        errors = {"new_password": reasons[0]}
        return _page(request, person, now, errors=errors, password_errors=reasons)
    if changed.until is None:
        return _page(request, person, now, errors={"old_password": words.WRONG_OLD_PASSWORD})
    text = words.LOCKED_UNTIL % {"until": clock(changed.until)}
    response = _page(request, person, now, errors={"old_password": text}, status=429)
    return retry_after(response, changed.until, now)


def _page(
    request: HttpRequest,
    person: SignedIn,
    now: datetime,
    *,
    errors: Mapping[str, Any] | None = None,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    with tenant_context(person.tenant.pk):
        terms = change_terms(person, now)
        why = password_due(person.user, now)
    rules = terms.rules
    context = page_context(
        request,
        person.tenant,
        state="change",
        errors=errors or {},
        values={"user_id": person.user.user_id, "next": _next(request)},
        elsewhere=person.user.source != User.Source.CLOUD,
        why=why,
        forgot_url=plain_url("start"),
        requirements=requirements(rules),
        min_length=rules.shortest,
        rule_set=rules.rules,
        password_rules_attr=f"minlength: {rules.shortest}; maxlength: {rules.longest};",
        **more,
    )
    return render(request, "portal/change.html", context, status=status)


def _next(request: HttpRequest) -> str:
    wanted = request.POST.get("next", request.GET.get("next", ""))
    return safe_next(request, wanted, "")


def _done(request: HttpRequest, person: SignedIn, now: datetime) -> HttpResponse:
    # Whoever held the old key holds nothing any more.
    with tenant_context(person.tenant.pk):
        request.session.cycle_key()
        user = User.objects.get(pk=person.user.pk)
        request.session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    context = page_context(
        request,
        person.tenant,
        state="done",
        operation="change",
        when=clock(now),
        ended_sessions=True,
        next_url=_next(request) or plain_url("home"),
        not_me_text=words.NOT_ME,
    )
    return render(request, "portal/done.html", context)
