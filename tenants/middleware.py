"""Host → tenant. Shared hosts belong to nobody; a host that nobody owns does not exist (R-1)."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse

from .front import find_front
from .models import Tenant

PROBES = ("/healthz", "/readyz", "/metrics")
# Where somebody is signed in, or signs in: a suspended tenant has no door there any more, and one
# that has just opened its door to guests has one.
ASKED_ANEW = (
    "/admin/",
    "/operator/",
    "/sign-in/",
    "/security-info/",
    "/change-password/",
    "/authenticator/",
    "/oidc/",
    "/sign-up/",
)
# What is sent here begins something after a captcha, with which the host's tenant is asked for.
DOORS = ("/reset/", "/help/")
_STEP = re.compile(r"/reset/[0-9a-f-]{36}/")


class TenantRequest(HttpRequest):
    """A request after TenantMiddleware: tenant and id are nothing on a shared host."""

    host_tenant: UUID | None
    front: Tenant | None


class TenantMiddleware:
    """Sets `request.host_tenant` and `request.front`, or answers 404."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        request.host_tenant = request.front = None
        if request.path in PROBES:
            return self.get_response(request)
        try:
            host = host_name(request.get_host())
        except DisallowedHost:
            return HttpResponse(status=400)
        if host not in settings.SSPR_SHARED_HOSTS:
            request.front = find_front(host, kept=_may_be_kept(request))
            if request.front is None:
                return HttpResponse("Not found\n", status=404, content_type="text/plain")
            request.host_tenant = request.front.pk
        return self.get_response(request)


def _may_be_kept(request: HttpRequest) -> bool:
    """Whether the answer only shows the tenant's look, belongs to a journey that knows its own
    tenant, or is given after the tenant was asked for again."""
    if request.path.startswith(ASKED_ANEW):
        return False
    shows = request.method in {"GET", "HEAD"} or request.path in DOORS
    return shows or _STEP.match(request.path) is not None


def host_name(host: str) -> str:
    """Lower case and without the port: `Acme.Example:8000` → `acme.example`."""
    name = host.lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0].rstrip(".")
