"""PURE. How many passwords an agent sets at the most, whatever it is told (security 3.6).

A stolen product or a stolen agent can do no more harm in an hour than this.
"""

from collections.abc import Sequence
from dataclasses import dataclass

HOUR = 3600


@dataclass(frozen=True)
class Cap:
    """per_hour: in any hour; burst: one after the other without a pause."""

    per_hour: int = 60
    burst: int = 10


def may_set(times: Sequence[int], now: int, cap: Cap) -> bool:
    """Whether one more may be set now. times: Unix seconds of those before, oldest first.

    Two walls: no hour holds more than `per_hour`, and of `burst` at once each comes back after an
    equal part of the hour. Times in the future, from a clock that was put back, count as now.
    """
    recent = [min(moment, now) for moment in times if moment > now - HOUR]
    if len(recent) >= cap.per_hour:
        return False
    comes_back = HOUR / cap.per_hour
    left, since = float(cap.burst), now - HOUR
    for moment in recent:
        left = min(cap.burst, left + (moment - since) / comes_back) - 1
        since = moment
    return min(cap.burst, left + (now - since) / comes_back) >= 1
