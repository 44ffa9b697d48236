"""Changes without an end: looked into after a restart and after a job gave up waiting (F-06)."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from ..reconciling import reconcile
from ..reports import Report, written
from ..workplace import Intent, Memory, Reports, Unwritable, Workplace
from .desk import Desk
from .journal import Entry
from .pace import Ending

OFTEN, SELDOM = 5.0, 60.0
FRESH = timedelta(minutes=10)
KEPT = timedelta(hours=25)
"""How long the journal keeps what is settled: longer than anybody asks for it."""

log = logging.getLogger("sspr-agent")


class Archive(Memory, Protocol):
    """A memory that can be looked through, and tidied."""

    def unsettled(self) -> Sequence[Entry]:
        """Intents without a result, oldest first."""

    def forget(self, before: int) -> None:
        """Leaves out what was settled before that time, Unix seconds. May raise OSError."""


class Mending:
    """One thread (`run`). Nothing is ever set here."""

    def __init__(
        self,
        workplace: Workplace,
        journal: Archive,
        desk: Desk,
        reporting: Reports,
        ending: Ending,
    ) -> None:
        self._workplace = workplace
        self._journal = journal
        self._desk = desk
        self._reporting = reporting
        self._ending = ending
        self._since: dict[str, datetime] = {}
        self._told: set[str] = set()
        self._tidied_at = workplace.clocks.now()

    def run(self) -> None:
        """Until the agent ends."""
        while not self._ending.is_set:
            self.look()
            self.tidy()
            self._ending.wait(self.pause())

    def look(self) -> None:
        """Asks once about everything that is open and in nobody's hand."""
        for entry in self._journal.unsettled():
            if not self._desk.has(UUID(entry.job)) and entry.job not in self._told:
                self._look_into(entry)

    def _look_into(self, entry: Entry) -> None:
        try:
            intent = Intent.read(entry.facts)
        except (KeyError, ValueError, TypeError):
            log.warning("job %s: its intent is of another version", entry.job)
            self._told.add(entry.job)
            return
        # Whoever was at it is not any more, since this process began or its thread ended.
        closed_at = self._since.setdefault(entry.job, self._workplace.clocks.now())
        report = reconcile(intent, self._workplace, closed_at)
        if report is not None:
            fence = self._desk.fence_of(UUID(entry.job), intent.fence)
            self._settle(entry.job, report, fence)

    def _settle(self, job: str, report: Report, fence: int) -> None:
        facts = {"report": written(report), "fence": fence}
        self._told.add(job)
        with suppress(OSError, Unwritable):
            self._journal.settle(UUID(job), self._workplace.seconds(), facts)
        log.info("job %s: %s %s, found out afterwards", job, report.outcome, report.cause)
        self._reporting.add(UUID(job), report, fence)

    def pause(self) -> float:
        """Seconds until the next look."""
        now = self._workplace.clocks.now()
        is_fresh = any(now - since < FRESH for since in self._since.values())
        return OFTEN if is_fresh or not self._since else SELDOM

    def tidy(self) -> None:
        """Once an hour, leaves out what nobody asks for any more."""
        now = self._workplace.clocks.now()
        if now - self._tidied_at < timedelta(hours=1):
            return
        self._tidied_at = now
        try:
            self._journal.forget(int((now - KEPT).timestamp()))
        except OSError as error:
            log.warning("the journal could not be tidied: %s", error.strerror)
