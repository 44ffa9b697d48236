"""PURE. What a row would change, given what is on file.

A confirmed contact is never overwritten silently (security rules, R-27): it is kept and reported,
unless the import was declared to replace confirmed contacts, too. A cell that says what is on file
already changes nothing, so the same file imported again changes nothing at all.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .columns import COLUMNS, USER_ID, is_brought
from .validation import CheckedRow, Problem, shown_value

ALTERNATE = "alternate_email"
DENIED = (
    "Your roles don't let you fill this column.",
    "Take the column out, or have a global administrator import it.",
)


class Outcome(StrEnum):
    """What becomes of a row. `kept` is a row that changes nothing because what it would replace is
    confirmed."""

    NEW = "new"
    CHANGE = "change"
    SAME = "same"
    KEPT = "kept"
    PROBLEM = "problem"


class Step(StrEnum):
    """What becomes of one cell that differs from what is on file."""

    ADD = "add"
    REPLACE = "replace"
    KEEP = "keep"


@dataclass(frozen=True)
class Held:
    """A contact on file. `value` is nothing when the row was tampered with and can't be read."""

    value: str | None = field(repr=False)
    confirmed: bool


@dataclass(frozen=True)
class OnFile:
    """A person as the plan needs to know them; `contacts` by kind, `profile` by column."""

    guest: bool
    administrator: bool
    profile: Mapping[str, str] = field(repr=False)
    contacts: Mapping[str, Held]


@dataclass(frozen=True)
class Options:
    """How an import was declared. `administrators` says whether the one who imports may change
    people who hold an administrator's role, `denied` which columns they may not fill."""

    replace_confirmed: bool = False
    administrators: bool = False
    denied: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Brought:
    """What other apps have on file for a row, by column; `problems` keep the row out."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    problems: tuple[Problem, ...] = ()


NOTHING = Brought()


@dataclass(frozen=True)
class Change:
    """One cell that differs. `before` is empty where nothing was on file or it can't be read."""

    column: str
    step: Step
    before: str = field(repr=False)
    after: str = field(repr=False)
    was_confirmed: bool = False


@dataclass(frozen=True)
class RowPlan:
    """One row with what becomes of it."""

    number: int
    user_id: str
    cells: tuple[str, ...] = field(repr=False)
    outcome: Outcome
    changes: tuple[Change, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def writes(self) -> list[Change]:
        return [change for change in self.changes if change.step is not Step.KEEP]

    @property
    def kept(self) -> list[Change]:
        return [change for change in self.changes if change.step is Step.KEEP]


def plan_row(
    row: CheckedRow, on_file: OnFile | None, options: Options, brought: Brought = NOTHING
) -> RowPlan:
    problems = [*row.problems, *_problems(row, on_file, options, brought)]
    if problems or on_file is None:
        return RowPlan(row.number, row.user_id, row.cells, Outcome.PROBLEM, (), tuple(problems))
    changes = tuple(
        change
        for key, value in row.wanted.items()
        if (change := _change(key, value, on_file, options, brought)) is not None
    )
    return RowPlan(row.number, row.user_id, row.cells, _outcome(changes), changes)


def kind_of(column: str, *, guest: bool) -> str:
    """The kind of contact behind a column. A guest has one mailbox, the registered one."""
    return ALTERNATE if guest and column == "email" else COLUMNS[column].field


def _problems(
    row: CheckedRow, on_file: OnFile | None, options: Options, brought: Brought
) -> list[Problem]:
    shown = shown_value(USER_ID, row.user_id)
    if any(problem.column in {"", USER_ID} for problem in row.problems):
        return []
    if on_file is None:
        message = "There is no person with this user ID."
        fix = "Correct the user ID, or create the person first: an import creates nobody."
        return [Problem("unknown_person", USER_ID, shown, message, fix)]
    if on_file.administrator and not options.administrators:
        message = "This person holds an administrator's role."
        fix = "A global or privileged authentication administrator has to import this row."
        return [Problem("administrator", USER_ID, shown, message, fix)]
    denied = [Problem("denied", key, "", *DENIED) for key in row.wanted if key in options.denied]
    return [*_guest_problems(row, on_file), *(denied or brought.problems)]


def _guest_problems(row: CheckedRow, on_file: OnFile) -> list[Problem]:
    return [
        Problem(
            "guest_mailbox",
            key,
            shown_value(key, row.wanted[key]),
            "A guest is found by the mailbox that was registered; an import does not change it.",
            "Leave this cell empty.",
        )
        for key in ("email", ALTERNATE)
        if on_file.guest and key in row.wanted and _differs(key, row.wanted[key], on_file)
    ]


def _differs(key: str, value: str, on_file: OnFile) -> bool:
    if COLUMNS[key].holds == "profile":
        return on_file.profile[COLUMNS[key].field] != value
    held = on_file.contacts.get(kind_of(key, guest=on_file.guest))
    if held is None or held.value is None:
        return True
    before, after = held.value.strip(), value
    if not key.endswith("phone"):
        # The case of a mailbox does not matter, and a change of it must not cost its confirmation.
        before, after = before.casefold(), after.casefold()
    return not hmac.compare_digest(before.encode(), after.encode())


def _change(
    key: str, value: str, on_file: OnFile, options: Options, brought: Brought
) -> Change | None:
    if is_brought(key):
        before = brought.values.get(key, "")
        step = Step.REPLACE if before else Step.ADD
        return None if before == value else Change(key, step, before, value)
    if not _differs(key, value, on_file):
        return None
    column = COLUMNS[key]
    if column.holds == "profile":
        before = on_file.profile[column.field]
        return Change(key, Step.REPLACE if before else Step.ADD, before, value)
    held = on_file.contacts.get(kind_of(key, guest=on_file.guest))
    if held is None:
        return Change(key, Step.ADD, "", value)
    keeps = held.confirmed and not options.replace_confirmed
    step = Step.KEEP if keeps else Step.REPLACE
    return Change(key, step, held.value or "", value, held.confirmed)


def _outcome(changes: tuple[Change, ...]) -> Outcome:
    steps = {change.step for change in changes}
    if Step.REPLACE in steps:
        return Outcome.CHANGE
    if Step.ADD in steps:
        return Outcome.NEW
    return Outcome.KEPT if steps else Outcome.SAME
