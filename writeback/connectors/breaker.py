"""PURE. Servers that did not answer are left alone for a while, so that one dead server of several
costs one wait and not one a job."""

from collections.abc import Callable, Sequence

RESTS_FOR = 30.0


class Breaker:
    """clock: seconds, of which only differences count."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failed_at: dict[str, float] = {}

    def failed(self, name: str) -> None:
        self._failed_at[name] = self._clock()

    def answered(self, name: str) -> None:
        self._failed_at.pop(name, None)

    def worth_asking(self, names: Sequence[str]) -> list[str]:
        """The names in their order, without those that rest; all of them when every one does,
        because a server that may be back is better than none."""
        now = self._clock()
        return [name for name in names if not self._rests(name, now)] or list(names)

    def _rests(self, name: str, now: float) -> bool:
        failed_at = self._failed_at.get(name)
        return failed_at is not None and now - failed_at < RESTS_FOR
