"""Several tables in one statement, so that a step of a journey costs few round trips.

A `Reading` reads rows of different tables, `Changes` writes them. A reading is compiled once by the
ORM, through the scoped managers, so the first wall stands in every part of the statement, and the
second behind it.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache, cached_property
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models import sql
from django.db.models.expressions import Expression
from psycopg.sql import Literal

from .context import fetch_for_tenant, get_current_tenant
from .scoping import claim_for_current_tenant, compiling_for
from .statements import TELL, is_embedded, run, take_debt

Statement = tuple[str, Sequence[Any]]
Querysets = Sequence[models.QuerySet[Any]]
NUMBERED = "-1, {told}"
"""How a statement that answers with a number and a row as JSON tells the tenant."""
_ANY_TENANT = UUID(int=2**128 - 1)


class Given(Expression):
    """A value of a `Reading` that is named when it is made and given when it reads."""

    def __init__(self, name: str) -> None:
        super().__init__(output_field=models.UUIDField())
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return "%s", [self]


class Reading:
    """Rows of several querysets, read with one statement.

    A queryset filters by `Given` values and constants, and may leave columns out (`only`); it can't
    join. One that sorts says which rows are found, not in which order they come; one that locks
    belongs into `tenant_context`. In `tenant_reading` the statement is a transaction of its own.
    """

    def __init__(self, make: Callable[[], Querysets]) -> None:
        self._make = make

    def rows(self, **given: Any) -> list[list[Any]]:
        """The rows of each queryset, in their order. Raises NoTenant."""
        statement, shapes, marks = self._compiled
        found: list[list[Any]] = [[] for _ in shapes]
        values = _filled(marks, given)
        for number, body in fetch_for_tenant(statement, values, NUMBERED):
            found[number].append(shapes[number].load(body))
        return found

    @cached_property
    def _compiled(self) -> tuple[str, list["Shape"], list[Any]]:
        parts, shapes, marks = [], [], []
        with compiling_for(_ANY_TENANT):
            for number, queryset in enumerate(self._make()):
                compiler = queryset.query.get_compiler(connection=connection)
                text, values = compiler.as_sql()
                chosen = compiler.klass_info["select_fields"]
                shape = Shape(queryset.model, [compiler.select[i][0].target for i in chosen])
                text, values = _with_constants(text, values)
                parts.append(f"SELECT {number}, {shape.json('x')} FROM ({text}) x")  # noqa: S608 - compiled by Django
                shapes.append(shape)
                marks += values
        return " UNION ALL ".join(parts), shapes, marks


class Change:
    """A statement that changes or removes rows of one table, compiled once like a `Reading`.

    `values` are what the rows get, constants or `Given`; without any they are removed, and nothing
    else may point at them.
    """

    def __init__(self, make: Callable[[], models.QuerySet[Any]], **values: Any) -> None:
        self._make = make
        self._values = values

    def of(self, **given: Any) -> Statement:
        """The statement and its values for the tenant in force. Raises NoTenant."""
        text, marks = self._compiled
        return text, _filled(marks, given)

    def carry_out(self, **given: Any) -> int:
        """Carries it out by itself; how many rows there were. In `tenant_context`; raises
        NoTenant."""
        with run(*self.of(**given)) as cursor:
            return int(cursor.rowcount)

    @cached_property
    def _compiled(self) -> Statement:
        with compiling_for(_ANY_TENANT):
            rows = self._make().query
            query: Any = rows.chain(sql.UpdateQuery if self._values else sql.DeleteQuery)
            if self._values:
                query.add_update_values(self._values)
            text, marks = query.get_compiler(connection=connection).as_sql()
        return _with_constants(text, marks)


def _with_constants(text: str, values: Sequence[Any]) -> tuple[str, list[Any]]:
    """A compiled statement with its constant words, numbers and truths written into it, and the
    values that are left.

    PostgreSQL keeps a plan that serves every value of a statement only where that plan is no
    dearer than one for the values at hand, and it uses a partial index only where it reads the
    constant: with `source <> $1` it would plan anew each time, or read all people of a tenant.
    """
    if is_embedded():
        return text, list(values)
    pieces, left = text.split("%s"), []
    written = [pieces[0]]
    for value, piece in zip(values, pieces[1:], strict=True):
        if isinstance(value, _CONSTANTS):
            plain = value.value if isinstance(value, Enum) else value
            written.append(Literal(plain).as_string(None).replace("%", "%%"))
        else:
            written.append("%s")
            left.append(value)
        written.append(piece)
    return "".join(written), left


def _filled(marks: Sequence[Any], given: dict[str, Any]) -> list[Any]:
    tenant = get_current_tenant()
    return [_value(mark, given, tenant) for mark in marks]


def _value(mark: Any, given: dict[str, Any], tenant: UUID) -> Any:
    if isinstance(mark, Given):
        return stored(given[mark.name])
    return stored(tenant) if mark in _TENANT_MARKS else mark


_CONSTANTS = (str, int)
_TENANT_MARKS = (_ANY_TENANT, _ANY_TENANT.hex)


def stored(value: Any) -> Any:
    """A value as the driver takes it."""
    if not is_embedded():
        return value
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value


class Shape:
    """How rows of a model travel as JSON and come back."""

    def __init__(self, model: Any, fields: Sequence[Any] = ()) -> None:
        self.model = model
        self.fields = tuple(fields or model._meta.concrete_fields)
        self._loads = [(field.attname, field.column, _load_of(field)) for field in self.fields]

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
    (models.UUIDField, UUID),
    (models.BinaryField, lambda value: bytes.fromhex(value.removeprefix("\\x"))),
    (models.DateTimeField, _moment),
    (models.DateField, date.fromisoformat),
    (models.BooleanField, bool),
)


class Changes:
    """Rows to add, change and remove, written with one statement where the database can.

    Nothing is sent before `write`, which belongs into the transaction of the step. A row that is
    named several times is written once, with the values it has then. No part of the statement sees
    what another one does, so no two may change the same row.
    """

    def __init__(self) -> None:
        self._new: list[Any] = []
        self._changed: dict[Any, tuple[Any, set[str]]] = {}
        self._raw: list[Statement] = []

    def add(self, *rows: Any) -> None:
        for row in rows:
            claim_for_current_tenant(row)
            self._new.append(row)

    def update(self, row: Any, *names: str) -> None:
        """Writes these fields of a row that was read; of one that is added anyway, nothing."""
        claim_for_current_tenant(row)
        if any(row is new for new in self._new):
            return
        kept, known = self._changed.setdefault((type(row), row.pk), (row, set()))
        if kept is not row:
            raise ValueError("one row, changed as two objects")
        known.update(names)

    def execute(self, statement: str, values: Sequence[Any]) -> None:
        """Any statement that changes rows and answers nothing, a `Change` for example."""
        self._raw.append((statement, tuple(values)))

    def write(self) -> None:
        """Sends everything and starts afresh."""
        for statement, values in _joined(self.take()):
            run(statement, values).close()

    def take(self) -> list[Statement]:
        """The statements, for a caller who sends them with one of its own; starts afresh."""
        by_model: dict[Any, list[Any]] = {}
        for row in self._new:
            by_model.setdefault(type(row), []).append(row)
            row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
        # Changes of many rows come first: one after the other they must not meet what is added.
        statements = list(self._raw)
        statements += [_insertion(model, rows) for model, rows in by_model.items()]
        statements += [_update(row, sorted(names)) for row, names in self._changed.values()]
        self._new, self._changed, self._raw = [], {}, []
        return statements


@cache
def _insert_into(model: Any) -> tuple[str, str, tuple[Any, ...]]:
    fields = tuple(model._meta.concrete_fields)
    columns = ", ".join(f'"{field.column}"' for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    return f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ', f"({marks})", fields  # noqa: S608 - names of ours


def _insertion(model: Any, rows: Sequence[Any]) -> Statement:
    head, marks, fields = _insert_into(model)
    values = [_saved(field, row, add=True) for row in rows for field in fields]
    return head + ", ".join([marks] * len(rows)), values


def _update(row: Any, names: Sequence[str]) -> Statement:
    fields = [row._meta.get_field(name) for name in names]
    columns = ", ".join(f'"{field.column}" = %s' for field in fields)
    values = [_saved(field, row, add=False) for field in fields]
    statement = f'UPDATE "{row._meta.db_table}" SET {columns} WHERE tenant_id = %s AND id = %s'  # noqa: S608 - names of ours
    return statement, [*values, stored(get_current_tenant()), stored(row.pk)]


def _saved(field: Any, row: Any, *, add: bool) -> Any:
    if type(field) in _PLAIN and not is_embedded():
        return row.__dict__[field.attname]
    return field.get_db_prep_save(field.pre_save(row, add), connection)


# PostgreSQL's driver takes their values as the row has them.
_PLAIN = {
    models.BooleanField,
    models.CharField,
    models.ForeignKey,
    models.PositiveIntegerField,
    models.PositiveSmallIntegerField,
    models.TextField,
    models.UUIDField,
}


def _joined(statements: Sequence[Statement]) -> list[Statement]:
    """All of them as one, on a database that takes changes in a WITH clause."""
    if is_embedded() or not statements:
        return list(statements)
    # PostgreSQL runs the main statement first, whatever it is, and then those of the WITH clause.
    owing = take_debt()
    (first, values), *rest = [(TELL, [owing]), *statements] if owing is not None else statements
    if not rest:
        return [(first, values)]
    named = ", ".join(f"c{number} AS ({text})" for number, (text, _) in enumerate(rest))
    given = [value for _, some in rest for value in some]
    return [(f"WITH {named} {first}", [*given, *values])]
