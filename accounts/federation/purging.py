"""What signing in at and for other services leaves behind, removed when it is good for nothing."""

from datetime import datetime

from tenants.context import tenant_context
from tenants.lookup import tenant_ids

from ..oidc.tokens import purge_authorizations
from .redirections import purge_redirections


def purge_sign_ins(now: datetime) -> int:
    """How many rows went, over every tenant, one after the other."""
    gone = 0
    for tenant in tenant_ids():
        with tenant_context(tenant):
            gone += purge_redirections(now) + purge_authorizations(now)
    return gone
