"""Columns that apps above bring: whoever knows what they mean registers itself while apps load.

Such a column goes the way of all others: its cells are judged by themselves, compared with what is
on file, shown, and only then written.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from tenants.audit import Party

from ..models import User
from .columns import Column, add_columns
from .formats import EnrolmentFile
from .plan import NOTHING, Brought, Change
from .validation import CheckedRow, Problem


class Overtaken(Exception):
    """Somebody wrote in between what these rows were to write; nothing of the file may stand."""


class Reading(Protocol):
    """An app's columns in one file, for the tenant in force. `find` and `write` get up to a
    thousand rows at once, and take as many statements for one as for all."""

    def check(
        self, number: int, cells: Mapping[str, str]
    ) -> tuple[Mapping[str, str], Sequence[Problem]]:
        """The cells of a row that are not empty, in the form in which they are kept, and what is
        wrong with them by themselves."""
        ...

    def find(self, rows: Sequence[tuple[CheckedRow, User]]) -> Mapping[int, Brought]:
        """Row number → what is on file. Of users `imports.present.COLUMNS` are read; they are
        locked where it will be written."""
        ...

    def write(
        self, wanted: Sequence[tuple[User, Mapping[str, str]]], by: Party, run: UUID, now: datetime
    ) -> None:
        """People with what differs from what `find` said, by column. Raises Overtaken."""
        ...


@dataclass(frozen=True)
class Bringer:
    """An app's columns. permission: of `tenants.admin.permissions`, what it takes to fill them."""

    columns: tuple[Column, ...]
    permission: str
    open: Callable[[EnrolmentFile], Reading]

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(column.key for column in self.columns)


_BRINGERS: list[Bringer] = []


def bring(bringer: Bringer) -> None:
    """From now on the native format has these columns."""
    _BRINGERS.append(bringer)
    add_columns(bringer.columns)


def denied_to(permits: Callable[[str], bool]) -> frozenset[str]:
    """The columns that may not be filled by somebody with the permissions that `permits`
    affirms."""
    kept = (bringer.keys for bringer in _BRINGERS if not permits(bringer.permission))
    return frozenset().union(*kept)


@dataclass(frozen=True)
class Readings:
    """What apps read in one file: each only where the file has a column of its own."""

    parts: tuple[tuple[frozenset[str], Reading], ...]

    @classmethod
    def of(cls, file: EnrolmentFile) -> "Readings":
        there = frozenset(file.columns.values())
        return cls(tuple((each.keys, each.open(file)) for each in _BRINGERS if each.keys & there))

    def check(
        self, number: int, cells: Mapping[str, str]
    ) -> tuple[Mapping[str, str], Sequence[Problem]]:
        kept, problems = dict(cells), list[Problem]()
        for keys, reading in self.parts:
            own = _only(keys, cells)
            if own:
                values, found = reading.check(number, own)
                kept.update(values)
                problems += found
        return kept, problems

    def find(self, rows: Sequence[tuple[CheckedRow, User]]) -> dict[int, Brought]:
        found: dict[int, Brought] = {}
        for keys, reading in self.parts:
            own = [(row, user) for row, user in rows if _is_sound(row, keys)]
            for number, new in reading.find(own).items() if own else ():
                before = found.get(number, NOTHING)
                found[number] = Brought(
                    {**before.values, **new.values}, before.problems + new.problems
                )
        return found

    def write(
        self, work: Sequence[tuple[User, Sequence[Change]]], by: Party, run: UUID, now: datetime
    ) -> None:
        for keys, reading in self.parts:
            wanted = [
                (user, own)
                for user, changes in work
                if (own := _only(keys, {each.column: each.after for each in changes}))
            ]
            if wanted:
                reading.write(wanted, by, run, now)


def _is_sound(row: CheckedRow, keys: frozenset[str]) -> bool:
    """Whether the row has these columns, and nothing wrong was found in them so far."""
    return bool(keys & row.wanted.keys()) and all(each.column not in keys for each in row.problems)


def _only(keys: frozenset[str], values: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in values.items() if key in keys}
