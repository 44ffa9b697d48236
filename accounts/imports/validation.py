"""PURE. What is wrong with one row by itself, in plain words with a way to mend it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tenants.masking import masked_email, masked_phone

from ..identifiers import canonical, is_user_id, mailbox_domain
from ..numbers import BadNumber, written_number
from .columns import COLUMNS, USER_ID, is_brought
from .formats import MAX_CELL, Row

MOST_ROWS_NAMED = 5
OWN_DOMAIN = (
    "This mailbox is in the organisation's own domains: it can't be used as proof.",
    "Write a mailbox outside the organisation, or move it to the column email.",
)
BAD_USER_ID = (
    "This is not a user ID.",
    "Write name@domain: at most 64 characters before the @ and 48 after it, no blanks.",
)


@dataclass(frozen=True)
class Problem:
    """One thing that keeps a row from being imported. `shown` is the value, masked where it is
    personal; `column` is empty when it is about the whole row."""

    code: str
    column: str
    shown: str
    message: str
    suggestion: str


@dataclass(frozen=True)
class Rules:
    """What rows are judged by. `contact_problem` and `language_problem` take the key of a column
    and a value, or a value, and answer with a sentence or nothing. `brought` takes the number of a
    row and its cells of other apps' columns, and answers with the values in the form in which they
    are kept and what is wrong with them."""

    domains: frozenset[str]
    repeated: Mapping[str, Sequence[int]]
    contact_problem: Callable[[str, str], str | None] = field(repr=False)
    language_problem: Callable[[str], str | None] = field(repr=False)
    brought: Callable[[int, Mapping[str, str]], tuple[Mapping[str, str], Sequence[Problem]]] = (
        field(repr=False)
    )


@dataclass(frozen=True)
class CheckedRow:
    """A row after its own checks. `wanted` maps columns to values in the form in which they are
    kept; an empty cell wants nothing."""

    number: int
    user_id: str
    cells: tuple[str, ...] = field(repr=False)
    wanted: Mapping[str, str] = field(repr=False)
    problems: tuple[Problem, ...] = ()


def check_row(row: Row, rules: Rules) -> CheckedRow:
    user_id = canonical(row.values.get(USER_ID, ""))
    if row.ragged:
        found = Problem(
            "ragged",
            "",
            "",
            f"This row has {len(row.cells)} cells, the heading has another number.",
            "Give the row as many cells as the heading; put a cell with a separator in quotes.",
        )
        return CheckedRow(row.number, "", row.cells, {}, (found,))
    problems = _user_id_problems(row, user_id, rules)
    wanted: dict[str, str] = {}
    for key, text in row.values.items():
        if key == USER_ID or not text:
            continue
        value, problem = _checked(key, text, rules)
        if problem is None:
            wanted[key] = value
        else:
            problems.append(problem)
    problems += _judge_brought(row, wanted, problems, rules)
    return CheckedRow(row.number, user_id, row.cells, wanted, tuple(problems))


def _judge_brought(
    row: Row, wanted: dict[str, str], problems: Sequence[Problem], rules: Rules
) -> Sequence[Problem]:
    """What is wrong with cells of other apps' columns, which are judged together; puts them into
    the form in which they are kept."""
    cells = {key: value for key, value in wanted.items() if is_brought(key)}
    if not cells or any(each.column and is_brought(each.column) for each in problems):
        return ()
    kept, found = rules.brought(row.number, cells)
    wanted.update(kept)
    return found


def shown_value(key: str, value: str) -> str:
    """A value for a page: mailboxes and numbers masked, everything else cut to a line."""
    if COLUMNS[key].holds == "contact":
        return masked_phone(value) if key.endswith("phone") else masked_email(value)
    return value if len(value) <= 60 else value[:59] + "…"


def _user_id_problems(row: Row, user_id: str, rules: Rules) -> list[Problem]:
    shown = shown_value(USER_ID, user_id)
    if not user_id:
        return [
            Problem("no_user_id", USER_ID, "", "The user ID is missing.", "Write whose row it is.")
        ]
    if not is_user_id(user_id):
        return [Problem("bad_user_id", USER_ID, shown, *BAD_USER_ID)]
    others = [number for number in rules.repeated.get(user_id, ()) if number != row.number]
    if not others:
        return []
    named = ", ".join(map(str, others[:MOST_ROWS_NAMED]))
    more = " and more" if len(others) > MOST_ROWS_NAMED else ""
    return [
        Problem(
            "repeated_user_id",
            USER_ID,
            shown,
            f"This person stands in row {named}{more}, too.",
            "Keep one row for each person.",
        )
    ]


def _checked(key: str, text: str, rules: Rules) -> tuple[str, Problem | None]:
    """The value as it is kept, or what is wrong with it."""
    longest = min(COLUMNS[key].longest, MAX_CELL)
    if len(text) > longest:
        words = f"This is longer than {longest} characters."
        return text, Problem("too_long", key, shown_value(key, text), words, "Shorten it.")
    if not text.isprintable():
        words = "There are line breaks or control characters in this cell."
        return text, Problem("not_printable", key, "", words, "Write it again in one line.")
    if COLUMNS[key].holds == "contact":
        return _checked_contact(key, text, rules)
    if key == "language":
        words_or_none = rules.language_problem(text)
        if words_or_none is not None:
            message = "The product does not speak this language."
            return text, Problem("bad_language", key, text, message, words_or_none)
    return text, None


def _checked_contact(key: str, text: str, rules: Rules) -> tuple[str, Problem | None]:
    shown = shown_value(key, text)
    value = text
    if key.endswith("phone"):
        try:
            value = written_number(text)
        except BadNumber as bad:
            return text, _bad_number(key, text, shown, str(bad))
    words = rules.contact_problem(key, value)
    if words is not None:
        code = "bad_number" if key.endswith("phone") else "bad_address"
        message = "This is not a usable number." if code == "bad_number" else "This is no address."
        return value, Problem(code, key, shown, message, words)
    if key == "alternate_email" and mailbox_domain(value) in rules.domains:
        return value, Problem("own_domain", key, shown, *OWN_DOMAIN)
    return value, None


def _bad_number(key: str, text: str, shown: str, fix: str) -> Problem:
    message = "This is not a phone number with its country code."
    if text.startswith("00"):
        try:
            fix = f"Write {written_number('+' + text[2:])}."
        except BadNumber:
            message = "This is not a phone number."
    return Problem("bad_number", key, shown, message, fix)
