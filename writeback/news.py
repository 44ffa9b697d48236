"""PURE. When administrators are told of a directory: once when it fails, once when it is back."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from .health import State

GOOD: frozenset[State] = frozenset({"healthy", "healthy_outdated"})
BAD: frozenset[State] = frozenset({"disconnected", "not_configured", "service_fault"})
"""Of `unknown_outdated` nothing is known, so nothing is told."""
TELLS_AFTER = timedelta(seconds=60)
"""A connection that comes back by itself is no news."""


@dataclass(frozen=True)
class Known:
    """told: the state that was told last, or the first good one; empty for a directory that never
    worked, of which nobody has to be told. bad_since: nothing while the state is no bad one."""

    told: str
    bad_since: datetime | None


def judge(known: Known, state: State, now: datetime) -> tuple[Known, bool]:
    """What is known from now on, and whether administrators are told of this state."""
    if known.told in BAD:
        return (Known(state, None), True) if state in GOOD else (known, False)
    if not known.told or state not in BAD:
        first = state if not known.told and state in GOOD else known.told
        return Known(first, None), False
    since = known.bad_since or now
    if now - since >= TELLS_AFTER:
        return Known(state, since), True
    return Known(known.told, since), False
