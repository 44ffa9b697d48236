"""The history of many resets, and whether it can have happened (after Jepsen).

Each reset is one operation on one person: what was told is held against what the directory says of
its own. `ok` has exactly one change; `no` has none, ever; `unknown` at most one, and in the end
it is known; nothing is changed without an operation, after its time, or twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

SKEW = timedelta(seconds=2)
Told = Literal["ok", "no", "unknown"]


@dataclass(frozen=True)
class Operation:
    """One reset as it was told in the end, and as the directory has it.

    changes: of this person's password while the history lasted; opens_new and opens_old: what a
    sign-in says; changed_at and expires: when the last change was, and until when it was allowed.
    """

    name: str
    told: Told
    changes: int
    opens_new: bool
    opens_old: bool
    changed_at: datetime
    expires: datetime
    jobs_open: int


def faults(history: Sequence[Operation]) -> dict[str, list[str]]:
    """The names of operations that can't have happened as they were told, by what is wrong."""
    found: dict[str, list[str]] = {"lost": [], "doubled": [], "false": [], "late": []}
    for each in history:
        if each.jobs_open or each.told == "unknown":
            found["lost"].append(each.name)
        if each.changes > 1:
            found["doubled"].append(each.name)
        if not _is_true(each):
            found["false"].append(each.name)
        if each.changes and each.changed_at > each.expires + SKEW:
            found["late"].append(each.name)
    return found


def _is_true(each: Operation) -> bool:
    if each.told == "ok":
        return each.changes >= 1 and each.opens_new
    if each.told == "no":
        return each.changes == 0 and each.opens_old and not each.opens_new
    return True
