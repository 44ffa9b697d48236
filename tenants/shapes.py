"""Rows that travel as JSON: how the database writes them, and how they become rows of a model
again."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, models

from .statements import is_embedded


class Shape:
    """How rows of a model travel as JSON and come back."""

    def __init__(self, model: Any, fields: Sequence[Any] = (), more: Iterable[str] = ()) -> None:
        self.model = model
        self.fields = tuple(fields or model._meta.concrete_fields)
        self._loads = [(field.attname, field.column, _load_of(field)) for field in self.fields]
        self._loads += [(name, name, None) for name in more]

    def json(self, alias: str) -> str:
        """The SQL expression for a row of this table or subquery."""
        if not is_embedded():
            return f"row_to_json({alias})"
        pairs = ", ".join(f"'{field.column}', {_embedded(alias, field)}" for field in self.fields)
        return f"json_object({pairs})"

    def load(self, body: Any) -> Any:
        """The row as `Model.from_db` makes it, without the signals that nobody here listens to."""
        found = body if isinstance(body, dict) else json.loads(body)
        row = self.model.__new__(self.model)
        row._state = models.base.ModelState()
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
        values = row.__dict__
        for name, column, load in self._loads:
            value = found[column]
            values[name] = value if load is None or value is None else load(value)
        return row


def new_row(model: Any, **values: Any) -> Any:
    """A row to be added, as `model(**values)` makes it, without the signals that nobody here
    listens to. values: as the row keeps them; what is not among them gets its default. Raises
    TypeError for a value the row does not keep."""
    row = model.__new__(model)
    row._state = models.base.ModelState()
    kept = row.__dict__
    for name, default in _defaults(model):
        kept[name] = values.pop(name) if name in values else default()
    if values:
        raise TypeError(f"{model.__name__} does not keep {', '.join(sorted(values))}")
    return row


@cache
def _defaults(model: Any) -> list[tuple[str, Callable[[], Any]]]:
    return [(field.attname, field.get_default) for field in model._meta.concrete_fields]


def _embedded(alias: str, field: Any) -> str:
    column = f'{alias}."{field.column}"'
    if isinstance(field, models.BinaryField):
        return f"hex({column})"
    return f"json({column})" if isinstance(field, models.JSONField) else column


def _load_of(field: Any) -> Callable[[Any], Any] | None:
    target = field.target_field if isinstance(field, models.ForeignKey) else field
    return next((load for kind, load in _LOADS if isinstance(target, kind)), None)


def _moment(value: str) -> datetime:
    found = datetime.fromisoformat(value)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


_LOADS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    # As the database writes them, which spares the look for other ways to write one.
    (models.UUIDField, lambda value: UUID(int=int(value.replace("-", ""), 16))),
    (models.BinaryField, lambda value: bytes.fromhex(value.removeprefix("\\x"))),
    (models.DateTimeField, _moment),
    (models.DateField, date.fromisoformat),
    (models.BooleanField, bool),
)
