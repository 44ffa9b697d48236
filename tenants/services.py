"""Making tenants: the row and its data key always come together."""

import uuid
from typing import Any
from uuid import UUID

from django.db import IntegrityError

from . import lookup
from .context import tenant_context
from .keys import new_wrapped_key
from .models import Tenant, TenantKey

FIRST_KEY = 1
PLATFORM_SLUG = "-"


class TenantExists(ValueError):
    """Another tenant has this slug already."""


def create_tenant(slug: str, name: str, **fields: Any) -> Tenant:
    """A new tenant with its first data key; `fields` are further columns of `Tenant`.

    Works in the transaction that is open. Raises TenantExists when the slug is taken, and
    OtherTenant inside the context of a tenant, unless `fields` carries that one's `id`.
    """
    tenant_id: UUID = fields.pop("id", None) or uuid.uuid4()
    with tenant_context(tenant_id):
        try:
            with tenant_context(tenant_id):
                tenant = Tenant.objects.create(id=tenant_id, slug=slug, name=name, **fields)
        except IntegrityError:
            raise TenantExists(f"there is a tenant {slug} already") from None
        TenantKey.objects.create(version=FIRST_KEY, wrapped=new_wrapped_key(tenant_id, FIRST_KEY))
    return tenant


def get_platform() -> UUID:
    """The row that stands for the installation itself, made when it is missing.

    Two processes that both miss it end with the same row. Raises OtherTenant when it is missing
    and a tenant is in force.
    """
    found = _find_platform()
    if found is not None:
        return found
    try:
        return create_tenant(PLATFORM_SLUG, "", platform=True).id
    except TenantExists:
        return lookup.platform_id()


def _find_platform() -> UUID | None:
    try:
        return lookup.platform_id()
    except IndexError:
        return None
