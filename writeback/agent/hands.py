"""Threads for jobs in hand. One whose job is over stays for the next one for a while: where jobs
come one after the other, beginning a thread for each costs as much as speaking to the directory."""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Condition, Thread

STAYS = 10.0
"""Seconds that a thread waits for another job."""

Work = Callable[[], None]


class Hands:
    """As many threads as there is work at once. stays: seconds, as `STAYS`."""

    def __init__(self, stays: float = STAYS) -> None:
        self._stays = stays
        self._line: SimpleQueue[Work] = SimpleQueue()
        self._changed = Condition()
        self._busy = 0
        self._idle = 0

    def begin(self, work: Work) -> None:
        """Does it at once, in a thread. work: does not raise."""
        with self._changed:
            self._busy += 1
            if self._idle:
                self._idle -= 1
                self._line.put(work)
                return
        Thread(target=self._stay, args=(work,), daemon=True).start()

    def finish(self, seconds: float) -> None:
        """Waits for what was begun to come to an end."""
        with self._changed:
            self._changed.wait_for(lambda: not self._busy, seconds)

    def _stay(self, first: Work) -> None:
        work: Work | None = first
        while work is not None:
            try:
                work()
            finally:
                with self._changed:
                    self._busy -= 1
                    self._changed.notify_all()
            work = self._next()

    def _next(self) -> Work | None:
        with self._changed:
            self._idle += 1
        try:
            return self._line.get(timeout=self._stays)
        except Empty:
            with self._changed:
                if self._idle:
                    self._idle -= 1
                    return None
        # Whoever counted on this thread has put something in line, or is about to.
        return self._line.get()
