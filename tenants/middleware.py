"""Host → tenant. Shared hosts belong to nobody; a host that nobody owns does not exist (R-1)."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse

from .lookup import find_tenant

PROBES = ("/healthz", "/readyz")


class TenantRequest(HttpRequest):
    """A request after TenantMiddleware: `host_tenant` is nothing on a shared host."""

    host_tenant: UUID | None


class TenantMiddleware:
    """Sets `request.host_tenant`, or answers 404."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        request.host_tenant = None
        if request.path in PROBES:
            return self.get_response(request)
        try:
            host = host_name(request.get_host())
        except DisallowedHost:
            return HttpResponse(status=400)
        if host not in settings.SSPR_SHARED_HOSTS:
            request.host_tenant = find_tenant(host=host)
            if request.host_tenant is None:
                return HttpResponse("Not found\n", status=404, content_type="text/plain")
        return self.get_response(request)


def host_name(host: str) -> str:
    """Lower case and without the port: `Acme.Example:8000` → `acme.example`."""
    name = host.lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0].rstrip(".")
