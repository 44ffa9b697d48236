"""One row of every walled table for a tenant, made from what the model itself says.

A new TenantModel gets its row here without anybody writing it: required columns are filled by
type, foreign keys with the row made before. What the cast already holds is used as it is.
"""

import uuid
from datetime import UTC, date, datetime
from typing import Any

from django.db import connection, models

from tenants.models import Group, GroupNesting
from tenants.scoping import TenantModel, tenant_models
from tests.cast import Organisation

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def make_rows(organisation: Organisation, text: str = "x") -> dict[type[TenantModel], Any]:
    """Model → a row of this tenant, which has to be in force. `text` fills required texts."""
    rows: dict[type[TenantModel], Any] = {}
    waiting = list(tenant_models())
    while waiting:
        ready = [model for model in waiting if needed_by(model) <= rows.keys()]
        assert ready, f"these need each other: {waiting}"
        for model in ready:
            rows[model] = model.objects.order_by("pk").first() or _make(model, rows, text)
            waiting.remove(model)
    return rows


def needed_by(model: type[TenantModel]) -> set[Any]:
    """The models whose rows have to be there first."""
    return {
        field.related_model
        for field in model._meta.local_fields
        if isinstance(field, models.ForeignKey)
        and field.name != "tenant"
        and not field.null
        and field.related_model is not model
    }


def _make(model: type[TenantModel], rows: dict[type[TenantModel], Any], text: str) -> Any:
    values = {
        field.attname: value_of(field, rows, text)
        for field in model._meta.local_fields
        if field.name not in {"id", "tenant"} and is_given(field)
    }
    values |= _LISTED.get(model._meta.label, {})
    if model is GroupNesting:
        values["child_id"] = Group.objects.create(name="inner").pk
    row = model(**values)
    row.save()
    assert not connection.needs_rollback
    return row


# Tables of which the administration lists some rows only: one of those.
_LISTED: dict[str, dict[str, object]] = {
    "accounts.ImportRun": {"format": "native"},
    "accounts.Credential": {"method": "hardware_token"},
}


def is_given(field: Any) -> bool:
    """Whether a row has to bring a value for the column."""
    return not (field.null or field.has_default() or field.generated)


def value_of(field: Any, rows: dict[Any, Any], text: str) -> object:
    """Something that fits the column."""
    if field.is_relation:
        return rows[field.related_model].pk
    if field.choices:
        return field.choices[0][0]
    by_type: tuple[tuple[Any, object], ...] = (
        (models.BinaryField, uuid.uuid4().bytes * 2),
        (models.DateTimeField, NOW),
        (models.DateField, date(2026, 11, 20)),
        (models.UUIDField, uuid.uuid4()),
        (models.BooleanField, False),
        (models.IntegerField, 1),
        (models.CharField, text[: field.max_length]),
        (models.TextField, text),
        (models.JSONField, {}),
    )
    return next(value for kind, value in by_type if isinstance(field, kind))
