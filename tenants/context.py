"""The tenant in force: which customer the running code works for.

`tenant_context` is the only way in. It opens a transaction, tells PostgreSQL's row-level security
which tenant it is for just that transaction, and sets the context variable that the scoped manager
reads. Without it a query on a tenant's table raises; it never means "all tenants".
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from django.db import connection, transaction

_tenant: ContextVar[UUID | None] = ContextVar("tenant", default=None)


class NoTenant(RuntimeError):
    """A tenant's data was asked for while no tenant was in force."""


class OtherTenant(RuntimeError):
    """A row of another tenant, or a second tenant inside the first one's context."""


def find_current_tenant() -> UUID | None:
    return _tenant.get()


def get_current_tenant() -> UUID:
    """The tenant in force. Raises NoTenant."""
    tenant = _tenant.get()
    if tenant is None:
        raise NoTenant("no tenant is in force; open tenant_context(tenant_id) first")
    return tenant


@contextmanager
def tenant_context(tenant_id: UUID) -> Iterator[None]:
    """Works for one tenant, in one transaction that commits at the end.

    Entering the same tenant again nests (a savepoint); entering another one raises OtherTenant,
    because rows of two tenants must never meet in one transaction.
    """
    if not isinstance(tenant_id, UUID):
        raise NoTenant("a tenant context needs a tenant's id")
    current = _tenant.get()
    if current is not None and current != tenant_id:
        raise OtherTenant("another tenant is in force already")
    nested = current is not None
    with transaction.atomic():
        if not nested:
            _tell_database(str(tenant_id))
        token = _tenant.set(tenant_id)
        try:
            yield
        finally:
            _tenant.reset(token)
    if not nested and connection.in_atomic_block:
        # The setting lives as long as the outermost transaction, which somebody else opened.
        _tell_database("")


def _tell_database(value: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.tenant', %s, true)", [value])
