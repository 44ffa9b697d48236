"""Writing what was read without a lock: the row says whether it was written to since.

Whoever reads a row with its `RowVersion` and judges by it may write it back in one statement that
does nothing at all if anybody wrote the row in between (`Changes.hold`). PostgreSQL gives every
version of a row the number of the transaction that wrote it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, models
from django.db.models.expressions import Expression
from psycopg.errors import SerializationFailure

ATTRIBUTE = "row_version"
"""Where a row that was read with its version keeps it."""


class Overtaken(RuntimeError):
    """The row was written to since it was read; nothing was changed."""


class RowVersion(Expression):
    """The version of the row that a queryset finds. PostgreSQL's alone."""

    def __init__(self, alias: str = "") -> None:
        super().__init__(output_field=models.TextField())
        self.alias = alias

    def resolve_expression(self, query: Any = None, *_: Any, **__: Any) -> "RowVersion":
        return RowVersion(query.get_initial_alias())

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        return f"{compiler.quote_name_unless_alias(self.alias)}.xmin::text", []


def version_of(row: Any) -> str:
    """The version that this row was read with; nothing where it was locked instead."""
    return str(getattr(row, ATTRIBUTE, ""))


def only_if_unwritten(statement: str, values: Sequence[Any], version: str) -> tuple[str, list[Any]]:
    """An update of one row that finds it only in this version, and answers with its new one."""
    return f"{statement} AND xmin = %s::xid RETURNING xmin::text", [*values, version]


def done(part: str) -> str:
    """What a part of a WITH clause answered, which changes one row; an error where it changed
    none, which takes back the whole statement."""
    return f"COALESCE((TABLE {part}), sspr_overtaken())"


@contextmanager
def overtaking() -> Iterator[None]:
    """Raises Overtaken where a statement inside came too late."""
    try:
        yield
    except OperationalError as error:
        if isinstance(error.__cause__, SerializationFailure):
            raise Overtaken from error
        raise
