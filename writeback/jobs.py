"""PURE. The life of a job on the product's side, and what the outcomes of several make together.

Nothing here knows a clock or a database: times are passed in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Literal

from .outcomes import Outcome

LEASE = timedelta(seconds=30)
TAKEN_WITHIN = timedelta(seconds=15)
"""A job that no agent took until then is withdrawn, and the person told that nothing changed."""


class State(StrEnum):
    UNSIGNED = "unsigned"
    READY = "ready"
    TAKEN = "taken"
    DONE = "done"


Told = Literal["done", "partly", "rejected", "retry", "failed", "unknown"]
"""What the person hears. done: everywhere; partly: in some directories only; rejected: the
directory's rules refuse this password; retry: certainly not changed, and worth another try."""

_RETRY = frozenset(
    {"unreachable", "busy", "expired", "withdrawn", "not_applied", "lease_lost", "clock_skew"}
)
_REJECTED = frozenset({"password_rules"})


@dataclass(frozen=True)
class Finished:
    """One directory's end. changed: the password is the new one there."""

    outcome: Outcome
    cause: str
    changed: bool = False
    unlocked: bool | None = None


def cause_of(jobs: Sequence[Finished]) -> str:
    """Why the first directory that did not do it did not; "" where all did."""
    return next((job.cause for job in jobs if job.outcome != "succeeded"), "")


def told(jobs: Sequence[Finished]) -> Told:
    """What several directories' outcomes mean together. At least one job.

    Where one changed and another did not, the person has a new password that does not hold
    everywhere: that is neither a success nor a failure, and each directory is named (R-24).
    """
    if any(job.outcome == "unknown" for job in jobs):
        return "unknown"
    done = [job for job in jobs if job.outcome == "succeeded"]
    if len(done) == len(jobs):
        return "partly" if any(job.unlocked is False for job in jobs) else "done"
    if done or any(job.changed for job in jobs):
        return "partly"
    causes = {job.cause for job in jobs}
    if causes & _REJECTED:
        return "rejected"
    return "retry" if causes <= _RETRY else "failed"
