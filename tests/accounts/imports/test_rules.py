"""What is wrong with a row by itself, and what a row changes: tables of cases."""

import csv
from collections.abc import Mapping
from typing import Any

import pytest

from accounts.contact_checks import contact_problem
from accounts.imports.formats import Row
from accounts.imports.plan import Held, OnFile, Options, Outcome, Step, plan_row
from accounts.imports.report import Report
from accounts.imports.summary import SHOWN, Summary, differences
from accounts.imports.validation import CheckedRow, Problem, Rules, check_row
from accounts.numbers import BadNumber, written_number

ALICE = "alice@contoso.example"
UNKNOWN = Problem("unknown_directory", "directory", "cellar", "There is no such one.", "Add it.")


def judged_by_an_app(
    number: int, cells: Mapping[str, str]
) -> tuple[Mapping[str, str], tuple[Problem, ...]]:
    kept = {key: value.casefold() for key, value in cells.items()}
    return kept, (UNKNOWN,) if kept.get("directory") == UNKNOWN.shown else ()


RULES = Rules(
    domains=frozenset({"contoso.example"}),
    repeated={"twice@contoso.example": (2, 7, 9)},
    contact_problem=contact_problem,
    language_problem=lambda tag: None if tag == "en" else "Use en.",
    brought=judged_by_an_app,
)


def checked(user_id: str = ALICE, **values: str) -> CheckedRow:
    cells = {"user_id": user_id, **values}
    return check_row(Row(2, tuple(cells.values()), cells), RULES)


@pytest.mark.parametrize(
    ("column", "value", "kept"),
    [
        ("mobile_phone", "+1 4255550101", "+1 4255550101"),
        ("mobile_phone", "+14255550101", "+1 4255550101"),
        ("mobile_phone", "+1 (425) 555-0101", "+1 4255550101"),
        ("mobile_phone", "+49 301234567", "+49 301234567"),
        ("office_phone", "+1 4255550100x123", "+1 4255550100x123"),
        ("office_phone", "+1 425 555 0100 x123", "+1 4255550100x123"),
        ("email", "alice@contoso.example", "alice@contoso.example"),
        ("alternate_email", "Alice@example.net", "Alice@example.net"),
        ("display_name", "=HYPERLINK(1)", "=HYPERLINK(1)"),
        ("language", "en", "en"),
    ],
)
def test_a_right_value_is_kept_in_its_form(column: str, value: str, kept: str) -> None:
    row = checked(**{column: value})

    assert row.problems == ()
    assert row.wanted == {column: kept}


@pytest.mark.parametrize(
    ("column", "value", "code", "shown"),
    [
        ("mobile_phone", "0170 1234567", "bad_number", "+• •••••••67"),
        ("mobile_phone", "+1 1", "bad_number", "+• •••••••11"),
        ("mobile_phone", "+1 4255550101x9", "bad_number", "+• •••••••01"),
        ("office_phone", "+1 4255550101xabc", "bad_number", "+• •••••••01"),
        ("mobile_phone", "1" * 41, "too_long", "+• •••••••11"),
        ("alternate_email", "alice", "bad_address", "a••••@••••."),
        ("alternate_email", "alice@contoso.example", "own_domain", "a••••@c••••.example"),
        ("alternate_email", "Alice@CONTOSO.example", "own_domain", "A••••@C••••.example"),
        ("email", "a@" + "b" * 253, "too_long", None),
        ("language", "tlh", "bad_language", "tlh"),
        ("display_name", "x" * 257, "too_long", None),
        ("display_name", "two\nlines", "not_printable", ""),
        ("display_name", "moc\u202eelpmaxe", "not_printable", ""),
    ],
)
def test_a_wrong_value_is_told_masked_with_a_way_out(
    column: str, value: str, code: str, shown: str | None
) -> None:
    row = checked(**{column: value})

    [problem] = row.problems
    assert (problem.code, problem.column) == (code, column)
    assert shown is None or problem.shown == shown
    assert problem.message.endswith(".")
    assert problem.suggestion.endswith(".")
    assert column not in row.wanted


@pytest.mark.parametrize(
    ("user_id", "code"),
    [
        ("", "no_user_id"),
        ("alice", "bad_user_id"),
        ("älice@contoso.example", "bad_user_id"),
        ("a b@contoso.example", "bad_user_id"),
        ("Twice@Contoso.example", "repeated_user_id"),
    ],
)
def test_a_row_says_whose_it_is(user_id: str, code: str) -> None:
    assert checked(" ALICE@contoso.example ", language="en").problems == ()

    [problem] = checked(user_id, language="en").problems
    assert (problem.code, problem.column) == (code, "user_id")


