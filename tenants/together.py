"""Several tables in one statement, so that a step of a journey costs few round trips.

A `Reading` reads rows of different tables, `Changes` writes them. A reading is compiled once by the
ORM, through the scoped managers, so the first wall stands in every part of the statement, and the
second behind it.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
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
from .shapes import Shape
from .statements import TELL, alone, is_embedded, run, send_before_others, take_debt, tell
from .versions import ATTRIBUTE, done, only_if_unwritten, overtaking, version_of

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

    A queryset filters by `Given` values and constants, and may leave columns out (`only`) or have
    a `RowVersion` beside them; it can't join. One that sorts says which rows are found, not in
    which order they come; one that locks belongs into `tenant_context`. In `tenant_reading` the
    statement is a transaction of its own.
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
                fields = [compiler.select[i][0].target for i in chosen]
                shape = Shape(queryset.model, fields, more=compiler.annotation_col_map)
                text, values = _with_constants(text, values)
                parts.append(f"SELECT {number}, {shape.json('x')} FROM ({text}) x")  # noqa: S608 - compiled by Django
                shapes.append(shape)
                marks += _marked(values)
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

    @cached_property
    def _compiled(self) -> Statement:
        with compiling_for(_ANY_TENANT):
            rows = self._make().query
            query: Any = rows.chain(sql.UpdateQuery if self._values else sql.DeleteQuery)
            if self._values:
                query.add_update_values(self._values)
            text, marks = query.get_compiler(connection=connection).as_sql()
        text, left = _with_constants(text, marks)
        return text, _marked(left)


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
    if mark is _TENANT:
        return stored(tenant)
    return stored(given[mark.name]) if isinstance(mark, Given) else mark


def _marked(values: Sequence[Any]) -> list[Any]:
    """The values of a compiled statement, with a mark where the tenant will stand."""
    return [_TENANT if value in (_ANY_TENANT, _ANY_TENANT.hex) else value for value in values]


_CONSTANTS = (str, int)
_TENANT = object()


def stored(value: Any) -> Any:
    """A value as the driver takes it."""
    if not is_embedded():
        return value
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value


class Changes:
    """Rows to add, change and remove, written with one statement where the database can.

    Nothing is sent before `write`, which belongs into the transaction of the step. A row that is
    named several times is written once, with the values it has then. No part of the statement sees
    what another one does, so no two may change the same row.
    """

    def __init__(self) -> None:
        self._held: tuple[Any, str] | None = None
        self._new: list[Any] = []
        self._changed: dict[Any, tuple[Any, set[str]]] = {}
        self._raw: list[Statement] = []
        self._looks = False
        self._spent: list[Statement] = []

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

    def hold(self, row: Any, name: str) -> None:
        """Writes this row whenever anything is written, at least this field of it, so that whoever
        read it learns. Where it was read with its version and not locked, nothing is written at
        all unless it still has that version: `write` raises Overtaken."""
        claim_for_current_tenant(row)
        self._held = row, name
        if version_of(row):
            send_before_others(lambda: self.holding().write())

    def holding(self) -> "Changes":
        """The row that is held and what is spent with it, apart from the rest: written before
        anything else is sent, or with it, the row is this transaction's own from then on. Locks
        are taken in one order that way."""
        apart = Changes()
        if self._held is not None:
            apart._held, self._held = self._held, None
            apart._spent, self._spent = self._spent, []
            apart.update(*apart._held)
        return apart

    def execute(self, statement: str, values: Sequence[Any], *, by_key: bool = False) -> None:
        """Any statement that changes rows and answers nothing, a `Change` for example; `by_key`
        where it writes to rows by their keys and looks for none."""
        self._looks = self._looks or not by_key
        self._raw.append((statement, tuple(values)))

    def spend(self, statement: str, values: Sequence[Any]) -> bool:
        """Whether a `Change` that can be made once was made. Where a row is held in the version
        that was read, it is made when that row is written, and `write` raises Overtaken where
        somebody else was faster."""
        if self._held is None or not version_of(self._held[0]):
            with run(statement, values) as cursor:
                return bool(cursor.rowcount)
        self._spent.append((f"{statement} RETURNING ''", values))
        return True

    def write(self, *, ends: bool = False) -> None:
        """Sends everything and starts afresh; `ends` where the transaction ends with it."""
        looks_for_rows = self._looks
        taken = self.take()
        if self._held is not None and ends:
            send_before_others(None)
        if looks_for_rows and (owing := take_debt(first=True)) is not None:
            # PostgreSQL plans by the tenant it knows: of one that it is told by the statement
            # itself it expects no rows, and would look through all of them for a few.
            tell(owing)
        with alone() if ends else nullcontext():
            for statement, values in _joined(taken):
                with overtaking(), run(statement, values) as cursor:
                    if taken.held is not None:
                        taken.held.written(cursor.fetchall()[-1][0])

    def take(self) -> "Taken":
        """The statements, for a caller who sends them with one of its own; starts afresh."""
        held = self._take_held()
        by_model: dict[Any, list[Any]] = {}
        for row in self._new:
            by_model.setdefault(type(row), []).append(row)
            row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
        # Changes of many rows come first: one after the other they must not meet what is added.
        statements = list(self._raw)
        statements += [_insertion(model, rows) for model, rows in by_model.items()]
        statements += [_update(row, sorted(names)) for row, names in self._changed.values()]
        self._new, self._changed, self._raw, self._looks = [], {}, [], False
        return Taken(statements, held)

    def _take_held(self) -> "Held | None":
        """The row that is held, if it is written apart from the others."""
        if self._held is None or not (self._new or self._changed or self._raw or self._spent):
            return None
        row, name = self._held
        self.update(row, name)
        if not version_of(row):
            return None
        _, names = self._changed.pop((type(row), row.pk))
        own = only_if_unwritten(*_update(row, sorted(names)), version_of(row))
        spent, self._spent = self._spent, []
        return Held(row, [own, *spent])


@dataclass(frozen=True)
class Held:
    """A row that is written only in the version in which it was read, with what is only written
    once; each of the statements changes a row, or nothing at all is changed."""

    row: Any
    statements: Sequence[Statement]

    @property
    def named(self) -> list[Statement]:
        """Parts of a WITH clause."""
        parts = enumerate(self.statements)
        return [(f"h{number} AS ({text})", values) for number, (text, values) in parts]

    @property
    def checked(self) -> str:
        """The new version of the row, once every part has changed its row."""
        return " || ".join(done(f"h{number}") for number in range(len(self.statements)))

    def written(self, version: str) -> None:
        setattr(self.row, ATTRIBUTE, version)


@dataclass(frozen=True)
class Taken:
    """What is to be written, and the row that all of it depends on, if there is one."""

    statements: Sequence[Statement]
    held: Held | None = None


@cache
def _insert_into(model: Any) -> tuple[str, str, list[tuple[Any, str]]]:
    """How its rows are added: the statement, the marks of a row, and each field with the name of
    the value that is written as it is, where it is."""
    fields = model._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    named = [(field, field.attname if _is_plain(field) else "") for field in fields]
    return f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ', f"({marks})", named  # noqa: S608 - names of ours


def _insertion(model: Any, rows: Sequence[Any]) -> Statement:
    head, marks, fields = _insert_into(model)
    values = [
        row.__dict__[name] if name else _saved(field, row, add=True)
        for row in rows
        for field, name in fields
    ]
    return head + ", ".join([marks] * len(rows)), values


def _update(row: Any, names: Sequence[str]) -> Statement:
    fields = [row._meta.get_field(name) for name in names]
    columns = ", ".join(f'"{field.column}" = %s' for field in fields)
    values = [_saved(field, row, add=False) for field in fields]
    statement = f'UPDATE "{row._meta.db_table}" SET {columns} WHERE tenant_id = %s AND id = %s'  # noqa: S608 - names of ours
    return statement, [*values, stored(get_current_tenant()), stored(row.pk)]


def _saved(field: Any, row: Any, *, add: bool) -> Any:
    if _is_plain(field):
        return row.__dict__[field.attname]
    return field.get_db_prep_save(field.pre_save(row, add), connection)


@cache
def _is_plain(field: Any) -> bool:
    """Whether the driver takes what a row has in it as it is: PostgreSQL's does."""
    if is_embedded():
        return False
    keeps_time = getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
    return type(field) in _PLAIN and not keeps_time


_PLAIN = {
    models.BinaryField,
    models.BooleanField,
    models.CharField,
    models.DateTimeField,
    models.ForeignKey,
    models.PositiveIntegerField,
    models.PositiveSmallIntegerField,
    models.TextField,
    models.UUIDField,
}


def _joined(taken: Taken) -> list[Statement]:
    """All of them as one, on a database that takes changes in a WITH clause."""
    statements = list(taken.statements)
    if is_embedded() or not (statements or taken.held):
        return statements
    # PostgreSQL runs the main statement first, whatever it is, and then those of the WITH clause.
    owing = take_debt(first=taken.held is not None)
    first: list[Statement] = [(TELL, [owing])] if owing is not None else []
    named: list[Statement] = []
    if taken.held is not None:
        first.append((f"SELECT {taken.held.checked}", []))
        named += taken.held.named
    first = first or [statements.pop(0)]
    named += [(f"c{number} AS ({text})", some) for number, (text, some) in enumerate(statements)]
    beside = f"WITH {', '.join(text for text, _ in named)} " if named else ""
    main = " UNION ALL ".join(text for text, _ in first)
    return [(beside + main, [value for _, some in (*named, *first) for value in some])]
