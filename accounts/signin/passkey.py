"""Signing in with a passkey that the device keeps: no user ID, no password.

The assertion's handle names the tenant, so that a shared host knows where to look; nothing is told
of who exists. A try is counted by network address first. Every failure gets one answer.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from tenants import audit
from tenants.audit import Party
from tenants.context import tenant_context
from tenants.counters import Blocked, Count, count_down, count_up
from tenants.fields import BadForm, read_fields
from tenants.limits import LIMITS, MAX_ASSERTION
from tenants.models import Tenant
from tenants.pages import address_of, clock, host_tenant, page_context, site_of

from ..models import Credential, User
from ..passkey_challenges import LIFETIME, MAX_TICKET, issue, take
from ..passkeys import (
    COPIED,
    METHOD,
    Signing,
    judge,
    lookup_of,
    tell_copied,
    tenant_of_handle,
)
from ..webauthn import (
    Assertion,
    Site,
    decoy_credential,
    find_assertion,
    find_counter,
    find_site,
    request_options,
)
from . import services

PURPOSE = "sign-in"
_ANONYMOUS = Party("anonymous", None, "")


@dataclass(frozen=True)
class Attempt:
    """One try: what was signed, where and when. `tenant` is whose it says it is."""

    assertion: Assertion | None
    site: Site
    challenge: bytes = field(repr=False)
    tenant: UUID | None
    address: str
    now: datetime


def offer(request: HttpRequest, now: datetime) -> dict[str, Any] | None:
    """What a page that offers it carries: options, ticket, address; nothing where it can't work."""
    site = find_site(site_of(request))
    if site is None:
        return None
    issued = issue(PURPOSE, site.origin, now)
    return {
        "options": json.dumps(request_options(site, issued.challenge)),
        "challenge": issued.ticket,
        "lifetime": int(LIFETIME.total_seconds()),
        "action": reverse("sign-in:passkey"),
    }


@sensitive_post_parameters("assertion")
@sensitive_variables("fields", "attempt")
@require_http_methods(["GET", "HEAD", "POST"])
def passkey(request: HttpRequest) -> HttpResponse:
    """Judges what a passkey signed; by GET a fresh challenge for a page that stayed open."""
    now = timezone.now()
    if request.method != "POST":
        return _fresh(request, now)
    fields = read_fields(request, ("assertion", "challenge", "next"))
    if len(fields["assertion"]) > MAX_ASSERTION or len(fields["challenge"]) > MAX_TICKET:
        raise BadForm("longer than anything a passkey signs")
    counts = [Count(LIMITS["passkey_sign_ins_by_address"], address_of(request))]
    # Its own transaction: whatever goes wrong later, the try stays counted.
    with transaction.atomic():
        blocked = count_up(counts, now).blocked
    if blocked is not None:
        return _refused(request, blocked, now)
    user = _find_signer(request, fields["assertion"], fields["challenge"], now)
    if user is None:
        return _refused(request, None, now)
    with transaction.atomic():
        count_down(counts)
    return services.finish_sign_in(request, user, (METHOD,), now)


def _fresh(request: HttpRequest, now: datetime) -> HttpResponse:
    found = offer(request, now)
    if found is None:
        return JsonResponse({}, status=404)
    return JsonResponse({"options": json.loads(found["options"]), "challenge": found["challenge"]})


def _find_signer(request: Any, text: str, ticket: str, now: datetime) -> User | None:
    site = find_site(site_of(request))
    challenge = take(ticket, PURPOSE, site.origin, now) if site is not None else None
    if site is None or challenge is None:
        return None
    assertion = find_assertion(text)
    tenant = tenant_of_handle(assertion.user_handle) if assertion is not None else None
    if request.host_tenant is not None and tenant != request.host_tenant:
        # On its own host a tenant's people are looked for, and nobody else's.
        tenant = None
    attempt = Attempt(assertion, site, challenge, tenant, address_of(request), now)
    return find_signer(attempt)


def find_signer(attempt: Attempt) -> User | None:
    """Who signed this, if they may sign in. What failed is in the trail of a tenant that exists."""
    if attempt.tenant is None or attempt.assertion is None:
        _compare_with_nothing(attempt)
        return None
    with tenant_context(attempt.tenant):
        if not Tenant.objects.filter(active=True, platform=False).exists():
            _compare_with_nothing(attempt)
            return None
        rows = _rows_of(attempt.assertion, attempt.now)
        signing = Signing(attempt.site, attempt.challenge, attempt.now)
        signed = judge(rows, attempt.assertion, signing)
        user: User | None = signed.row.user if signed.row is not None else None
        if user is not None and not signed.cause and _may_sign_in(user):
            return user
        if signed.row is not None and signed.cause == COPIED:
            tell_copied(signed.row, now=attempt.now, address=attempt.address)
        _record_failure(attempt, user, signed.cause or "not allowed")
    return None


def _compare_with_nothing(attempt: Attempt) -> None:
    """As dear as a real comparison."""
    if attempt.assertion is not None:
        find_counter(attempt.assertion, attempt.site, attempt.challenge, decoy_credential())


def _rows_of(assertion: Assertion, now: datetime) -> list[Credential]:
    rows = Credential.objects.select_related("user").filter(
        method=METHOD, lookup=lookup_of(assertion.credential_id), user__isnull=False
    )
    return [row for row in rows if row.is_usable(now)]


def _may_sign_in(user: User) -> bool:
    return user.usable and METHOD not in user.disabled_methods


def _record_failure(attempt: Attempt, user: User | None, cause: str) -> None:
    audit.record(
        "user.sign_in_failed",
        actor=_ANONYMOUS,
        target=Party("user", user.pk, user.user_id) if user is not None else None,
        result="failure",
        reason=f"passkey: {cause}",
        address=attempt.address,
        now=attempt.now,
    )


def _refused(request: HttpRequest, blocked: Blocked | None, now: datetime) -> HttpResponse:
    """One page for every failure: try again, or another way."""
    context = page_context(
        request,
        host_tenant(request),
        state="passkey_refused",
        until=clock(blocked.until) if blocked is not None else "",
        sign_in_url=reverse("sign-in:sign-in"),
        language_url=reverse("sign-in:sign-in"),
    )
    status = 403 if blocked is None else 429
    response = render(request, "signin/passkey_refused.html", context, status=status)
    if blocked is not None:
        seconds = int((blocked.until - now).total_seconds())
        response.headers["Retry-After"] = str(max(1, seconds))
    return response
