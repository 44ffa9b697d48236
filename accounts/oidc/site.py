"""Who we are on the site that was asked, and whose tenant's rows are meant there."""

from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse

from tenants.pages import site_of

SEPARATOR = "."


def issuer_of(request: HttpRequest) -> str:
    """The issuer: `https://contoso.example/oidc` on a tenant's own host, and the installation's
    name on the shared one."""
    return f"{site_of(request)}/oidc"


def absolute(request: HttpRequest, name: str) -> str:
    return f"{site_of(request)}{reverse(f'oidc:{name}')}"


def tenant_named_by(value: str | None, request: HttpRequest) -> UUID | None:
    """The tenant that a client ID or token begins with; nothing where it is not this host's."""
    head, dot, _ = (value or "").partition(SEPARATOR)
    host_tenant = getattr(request, "host_tenant", None)
    try:
        named = UUID(hex=head) if dot and len(head) == 32 else None
    except ValueError:
        return None
    return named if host_tenant in {None, named} else None
