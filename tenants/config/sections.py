"""What a section of the file is, and the registry to which other apps add theirs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from .document import Document, Plan
from .shapes import Key


class Work(Protocol):
    """One section of one file at work. The tenant is in force; a new tenant has no rows yet."""

    def validate(self) -> None:
        """Puts into the report whatever shapes alone can't see. Changes nothing."""

    def plan(self, plan: Plan) -> None:
        """Adds changes, warnings and writes. Called only where the report is empty."""


@dataclass(frozen=True)
class Section:
    """Some top-level keys of the file and the code for them.

    export fills in its part of a file for the tenant in force; later sections may add to earlier
    ones' parts.
    """

    name: str
    keys: Mapping[str, Key]
    open: Callable[[Document], Work]
    export: Callable[[dict[str, Any]], None]


_registered: dict[str, Section] = {}


def register(section: Section) -> None:
    """Adds a section of another app; its writes happen after the tenant's own."""
    _registered[section.name] = section


def registered() -> tuple[Section, ...]:
    return tuple(_registered.values())