def test_all_rows_of_a_person_who_stands_there_twice_name_the_others() -> None:
    [problem] = checked("twice@contoso.example", language="en").problems

    assert problem.message == "This person stands in row 7, 9, too."


def test_a_ragged_row_has_that_one_problem() -> None:
    row = check_row(Row(5, ("a", "b", "c"), {}, ragged=True), RULES)

    assert [problem.code for problem in row.problems] == ["ragged"]


def test_an_empty_cell_wants_nothing() -> None:
    assert checked(mobile_phone="", language="").wanted == {}


@pytest.mark.parametrize(
    ("directory", "kept", "problems"), [("HQ", "hq", ()), ("Cellar", "cellar", (UNKNOWN,))]
)
def test_an_app_judges_the_cells_of_its_columns_and_puts_them_in_their_form(
    directory: str, kept: str, problems: tuple[Problem, ...]
) -> None:
    row = checked(directory=directory, language="en")

    assert row.wanted == {"directory": kept, "language": "en"}
    assert row.problems == problems


def test_an_app_is_not_asked_about_cells_that_are_wrong_already() -> None:
    row = checked(directory="Cellar", source="two\nlines")

    assert [problem.code for problem in row.problems] == ["not_printable"]


def test_two_zeros_are_answered_with_the_number_as_it_should_be_written() -> None:
    [problem] = checked(mobile_phone="0049 301234567").problems

    assert problem.suggestion == "Write +49 301234567."
    [hopeless] = checked(mobile_phone="00 1").problems
    assert hopeless.message == "This is not a phone number."


@pytest.mark.parametrize("text", ["+", "+1", "+999 123456", "+1 425555010a", "+1 4255550101" * 4])
def test_a_text_that_is_no_number_has_no_written_form(text: str) -> None:
    with pytest.raises(BadNumber):
        written_number(text)


MOBILE, OTHER = "+1 4255550101", "+1 4255550102"


def on_file(
    *, guest: bool = False, administrator: bool = False, **contacts: tuple[str | None, bool]
) -> OnFile:
    held = {kind: Held(value, confirmed) for kind, (value, confirmed) in contacts.items()}
    return OnFile(guest, administrator, {"display_name": "Alice", "language": ""}, held)


