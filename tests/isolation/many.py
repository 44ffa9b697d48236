"""Many rows of every walled table for the tenant in force, made from what the models say."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import models

from tenants.models import Tenant
from tenants.scoping import TenantModel, tenant_models
from tests.cast import Organisation
from tests.isolation.rows import is_given, needed_by, value_of


def make_many(
    organisation: Organisation, rows: Mapping[type[TenantModel], Any], number: int
) -> dict[type[models.Model], Sequence[UUID]]:
    """The ids of all rows by model. `rows` is what `make_rows` gave. Where a tenant may have only a
    few rows of a table, there are only these few."""
    ids: dict[type[models.Model], Sequence[UUID]] = {Tenant: [organisation.id]}
    waiting = list(tenant_models())
    while waiting:
        ready = [model for model in waiting if needed_by(model) <= ids.keys()]
        for model in ready:
            ids[model] = _make(model, rows, ids, number)
            waiting.remove(model)
    return ids


def _make(
    model: type[TenantModel], rows: Mapping[Any, Any], ids: Mapping[Any, Any], number: int
) -> list[UUID]:
    there = model.objects.count()
    made = [_row(model, rows, ids, place) for place in range(max(0, number - there))]
    # A second policy, a second number of the same kind: what may be there once stays once.
    model.objects.bulk_create(made, ignore_conflicts=True)
    return list(model.objects.order_by("pk").values_list("pk", flat=True)[: 2 * number])


def _row(
    model: type[TenantModel], rows: Mapping[Any, Any], ids: Mapping[Any, Any], place: int
) -> Any:
    values: dict[str, Any] = {}
    for nth, field in enumerate(model._meta.local_fields):
        if field.name not in {"id", "tenant"} and is_given(field):
            values[field.attname] = _value(field, rows, ids, place + nth)
    return model(**values)


def _value(field: Any, rows: Mapping[Any, Any], ids: Mapping[Any, Any], place: int) -> object:
    if field.is_relation:
        known = ids[field.related_model]
        return known[place % len(known)]
    if field.choices:
        return field.choices[place % len(field.choices)][0]
    if isinstance(field, models.CharField | models.TextField):
        return uuid.uuid4().hex[: field.max_length]
    if isinstance(field, models.IntegerField):
        return place + 2
    return value_of(field, dict(rows), "x")
