"""Which other services the sign-in page offers."""

from collections.abc import Mapping, Sequence

from django.urls import reverse

from tenants.context import tenant_context
from tenants.models import Tenant

from ..models import IdentityProvider
from ..signin.onwards import with_next


def providers_of(tenant: Tenant | None, wanted: str) -> Sequence[Mapping[str, str]]:
    """Name and address of each provider people of this tenant sign in with; on the shared host,
    where nobody's tenant is known yet, there are none."""
    if tenant is None:
        return ()
    with tenant_context(tenant.pk):
        rows = IdentityProvider.objects.filter(is_enabled=True, signs_in=True)
        found = list(rows.order_by("name"))
    return [{"name": row.name, "url": _address(row.slug, wanted)} for row in found]


def _address(slug: str, wanted: str) -> str:
    start = reverse("federation:start", args=[slug])
    return with_next(start, wanted) if wanted else start
