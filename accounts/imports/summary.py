"""PURE. What an import comes to: counts, the first rows of each outcome, and the whole as a digest.

Values of contacts are masked here, so a summary can be shown; user IDs and names stand in it, so it
is kept sealed.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .plan import Change, Outcome, RowPlan
from .validation import shown_value

SHOWN = 100
"""Rows of each outcome that are shown; all problems are in the report."""


@dataclass
class Summary:
    """Grows row by row. `samples` maps outcomes to the first rows as plain values."""

    rows: int = 0
    counts: dict[str, int] = field(default_factory=lambda: {each.value: 0 for each in Outcome})
    contacts_kept: int = 0
    samples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    digest: str = ""

    def __post_init__(self) -> None:
        self._hash = hashlib.sha256()

    @property
    def problems(self) -> int:
        return self.counts[Outcome.PROBLEM]

    @property
    def to_write(self) -> int:
        """People that would be changed."""
        return self.counts[Outcome.NEW] + self.counts[Outcome.CHANGE]

    def add(self, plan: RowPlan) -> None:
        self.rows += 1
        self.counts[plan.outcome] += 1
        self.contacts_kept += len(plan.kept)
        self._hash.update(repr(_facts(plan)).encode("utf-8", "surrogatepass"))
        shown = self.samples.setdefault(plan.outcome, [])
        if len(shown) < SHOWN:
            shown.append(_sample(plan))

    def close(self) -> "Summary":
        """Fixes the digest: two summaries with the same digest came from the same plan."""
        self.digest = self._hash.hexdigest()
        return self

    def as_json(self) -> str:
        return json.dumps(
            {
                "rows": self.rows,
                "counts": self.counts,
                "contacts_kept": self.contacts_kept,
                "samples": self.samples,
                "digest": self.digest,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> "Summary":
        return cls(**json.loads(text))


def differences(before: Mapping[str, int], now: Mapping[str, int]) -> list[str]:
    """What counts differ, in words: `new: 3 instead of 5`."""
    return [
        f"{key}: {now[key]} instead of {count}"
        for key, count in before.items()
        if now[key] != count
    ]


def _facts(plan: RowPlan) -> tuple[Any, ...]:
    changes = [(each.column, each.step.value, each.before, each.after) for each in plan.changes]
    problems = [(each.code, each.column) for each in plan.problems]
    return (plan.number, plan.user_id, plan.outcome.value, changes, problems)


def _sample(plan: RowPlan) -> dict[str, Any]:
    return {
        "number": plan.number,
        "user_id": shown_value("user_id", plan.user_id),
        "changes": [_shown(change) for change in plan.changes],
        "problems": [
            {
                "column": each.column,
                "shown": each.shown,
                "message": each.message,
                "suggestion": each.suggestion,
            }
            for each in plan.problems
        ],
    }


def _shown(change: Change) -> dict[str, Any]:
    return {
        "column": change.column,
        "step": change.step.value,
        "before": shown_value(change.column, change.before) if change.before else "",
        "after": shown_value(change.column, change.after),
        "was_confirmed": change.was_confirmed,
    }
