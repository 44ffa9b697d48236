"""Rows of several tables side by side, read with a statement written by hand.

What the ORM can't say in one statement: rows that are locked while what belongs to them is not.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from .context import fetch_for_tenant
from .shapes import Shape


class Joined:
    """tables: models by the name that each has in the statement. One that is joined from outside
    may be missing from a row."""

    def __init__(self, **tables: Any) -> None:
        self._tables = tables

    @cached_property
    def columns(self) -> str:
        """What the statement selects."""
        pairs = zip(self._shapes, self._tables, strict=True)
        return ", ".join(shape.json(name) for shape, name in pairs)

    def rows(self, statement: str, values: Sequence[Any]) -> list[list[Any]]:
        """For each row one of each table, nothing where there is none. In `tenant_context`, whose
        tenant the statement names in every table; raises NoTenant."""
        telling = ", ".join(["{told}", *["NULL"] * (len(self._tables) - 1)])
        found = fetch_for_tenant(statement, values, telling)
        return [self._loaded(bodies) for bodies in found]

    @cached_property
    def _shapes(self) -> list[Shape]:
        return [Shape(model) for model in self._tables.values()]

    def _loaded(self, bodies: Sequence[Any]) -> list[Any]:
        return [
            shape.load(body) if body is not None and _is_there(body) else None
            for shape, body in zip(self._shapes, bodies, strict=True)
        ]


def _is_there(body: Any) -> bool:
    """What is joined from outside and missing, the embedded database answers with an object of
    nothing."""
    return not isinstance(body, str) or '"id":null' not in body
