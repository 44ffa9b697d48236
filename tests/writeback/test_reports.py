"""What an agent may say of a job, and that nothing else is believed (R-8)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.writeback.looks import looked_at
from writeback.connectors.base import DirectoryRules
from writeback.reports import NotAReport, Report, read, written

RULES = DirectoryRules(min_length=12, min_age=timedelta(days=1), complexity=True)
MOMENT = datetime.fromisoformat("2026-11-20T09:30:00+00:00")
PERSON = dict(looked_at(changed_at=MOMENT).person or {})
REPORT = Report("succeeded", rules=RULES, person=PERSON, controller="dc1", at=1)


def test_a_report_is_read_as_it_was_written() -> None:
    assert read(written(REPORT)) == REPORT
    assert read(written(Report("unknown", "no_answer"))) == Report("unknown", "no_answer")


@pytest.mark.parametrize(
    "changed",
    [
        {"outcome": "perhaps"},
        {"cause": "because"},
        {"cause": ["superseded"]},
        {"changed": 1},
        {"unlocked": "yes"},
        {"reconciled": None},
        {"answer": "maybe"},
        {"controller": "dc1\n"},
        {"controller": "d" * 256},
        {"code": 49},
        {"at": -1},
        {"at": True},
        {"more": 1},
        {"rules": {}},
        {"rules": []},
        {"person": {}},
        {"person": "bob"},
    ],
)
def test_anything_else_is_none(changed: dict[str, Any]) -> None:
    with pytest.raises(NotAReport):
        read({**written(REPORT), **changed})


@pytest.mark.parametrize("found", [None, [], "report", {}])
def test_what_is_no_object_of_these_fields_is_none(found: object) -> None:
    with pytest.raises(NotAReport):
        read(found)


@pytest.mark.parametrize(
    "changed",
    [{"min_length": "12"}, {"history": -1}, {"min_age": 0.5}, {"complexity": 1}, {"more": None}],
)
def test_rules_are_numbers_and_marks(changed: dict[str, Any]) -> None:
    good = written(REPORT)
    with pytest.raises(NotAReport):
        read({**good, "rules": {**good["rules"], **changed}})


@pytest.mark.parametrize(
    "changed",
    [
        {"locked": 0},
        {"changed_at": "yesterday"},
        {"changed_at": "2026-11-20T09:30:00"},
        {"password_ends": 1},
        {"name": "Bob"},
    ],
)
def test_a_person_is_marks_and_times_with_a_zone(changed: dict[str, Any]) -> None:
    with pytest.raises(NotAReport):
        read({**written(REPORT), "person": {**PERSON, **changed}})
