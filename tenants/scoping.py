"""Wall 1: models of a tenant, whose manager raises when no tenant is in force.

The filter is an expression that is resolved when SQL is made, not when the queryset is: a queryset
built at import time (a form field, an admin class) is harmless, and one carried from one tenant's
context into another's shows the second one's rows.
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar, TypeVar

from django.db import models
from django.db.models.expressions import Expression

from .context import OtherTenant, get_current_tenant


class CurrentTenant(Expression):
    """The id of the tenant in force, as a value in SQL. Raises NoTenant when the SQL is made.

    Every queryset carries it, so it knows by itself what Django would find out anew each time.
    """

    identity = ("CurrentTenant",)

    def __init__(self) -> None:
        super().__init__(output_field=_ID)

    def resolve_expression(self, *args: Any, **kwargs: Any) -> "CurrentTenant":
        return self

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        tenant = _compiling.get() or get_current_tenant()
        return "%s", [_ID.get_db_prep_value(tenant, connection)]


_ID: "models.UUIDField[uuid.UUID, uuid.UUID]" = models.UUIDField()
CURRENT_TENANT = CurrentTenant()
_compiling: ContextVar[uuid.UUID | None] = ContextVar("compiling", default=None)


@contextmanager
def compiling_for(mark: uuid.UUID) -> Iterator[None]:
    """SQL that is only made here, not sent, carries `mark` where the tenant will stand."""
    token = _compiling.set(mark)
    try:
        yield
    finally:
        _compiling.reset(token)


M = TypeVar("M", bound=models.Model)


class TenantQuerySet(models.QuerySet[M]):
    """Writes are checked like reads: a row of another tenant can be neither made nor moved."""

    def bulk_create(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> list[M]:
        if kwargs.get("update_conflicts") and "tenant" not in (kwargs.get("unique_fields") or ()):
            raise OtherTenant("the row in the way may be another tenant's")
        rows = list(objs)
        for row in rows:
            claim_for_current_tenant(row)
        return super().bulk_create(rows, *args, **kwargs)

    def bulk_update(
        self, objs: Iterable[M], fields: Iterable[str], batch_size: int | None = None
    ) -> int:
        names = list(fields)
        rows = list(objs)
        if {"tenant", "tenant_id"} & set(names):
            raise OtherTenant("a row never changes its tenant")
        for row in rows:
            claim_for_current_tenant(row)
        return super().bulk_update(rows, names, batch_size=batch_size)

    def update(self, **kwargs: Any) -> int:
        if {"tenant", "tenant_id"} & kwargs.keys():
            raise OtherTenant("a row never changes its tenant")
        get_current_tenant()
        return super().update(**kwargs)

    def raw(self, *args: Any, **kwargs: Any) -> Any:
        """Whoever writes SQL filters by hand; on PostgreSQL the second wall stands behind it."""
        get_current_tenant()
        return super().raw(*args, **kwargs)


class TenantManager(models.Manager[M]):
    """The manager of every tenant's table: sees the tenant in force, or raises NoTenant."""

    _queryset_class = TenantQuerySet

    def get_queryset(self) -> models.QuerySet[M]:
        return super().get_queryset().filter(tenant_id=CURRENT_TENANT)


def claim_for_current_tenant(row: Any) -> None:
    """Gives a new row the tenant in force; refuses one that belongs to another."""
    tenant = get_current_tenant()
    if row.tenant_id is None:
        row.tenant_id = tenant
    elif row.tenant_id != tenant:
        raise OtherTenant(f"this {row._meta.verbose_name} belongs to another tenant")


class TenantModel(models.Model):
    """Base of every table that holds a tenant's rows (design, decision 6)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(
        "tenants.Tenant", on_delete=models.CASCADE, editable=False, related_name="+"
    )

    objects: ClassVar[TenantManager[Any]] = TenantManager()

    class Meta:
        abstract = True
        # Also what Django itself uses to follow relations, save and delete.
        base_manager_name = "objects"
        default_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        claim_for_current_tenant(self)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        claim_for_current_tenant(self)
        return super().delete(*args, **kwargs)


def tenant_models() -> Sequence[type[TenantModel]]:
    """Every concrete model that holds a tenant's rows."""
    from django.apps import apps

    return [model for model in apps.get_models() if issubclass(model, TenantModel)]
