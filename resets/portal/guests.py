"""The doors of people from outside: signing up, and the link of an invitation."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from accounts import guests
from accounts.guests import Invited, SignUp
from accounts.models import User
from accounts.password_checks import password_rules
from accounts.passwords.messages import requirements
from tenants.context import tenant_context
from tenants.evenness import on_the_beat
from tenants.fields import BadForm, read_fields
from tenants.limits import MAX_CONTACT, MAX_PASSWORD
from tenants.models import Tenant
from tenants.rules import rules_of
from tenants.secret import Secret
from tenants.services import get_platform

from ..services.meant import find_organisation
from . import words
from .admission import CAPTCHA_FIELDS, Waiting, admit, captcha_context, waiting_page
from .context import clock, host_tenant, origin_of, page_context, plain_url
from .pages import error_page, texts

MAX_NAME = 256


@require_http_methods(["GET", "HEAD", "POST"])
@on_the_beat
def sign_up_page(request: Any) -> HttpResponse:
    """An address; what comes of it is told by mail, so that the page tells nothing."""
    now, tenant = timezone.now(), host_tenant(request)
    if tenant is not None and not tenant.guest_sign_up:
        context = page_context(request, tenant, state="sign_up_closed")
        return render(request, "portal/sign_up_closed.html", context, status=403)
    if request.method != "POST":
        return _page(request, now, {})
    fields = read_fields(request, ("email", "organisation", *CAPTCHA_FIELDS))
    errors = _errors(fields, tenant)
    if errors:
        return _page(request, now, fields, errors)
    admission = admit(request, fields, now)
    if admission == "wait":
        return waiting_page(request, Waiting("sign_up", fields))
    if admission == "failed":
        return _page(request, now, fields, {"email": words.CAPTCHA_FAILED}, status=400)
    return go_on(request, fields, now)


def _errors(fields: Mapping[str, str], tenant: Tenant | None) -> dict[str, Any]:
    if len(fields["email"]) > MAX_CONTACT or len(fields["organisation"]) > MAX_CONTACT:
        raise BadForm("far longer than any address")
    errors: dict[str, Any] = {}
    if "@" not in fields["email"].strip(" @"):
        errors["email"] = words.TYPE_EMAIL
    if tenant is None and not fields["organisation"].strip():
        errors["organisation"] = words.TYPE_ORGANISATION
    return errors


def go_on(request: Any, fields: Mapping[str, str], now: datetime) -> HttpResponse:
    """After the captcha. An organisation that nobody has is answered like one that has a door."""
    found = request.host_tenant or find_organisation(fields["organisation"]) or get_platform()
    origin = origin_of(request)
    asked = SignUp(fields["email"], origin.address, get_language() or "")
    until = guests.sign_up(found, asked, now=now)
    if until is not None:
        return error_page(request, "too_many", 429, until=until, now=now)
    context = page_context(request, host_tenant(request), state="sign_up_sent")
    return render(request, "portal/sign_up_sent.html", context)


def _page(
    request: HttpRequest,
    now: datetime,
    values: Mapping[str, str],
    errors: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    tenant = host_tenant(request)
    context = page_context(
        request,
        tenant,
        state="sign_up",
        ask_organisation=tenant is None,
        values={name: values.get(name, "") for name in ("email", "organisation")},
        errors=errors or {},
        form_action=plain_url("sign_up"),
        **captcha_context(request, now),
    )
    return render(request, "portal/sign_up.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@sensitive_variables()
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Shows what will happen; only the button does it, so a mail scanner joins nothing."""
    now = timezone.now()
    invited = guests.find_invited(token, now=now)
    if invited is None:
        return _over(request)
    if request.method != "POST":
        return _invitation_page(request, invited)
    fields = read_fields(request, ("display_name", "new_password"))
    if len(fields["display_name"]) > MAX_NAME or len(fields["new_password"]) > MAX_PASSWORD * 4:
        raise BadForm("far longer than any name or password")
    if _keeps_password(invited) and not fields["new_password"]:
        return _invitation_page(request, invited, errors={"new_password": words.TYPE_PASSWORD})
    accepted = guests.accept(
        token,
        fields["display_name"],
        Secret(fields["new_password"]),
        address=origin_of(request).address,
        now=now,
    )
    if accepted.kind == "over":
        return _over(request)
    if accepted.kind == "weak":
        reasons = texts(accepted.violations)
        errors = {"new_password": reasons[0]}
        return _invitation_page(request, invited, errors=errors, password_errors=reasons)
    context = page_context(
        request,
        invited.tenant,
        state="joined",
        user_id=accepted.user_id,
        hint=invited.hint,
        kept_elsewhere=not _keeps_password(invited),
        when=clock(now),
        sign_in_url=reverse("sign-in:sign-in"),
    )
    return render(request, "portal/joined.html", context)


def _keeps_password(invited: Invited) -> bool:
    return not invited.home and invited.origin != User.Origin.PERSONAL


def _invitation_page(
    request: HttpRequest, invited: Invited, errors: Mapping[str, Any] | None = None, **more: Any
) -> HttpResponse:
    with tenant_context(invited.tenant.pk):
        known = rules_of(invited.tenant)
        rules = password_rules(known.policy, known.subscription, User.Source.CLOUD)
    context = page_context(
        request,
        invited.tenant,
        state="invitation",
        errors=errors or {},
        hint=invited.hint,
        origin=invited.origin,
        keeps_password=_keeps_password(invited),
        values={"display_name": request.POST.get("display_name", invited.display_name)},
        requirements=requirements(rules),
        min_length=rules.shortest,
        rule_set=rules.rules,
        password_rules_attr=f"minlength: {rules.shortest}; maxlength: {rules.longest};",
        **more,
    )
    return render(request, "portal/invitation.html", context)


def _over(request: HttpRequest) -> HttpResponse:
    context = page_context(request, host_tenant(request), state="invitation_ended")
    return render(request, "portal/invitation_ended.html", context, status=410)
