"""How long to wait before the next try, and when to end."""

from secrets import SystemRandom
from threading import Event

LONGEST = 30.0
FIRST = 0.5


class Backoff:
    """Waits that double up to half a minute, each cut at random, so that a thousand agents do not
    come back at the same moment."""

    def __init__(self) -> None:
        self._next = FIRST
        self._random = SystemRandom()

    def pause(self) -> float:
        """Seconds until the next try."""
        longest = self._next
        self._next = min(2 * longest, LONGEST)
        return self._random.uniform(longest / 2, longest)

    def reset(self) -> None:
        self._next = FIRST


class Ending:
    """Whether the agent is to end, and why. cause: "" for one who was asked to, else what the
    product said."""

    FATAL = frozenset({"unknown", "revoked", "upgrade_required"})

    def __init__(self) -> None:
        self._event = Event()
        self.cause = ""

    @property
    def is_set(self) -> bool:
        return self._event.is_set()

    def ask(self, cause: str = "") -> None:
        if not self._event.is_set():
            self.cause = cause
            self._event.set()

    def wait(self, seconds: float) -> bool:
        """True when it is time to end."""
        return self._event.wait(seconds)

    def turned_away(self, cause: str) -> None:
        """The product refused a call; some refusals are for good."""
        if cause in self.FATAL:
            self.ask(cause)
