"""One stretch of flows, measured: CPU by who spent it, and time by step."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from .cpu import cpu_seconds

MS = 1000.0


@dataclass(frozen=True)
class Sample:
    """CPU in ms a flow by server, worker and database; wall clock of whole flows and of steps."""

    server: float
    worker: float
    database: float
    flows: Sequence[float]
    steps: dict[str, list[float]] = field(default_factory=dict)

    @property
    def total(self) -> float:
        return self.server + self.worker + self.database


class Meter:
    """Reads the clocks of some processes and tells what they spent since the last reading;
    `apart` are processes below them that are not theirs."""

    def __init__(self, *roots: int, apart: Sequence[int] = ()) -> None:
        self._roots, self._apart = roots, frozenset(apart)
        self._last = self._read()

    def _read(self) -> list[float]:
        return [cpu_seconds([root], self._apart) for root in self._roots]

    def take(self) -> list[float]:
        """Seconds since the last time, for each root."""
        before, self._last = self._last, self._read()
        return [now - then for now, then in zip(self._last, before, strict=True)]


def idle_load(*roots: int, seconds: float = 5) -> list[float]:
    """CPU seconds a second of processes that have nothing to do."""
    meter = Meter(*roots)
    time.sleep(seconds)
    return [spent / seconds for spent in meter.take()]