Case = tuple[dict[str, str], OnFile | None, Options, str, dict[str, str]]
PLAIN, REPLACE = Options(), Options(replace_confirmed=True)
CASES: dict[str, Case] = {
    "new": ({"mobile_phone": MOBILE}, on_file(), PLAIN, "new", {"mobile_phone": "add"}),
    "same": ({"mobile_phone": MOBILE}, on_file(mobile_phone=(MOBILE, True)), PLAIN, "same", {}),
    "same mailbox in capitals": (
        {"alternate_email": "Alice@Example.net"},
        on_file(alternate_email=("alice@example.net", True)),
        PLAIN,
        "same",
        {},
    ),
    "change of an unconfirmed one": (
        {"mobile_phone": MOBILE},
        on_file(mobile_phone=(OTHER, False)),
        PLAIN,
        "change",
        {"mobile_phone": "replace"},
    ),
    "kept": (
        {"mobile_phone": MOBILE},
        on_file(mobile_phone=(OTHER, True)),
        PLAIN,
        "kept",
        {"mobile_phone": "keep"},
    ),
    "kept beside a new one": (
        {"mobile_phone": MOBILE, "office_phone": OTHER},
        on_file(mobile_phone=(OTHER, True)),
        PLAIN,
        "new",
        {"mobile_phone": "keep", "office_phone": "add"},
    ),
    "replaced on purpose": (
        {"mobile_phone": MOBILE},
        on_file(mobile_phone=(OTHER, True)),
        REPLACE,
        "change",
        {"mobile_phone": "replace"},
    ),
    "confirmed and unreadable": (
        {"mobile_phone": MOBILE},
        on_file(mobile_phone=(None, True)),
        PLAIN,
        "kept",
        {"mobile_phone": "keep"},
    ),
    "a name": (
        {"display_name": "Alice Adams"},
        on_file(),
        PLAIN,
        "change",
        {"display_name": "replace"},
    ),
    "a language": ({"language": "en"}, on_file(), PLAIN, "new", {"language": "add"}),
    "nothing wanted": ({}, on_file(), PLAIN, "same", {}),
    "nobody": ({"language": "en"}, None, PLAIN, "problem", {}),
    "an administrator": (
        {"mobile_phone": MOBILE},
        on_file(administrator=True),
        REPLACE,
        "problem",
        {},
    ),
    "an administrator by a global one": (
        {"mobile_phone": MOBILE},
        on_file(administrator=True),
        Options(administrators=True),
        "new",
        {"mobile_phone": "add"},
    ),
    "a guest's mailbox": (
        {"alternate_email": "new@example.net"},
        on_file(guest=True, alternate_email=("old@example.net", False)),
        REPLACE,
        "problem",
        {},
    ),
    "a guest's mailbox as it is": (
        {"email": "old@example.net", "mobile_phone": MOBILE},
        on_file(guest=True, alternate_email=("old@example.net", True)),
        PLAIN,
        "new",
        {"mobile_phone": "add"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_becomes_of_a_row(name: str) -> None:
    wanted, known, options, outcome, steps = CASES[name]

    plan = plan_row(CheckedRow(2, ALICE, (), wanted), known, options)

    assert plan.outcome == outcome
    assert {change.column: change.step.value for change in plan.changes} == steps
    assert {each.column for each in plan.writes} == {
        column for column, step in steps.items() if step != Step.KEEP
    }
    assert bool(plan.problems) == (outcome == Outcome.PROBLEM)


@pytest.mark.parametrize("user_id", ["", "twice@contoso.example"])
def test_a_row_whose_person_is_unclear_has_that_one_problem(user_id: str) -> None:
    for known in (None, on_file()):
        plan = plan_row(checked(user_id, language="en"), known, PLAIN)

        assert [problem.column for problem in plan.problems] == ["user_id"]
        assert plan.outcome == Outcome.PROBLEM


def summary_of(cases: Mapping[str, Case], number: int = 2) -> Summary:
    summary = Summary()
    for wanted, known, options, _, _ in cases.values():
        summary.add(plan_row(CheckedRow(number, ALICE, (), wanted), known, options))
    return summary.close()


def test_a_summary_counts_every_row_once_and_shows_values_masked() -> None:
    summary = summary_of(CASES)

    assert summary.rows == sum(summary.counts.values()) == len(CASES)
    assert (summary.problems, summary.to_write, summary.contacts_kept) == (3, 8, 3)
    text = summary.as_json()
    assert MOBILE not in text
    assert OTHER not in text
    assert "example.net" not in text
    assert Summary.from_json(text).as_json() == text


def test_the_digest_is_the_same_for_the_same_plan_only() -> None:
    digest = summary_of(CASES).digest

    assert summary_of(CASES).digest == digest
    changed: dict[str, Any] = {**CASES, "kept": (*CASES["kept"][:2], REPLACE, "", {})}
    assert summary_of(changed).digest != digest
    other = {**CASES, "new": ({"mobile_phone": OTHER}, on_file(), PLAIN, "", {})}
    assert summary_of(other).digest != digest


def test_only_the_first_rows_of_each_outcome_are_shown() -> None:
    summary = Summary()
    for number in range(SHOWN + 5):
        summary.add(plan_row(CheckedRow(number, ALICE, (), {"language": "en"}), None, PLAIN))

    assert (len(summary.samples["problem"]), summary.problems) == (SHOWN, SHOWN + 5)


def test_differences_name_what_counts_otherwise_now() -> None:
    assert differences({"new": 3, "same": 1}, {"new": 2, "same": 1}) == ["new: 2 instead of 3"]


def test_a_report_holds_the_rows_that_are_not_imported_with_what_to_do() -> None:
    report = Report(["user_id", "error", "mobile_phone"])
    cells = (ALICE, "an old error", MOBILE)
    for name in ("new", "kept", "nobody", "same"):
        wanted, known, options, _, _ = CASES[name]
        report.add(plan_row(CheckedRow(2, ALICE, cells, wanted), known, options))

    heading, kept, nobody = csv.reader(report.content().decode("utf-8-sig").splitlines())

    assert report.lines == 2
    assert heading == ["user_id", "mobile_phone", "error", "suggestion"]
    assert kept[:2] == nobody[:2] == [ALICE, f"'{MOBILE}"]
    assert kept[2] == "mobile_phone: what is on file is confirmed, so it was kept."
    assert nobody[2] == "user_id: There is no person with this user ID."


def test_no_value_shows_in_what_is_printed_of_a_plan() -> None:
    row = checked(mobile_phone=MOBILE)
    plan = plan_row(row, on_file(mobile_phone=(OTHER, True)), PLAIN)

    for shown in (repr(row), repr(plan), repr(Row(2, (MOBILE,), {"mobile_phone": MOBILE}))):
        assert MOBILE not in shown
        assert OTHER not in shown
