"""The table of security cases and the attack suite name each other, and no case is forgotten."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "security.md"
SUITES = [ROOT / "tests" / name for name in ("security", "lab", "writeback")]
ROW = re.compile(r"^\| ([AF]-\d{2,3}) \|.*\|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
NUMBERED = re.compile(r"test_([af])(\d{2,3})_")
ASVS = re.compile(r"\d{1,2}\.\d{1,2}\.\d{1,2}(?:, \d{1,2}\.\d{1,2}\.\d{1,2})*")


def _range(first: int, last: int) -> list[str]:
    return [f"A-{number:03d}" for number in range(first, last + 1)]


COVERED = [
    *_range(1, 38),
    *_range(39, 45),
    "A-047",
    *_range(1, 33),
    *_range(39, 46),
    "A-048",
    *_range(49, 55),
    *_range(57, 62),
    *_range(64, 66),
    *_range(67, 92),
    "A-100",
    *_range(113, 115),
    *_range(117, 119),
    *_range(101, 112),
    "A-121",
    *[f"F-{number:02d}" for number in (5, 6, 7, *range(15, 22), 24, 25, 28, 30, 31)],
    *["F-01", "F-02", "F-03", "F-04", "F-10", "F-12"],
]


def rows(text: str) -> dict[str, list[str]]:
    """The rows of the table by number, as cells."""
    return {
        match[1]: [cell.strip() for cell in match[0].strip("|").split("|")]
        for match in ROW.finditer(text)
    }


def functions(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }


def number_of(test: str) -> str | None:
    """`test_a001_…` belongs to A-001, `test_f03_…` to F-03."""
    found = NUMBERED.match(test)
    return f"{found[1].upper()}-{found[2]}" if found else None


def unnamed(table: dict[str, list[str]], tests: Iterable[str]) -> list[str]:
    """Numbered tests that the row of their number does not name."""
    return [
        test
        for test in tests
        if (number := number_of(test)) is not None
        and f"::{test}`" not in " ".join(table.get(number, []))
    ]


def test_every_case_that_must_be_covered_is_in_the_table() -> None:
    table = rows(TABLE.read_text(encoding="utf-8"))

    assert [number for number in COVERED if number not in table] == []


def test_every_row_has_a_test_or_says_what_it_waits_for() -> None:
    table = rows(TABLE.read_text(encoding="utf-8"))

    for number, cells in table.items():
        assert len(cells) == 4, number
        _, attack, tests, asvs = cells
        assert attack, number
        assert TEST.search(tests) or tests.startswith("waiting: "), number
        assert ASVS.fullmatch(asvs), number


def test_every_test_that_the_table_names_exists() -> None:
    named = TEST.findall(TABLE.read_text(encoding="utf-8"))

    assert named
    missing = [
        f"{path}::{test}"
        for path, test in named
        if not (ROOT / path).is_file() or test not in functions(ROOT / path)
    ]
    assert missing == []


def test_every_numbered_test_of_the_suite_is_in_its_row() -> None:
    table = rows(TABLE.read_text(encoding="utf-8"))
    paths = [path for suite in SUITES for path in sorted(suite.rglob("test_*.py"))]
    tests = [test for path in paths for test in sorted(functions(path))]

    assert unnamed(table, tests) == []


def test_the_numbers_of_one_section_stand_in_order() -> None:
    for section in TABLE.read_text(encoding="utf-8").split("\n## "):
        numbers = [match[1] for match in ROW.finditer(section)]
        assert numbers == sorted(numbers)


@pytest.mark.parametrize(
    ("row", "missing"),
    [
        ("| A-001 | an attack | `tests/security/test_x.py::test_a001_it_fails` | 6.3.8 |", False),
        ("| A-001 | an attack | `tests/security/test_x.py::test_a001_it_fail` | 6.3.8 |", True),
        ("| A-002 | an attack | `tests/security/test_x.py::test_a001_it_fails` | 6.3.8 |", True),
        ("", True),
    ],
)
def test_a_test_that_its_row_does_not_name_is_found(row: str, missing: bool) -> None:
    assert (unnamed(rows(row), ["test_a001_it_fails"]) != []) is missing
