"""docs/pre-enrolment.md says what the code does."""

import re
from pathlib import Path

import pytest

from accounts.imports.columns import COLUMNS
from accounts.imports.formats import FORMATS, MAX_BYTES, MAX_ROWS, open_file
from accounts.imports.plan import Outcome
from accounts.imports.runs import MOST_ONLINE
from accounts.management.commands import import_enrolment
from accounts.numbers import written_number

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "pre-enrolment.md").read_text("utf-8")


def test_the_table_of_columns_is_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+) \| (\d+) \| `(.+)` \|$", TEXT, re.MULTILINE)

    assert rows == [
        (column.key, column.says, str(column.longest), column.example)
        for column in COLUMNS.values()
    ]


def test_the_example_is_a_file_that_is_read() -> None:
    found = re.search(r"```csv\n(.+?)```", TEXT, re.DOTALL)
    assert found is not None

    alice, bob = open_file(found[1].encode()).rows()

    assert alice.values["alternate_email"] == "alice@example.net"
    assert written_number(bob.values["mobile_phone"]) == "+49 301234567"


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_explained(outcome: Outcome) -> None:
    assert f"| `{outcome.value}` |" in TEXT


def test_limits_formats_and_exit_codes_are_the_code() -> None:
    for limit in (f"{MAX_BYTES // 1024**2} MiB", f"{MAX_ROWS:,} rows", f"{MOST_ONLINE:,} rows"):
        assert limit in TEXT
    assert "|".join(FORMATS) in TEXT
    assert f"| {import_enrolment.REFUSED} | the file, or at least one row" in TEXT
    assert f"| {import_enrolment.WOULD_CHANGE} | a dry run" in TEXT
