"""Bringing reports to the product until it has taken them, through outages and restarts.

A job that ends leaves a place, and its report asks for the next one: where jobs wait that is one
call for each instead of two. A report that did not arrive frees its place.

What is in the journal is brought until the product has it; the rest as long as somebody could be
waiting for it. Only the newest report of a job counts.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Condition, Lock
from typing import Any
from uuid import UUID

from ..protocol import LIFETIME
from ..reports import NotAReport, Report, read, written
from ..workplace import Unwritable
from .client import Client, NoAnswer, TurnedAway
from .desk import HandedOut
from .journal import Journal
from .pace import Backoff, Ending
from .slots import Slot

log = logging.getLogger("sspr-agent")


@dataclass(frozen=True)
class Waiting:
    """due, until: of the monotonic clock. until counts only for what is not in the journal. slot:
    what the job left, if nobody has it yet."""

    job: UUID
    report: Report
    fence: int
    due: float
    until: float
    slot: Slot | None = None

    def free(self) -> None:
        if self.slot is not None:
            self.slot.free()


class Reporting:
    """One thread brings the reports (`run`), any may add one."""

    def __init__(
        self,
        client: Client,
        journal: Journal,
        ending: Ending,
        monotonic: Callable[[], float],
        seconds: Callable[[], int],
        take: Callable[[HandedOut, Slot], None],
    ) -> None:
        """take: begins a job that came with an answer."""
        self._client = client
        self._journal = journal
        self._ending = ending
        self._monotonic = monotonic
        self._seconds = seconds
        self._take = take
        self._waiting: dict[UUID, Waiting] = {}
        self._changed = Condition()
        self._bringing = Lock()
        self._backoff = Backoff()

    def restore(self) -> None:
        """Puts in line what was known and not brought when the agent ended (F-07)."""
        for entry in self._journal.unreported():
            try:
                self.add(UUID(entry.job), read(entry.facts["report"]), entry.facts["fence"])
            except (NotAReport, KeyError):
                log.warning("job %s: its result is of another version, not reported", entry.job)

    def add(
        self, job: UUID, report: Report, fence: int, delay: float = 0, slot: Slot | None = None
    ) -> None:
        """See `workplace.Reports`."""
        now = self._monotonic()
        until = now + LIFETIME.total_seconds()
        with self._changed:
            before = self._waiting.get(job)
            self._waiting[job] = Waiting(job, report, fence, now + delay, until, slot)
            self._changed.notify_all()
        if before is not None:
            before.free()

    def run(self) -> None:
        """Until the agent ends."""
        while not self._ending.is_set:
            waiting = self._next(longest=1)
            if waiting is not None and not self._bring(waiting):
                self._ending.wait(self._backoff.pause())

    def finish(self, seconds: float) -> None:
        """What is left, tried once each within this time; the journal keeps what is not taken."""
        end = self._monotonic() + seconds
        with self._changed:
            left = list(self._waiting.values())
        for waiting in left:
            if self._monotonic() < end and not self._bring(waiting):
                return

    @property
    def count(self) -> int:
        with self._changed:
            return len(self._waiting)

    def _next(self, longest: float) -> Waiting | None:
        """What is due, after a wait of at most this long."""
        with self._changed:
            due = min((one.due for one in self._waiting.values()), default=None)
            now = self._monotonic()
            if due is None or due > now:
                self._changed.wait(longest if due is None else min(longest, due - now))
            self._drop_late()
            ready = [one for one in self._waiting.values() if one.due <= self._monotonic()]
            return min(ready, key=lambda one: one.due, default=None)

    def _drop_late(self) -> None:
        now = self._monotonic()
        for job, one in list(self._waiting.items()):
            if one.until < now and self._journal.find_result(job) is None:
                del self._waiting[job]

    def _bring(self, waiting: Waiting) -> bool:
        """Whether the product has it, or said that another has the job now. One at a time, so that
        an end is never overtaken by what came before it."""
        with self._bringing:
            with self._changed:
                is_over = self._waiting.get(waiting.job) is not waiting
            return is_over or self._brought(waiting)

    def _brought(self, waiting: Waiting) -> bool:
        asks = self._may_ask(waiting.slot)
        body = {"fence": waiting.fence, "report": written(waiting.report), "next": asks}
        try:
            answer = self._client.call(f"/jobs/{waiting.job}/result", body)
        except NoAnswer as error:
            log.warning("job %s: not reported yet: %s", waiting.job, error)
            self._free_places()
            return False
        except TurnedAway as refusal:
            self._ending.turned_away(refusal.cause)
            self._free_places()
            return False
        self._backoff.reset()
        if answer.status != 200:
            log.warning("job %s: report not taken, status %s", waiting.job, answer.status)
        self._note(waiting, body["report"])
        with self._changed:
            if self._waiting.get(waiting.job) is waiting:
                del self._waiting[waiting.job]
        # Out of line before: the same job may have been handed out again.
        self._fill(waiting.slot, answer.body.get("next"))
        return True

    def _may_ask(self, slot: Slot | None) -> bool:
        """As the one who asks for jobs: not at the end, nor with a journal not to be believed."""
        has_room = slot is not None and slot.is_held
        return has_room and not self._ending.is_set and not self._journal.is_damaged

    def _fill(self, slot: Slot | None, found: Any) -> None:
        """Begins what came with an answer in the place that was left, or gives the place back."""
        if slot is None:
            return
        if found is None or self._ending.is_set:
            slot.free()
            return
        try:
            handed = HandedOut.read(found)
        except (ValueError, KeyError, TypeError):
            log.warning("what came with an answer is no job")
            slot.free()
        else:
            self._take(handed, slot)

    def _free_places(self) -> None:
        """Nobody keeps a place while reports wait for a product that does not answer."""
        with self._changed:
            left = list(self._waiting.values())
        for waiting in left:
            waiting.free()

    def _note(self, waiting: Waiting, report: object) -> None:
        """Only of what the journal holds as the end: an "unknown" may have gone before it."""
        result = self._journal.find_result(waiting.job)
        if result is not None and result["report"] == report:
            with suppress(OSError, Unwritable):
                self._journal.note_reported(waiting.job, self._seconds())
