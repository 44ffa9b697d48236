"""The tenant in force: which customer the running code works for.

`tenant_context` is the way in; `tenant_reading` is, where nothing is written. The first opens a
transaction, tells PostgreSQL's row-level security which tenant it is for just that transaction, and
sets the context variable that the scoped manager reads. Without it a query on a tenant's table
raises; it never means "all tenants".
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from .statements import is_embedded, run, take_debt, tell, telling, told_with_the_first

_tenant: ContextVar[UUID | None] = ContextVar("tenant", default=None)
# Whether the database knows the tenant in the transaction that is open now.
_told: ContextVar[bool] = ContextVar("told", default=False)


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
    nested = _enter(tenant_id) and _told.get()
    with transaction.atomic(), nullcontext() if nested else told_with_the_first(str(tenant_id)):
        token, told = _tenant.set(tenant_id), _told.set(True)
        try:
            yield
        finally:
            _tenant.reset(token)
            _told.reset(told)
    if not nested and connection.in_atomic_block:
        # The setting lives as long as the outermost transaction, which somebody else opened.
        tell("")


@contextmanager
def tenant_reading(tenant_id: UUID) -> Iterator[None]:
    """Works for one tenant without a transaction around it: each `Reading` is its own.

    Any other query on a tenant's table finds nothing here, because the database knows no tenant.
    """
    if _enter(tenant_id):
        yield
        return
    token = _tenant.set(tenant_id)
    try:
        yield
    finally:
        _tenant.reset(token)


def fetch_for_tenant(statement: str, values: Sequence[Any], columns: str) -> list[Any]:
    """The rows a statement finds for the tenant in force, in `tenant_context` or `tenant_reading`.

    Where PostgreSQL does not know the tenant, which in the latter it never does, the statement
    tells it itself; `columns` say how (`statements.telling`).
    """
    tenant = str(get_current_tenant())
    if is_embedded():
        return _fetched(statement, values)
    owing: str | None = tenant if not _told.get() else take_debt()
    if owing is None:
        return _fetched(statement, values)
    found = _fetched(telling(statement, columns), [owing, *values])
    if not _told.get() and connection.in_atomic_block:
        tell("")
    return found[1:]


def _fetched(statement: str, values: Sequence[Any]) -> list[Any]:
    with run(statement, values) as cursor:
        return list(cursor.fetchall())


def _enter(tenant_id: UUID) -> bool:
    """Whether this tenant is in force already. Raises NoTenant, OtherTenant."""
    if not isinstance(tenant_id, UUID):
        raise NoTenant("a tenant context needs a tenant's id")
    current = _tenant.get()
    if current is not None and current != tenant_id:
        raise OtherTenant("another tenant is in force already")
    return current is not None
