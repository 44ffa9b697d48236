"""The checker of histories finds what it is there for, so a clean history means something."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.lab.history import Operation, faults

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
DONE = Operation("a", "ok", 1, True, False, NOW, NOW + timedelta(seconds=300), 0)
NOT_DONE = Operation("a", "no", 0, False, True, NOW, NOW + timedelta(seconds=300), 0)


@pytest.mark.parametrize("clean", [DONE, NOT_DONE])
def test_a_true_history_is_clean(clean: Operation) -> None:
    assert faults([clean]) == {"lost": [], "doubled": [], "false": [], "late": []}


@pytest.mark.parametrize(
    ("told", "changed", "what"),
    [
        (DONE, {"changes": 0, "opens_new": False}, "false"),
        (DONE, {"opens_new": False}, "false"),
        (NOT_DONE, {"changes": 1}, "false"),
        (NOT_DONE, {"opens_new": True, "opens_old": False}, "false"),
        (DONE, {"changes": 2}, "doubled"),
        (DONE, {"told": "unknown"}, "lost"),
        (NOT_DONE, {"jobs_open": 1}, "lost"),
        (DONE, {"changed_at": NOW + timedelta(seconds=303)}, "late"),
    ],
)
def test_what_can_not_have_happened_is_found(
    told: Operation, changed: dict[str, Any], what: str
) -> None:
    assert faults([replace(told, **changed)])[what] == ["a"]
