"""What the sections of one file work on: the checked values, the tenant, the plan that grows."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from ..audit import Party
from .report import Path, Report
from .shapes import Table

Write = Callable[[], object]
OPERATOR = Party("operator", None, "command line")
SECRET = "(secret, changed)"  # noqa: S105 - what is shown instead of a secret
HIDDEN = "(changed)"
_LONGEST_SHOWN = 80


class Refused(Exception):
    """The database refused what the checks could not see; the whole file is refused with it."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path, self.message = path, message


@dataclass(frozen=True)
class Change:
    """One difference between the file and what stands. `shown` is its text, never a secret."""

    action: str
    kind: str
    name: str = ""
    field: str = ""
    shown: str = ""

    SIGNS = {"create": "+", "update": "~", "remove": "-"}

    def __str__(self) -> str:
        if not self.name:
            what = f"{self.kind}.{self.field}" if self.field else self.kind
        elif self.field:
            what = f"{self.kind} {self.name}: {self.field}"
        else:
            what = f"{self.kind} {self.name}"
        return f"{self.SIGNS[self.action]} {what}" + (f": {self.shown}" if self.shown else "")

    def as_json(self) -> dict[str, str]:
        names = ("action", "kind", "name", "field")
        return {name: getattr(self, name) for name in names}


@dataclass
class Plan:
    """What will be done, and the writes that do it, in order."""

    changes: list[Change] = field(default_factory=list)
    warnings: dict[Path, list[str]] = field(default_factory=dict)
    writes: list[Write] = field(default_factory=list)

    def create(self, kind: str, name: str = "") -> None:
        self.changes.append(Change("create", kind, name))

    def remove(self, kind: str, name: str = "") -> None:
        self.changes.append(Change("remove", kind, name))

    def update(self, kind: str, name: str, field: str, shown: str) -> None:
        self.changes.append(Change("update", kind, name, field, shown))

    def warn(self, path: Path, message: str) -> None:
        self.warnings.setdefault(path, []).append(message)

    def on_write(self, write: Write) -> None:
        self.writes.append(write)


def shown(before: Any, after: Any) -> str:
    """`1 → 2`, shortened."""
    return f"{_words(before)} → {_words(after)}"


def _words(value: Any) -> str:
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif value is None or value in ("", [], {}):
        text = "nothing"
    elif isinstance(value, list):
        text = ", ".join(map(str, value))
    elif isinstance(value, dict):
        text = ", ".join(f"{name} {count}" for name, count in value.items())
    else:
        text = str(value)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


@dataclass
class Document:
    """One file and the tenant it speaks of. The tenant is in force while sections work.

    `data` holds what passed the checks of shape; `actor` stands in the audit trail. `group_ids` are
    the groups that stand, and after planning also the new ones, which are in `new_groups` too.
    """

    data: Mapping[str, Any]
    report: Report
    tenant_id: UUID
    is_new: bool
    now: datetime
    actor: Party = OPERATOR
    group_ids: dict[str, UUID] = dataclasses.field(default_factory=dict)
    new_groups: set[str] = dataclasses.field(default_factory=set)

    @property
    def slug(self) -> str:
        return str(self.data["tenant"]["slug"])

    @property
    def domains(self) -> frozenset[str]:
        """The domains of user IDs that the file names, in lower case."""
        rows = self.data.get("tenant", {}).get("domains", ())
        return frozenset(row["name"].lower() for row in rows if row and "name" in row)

    def stands(self, section: str) -> bool:
        return section in self.data

    def filled(self, section: str, table: Table) -> dict[str, Any]:
        """Every key of a section, defaults where it is silent, without refused list elements."""
        values = table.filled(self.data.get(section, {}))
        return {
            name: [item for item in value if item is not None] if isinstance(value, list) else value
            for name, value in values.items()
        }
