"""One browser on its way to a provider: found, counted, sent. What every view that sends uses."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from tenants.context import tenant_context
from tenants.counters import Count, count_up
from tenants.limits import LIMITS
from tenants.models import Tenant
from tenants.pages import address_of, page_context, site_of

from ..models import IdentityProvider
from ..signin.onwards import onwards
from .metadata import ProviderFailed, metadata_of
from .redirections import Trip, depart
from .rules import AWAY_FOR


def find_provider(slug: str, *, purpose: str) -> IdentityProvider | None:
    """The enabled provider of that name in the tenant in force, if it is trusted for this."""
    row = IdentityProvider.objects.filter(slug=slug, is_enabled=True, tenant__active=True).first()
    trusted = row is not None and {
        "sign_in": row.signs_in,
        "proof": row.proves,
        "link": row.signs_in or row.proves,
    }.get(purpose, False)
    return row if trusted else None


def send_away(
    request: HttpRequest,
    tenant: UUID,
    slug: str,
    trip: Callable[[str], Trip],
    now: datetime,
) -> HttpResponse:
    """Sends the browser to the provider. `trip` gets the address to come back to and is called in
    the tenant's context. Counted first, by network address."""
    with tenant_context(tenant):
        front = Tenant.objects.filter(active=True).first()
        planned = trip(f"{site_of(request)}{reverse('federation:callback', args=[slug])}")
        provider = find_provider(slug, purpose=planned.purpose)
        limit = Count(LIMITS["redirections_by_address"], address_of(request))
        blocked = count_up([limit], now).blocked
    if front is None or provider is None:
        return problem_page(request, front, "unknown", status=404)
    if blocked is not None:
        return problem_page(request, front, "too_many", status=429)
    try:
        metadata = metadata_of(provider.issuer)
    except ProviderFailed:
        return problem_page(request, front, "unreachable", provider=provider.name, status=503)
    with tenant_context(tenant):
        away = depart(provider, metadata, planned, now)
    response = onwards(request, away.url, front)
    response.set_cookie(
        cookie_name(away.redirection),
        away.kept,
        max_age=int(AWAY_FOR.total_seconds()),
        path="/",
        secure=settings.SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def cookie_name(redirection: UUID) -> str:
    """Each trip has its own, so that two windows do not get in each other's way."""
    prefix = "__Host-" if settings.SECURE else ""
    return f"{prefix}sspr_away_{redirection.hex[:12]}"


def problem_page(
    request: HttpRequest, tenant: Tenant | None, kind: str, *, status: int, **more: Any
) -> HttpResponse:
    """What went wrong, in our own words: nothing a provider wrote is shown."""
    context = page_context(request, tenant, state="error", kind=kind, **more)
    return render(request, "federation/problem.html", context, status=status)
