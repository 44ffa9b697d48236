"""One directory that the product reaches itself, as a worker process is at work in it."""

import json
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock, Semaphore
from uuid import UUID

from django.db import connections

from tenants.keys import CACHE_SECONDS

from ..agent.desk import Desk, HandedOut
from ..agent.mending import Mending
from ..agent.pace import Ending
from ..agent.probing import Health, probe
from ..agent.slots import Slot
from ..keys import signer_public_keys
from ..models import Agent
from ..own import find_own_key
from ..reports import NotAReport, read
from ..services.direct import Reached, allowed, canary_of, reach
from ..services.taking import Taken
from ..workplace import Bounds, Clocks, Unwritable, Workplace
from .memory import DatabaseMemory
from .telling import Telling

AT_ONCE = 4
"""Jobs of one directory on their way to it in this process."""
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Surroundings:
    """What all directories of a process share. places: so many jobs are on their way at once."""

    clocks: Clocks
    ending: Ending
    telling: Telling
    places: Semaphore


class Office:
    """Made in the tenant's context, used outside of any. Raises SettingWrong and SealBroken for a
    directory that may not be reached, or not as it stands there.

    care: held while somebody looks after the directory, so that nobody else does at the same time.
    """

    def __init__(self, agent: Agent, around: Surroundings) -> None:
        row = agent.connector
        self.tenant: UUID = agent.tenant_id
        self.connector: UUID = row.pk
        self.care = Lock()
        self._around = around
        self._made_from = made_from(agent)
        self._made_at = time.monotonic()
        self._mend_at = 0.0
        self._told: set[UUID] = set()
        self._reached = reach(row)
        self._canary = canary_of(row)
        self._memory = DatabaseMemory(self.tenant, row.pk, around.clocks.now)
        workplace = self._workplace(self._reached)
        self._voice = around.telling.of(self.tenant, agent.pk)
        self._desk = Desk(
            workplace, signer_public_keys(), self._voice, AT_ONCE, connections.close_all
        )
        self._mending = Mending(workplace, self._memory, self._desk, self._voice, around.ending)

    def _workplace(self, reached: Reached) -> Workplace:
        tenant, connector, clocks = self.tenant, self.connector, self._around.clocks
        return Workplace(
            reached.directory,
            self._memory,
            lambda key: find_own_key(tenant, connector, key, clocks.now()),
            Bounds(tenant, connector, reached.places, reached.wanted.cap),
            clocks,
            self._memory.counting(),
        )

    def is_current(self, agent: Agent) -> bool:
        """Whether nothing it was made from is another now. It is made anew now and then all the
        same, because a tenant's keys are kept for so long and not longer."""
        return self._made_from == made_from(agent) and not self.is_over

    @property
    def is_over(self) -> bool:
        """Whether it is old and nothing is in hand in it."""
        return time.monotonic() - self._made_at >= CACHE_SECONDS and not self.count

    @property
    def count(self) -> int:
        """Jobs in hand, those that wait for an answer that does not come among them."""
        return self._desk.count

    def find_slot(self) -> Slot | None:
        """A place for one job; nothing while this directory or the process has none."""
        own = self._desk.find_slot(0)
        if own is None:
            return None
        if not self._around.places.acquire(blocking=False):
            own.free()
            return None
        return own.joined(self._around.places)

    def begin(self, taken: Taken, slot: Slot) -> None:
        self._desk.take(HandedOut(taken.job, taken.fence, taken.lease, taken.envelope), slot)

    def finish(self, seconds: float) -> None:
        """Waits for the jobs in hand to come to an end."""
        self._desk.finish(seconds)

    def probe(self) -> Health:
        return probe(self._reached.directory, self._canary, self._reached.places)

    def mend(self) -> None:
        """Looks into what was begun and has no end, now and then, and tells what was found out and
        not told."""
        if time.monotonic() < self._mend_at:
            return
        with suppress(Unwritable):
            self._mending.look()
            self._mending.tidy()
            self._tell_again()
        self._mend_at = time.monotonic() + self._mending.pause()

    def _tell_again(self) -> None:
        for job, result in self._memory.unreported():
            if job in self._told or self._desk.has(job):
                continue
            self._told.add(job)
            try:
                report, fence = read(result["report"]), int(result["fence"])
            except (NotAReport, KeyError):
                log.warning("job %s: its result is of another version, not reported", job)
                continue
            if report.outcome != "unknown":
                self._voice.add(job, report, fence)


def made_from(agent: Agent) -> tuple[object, ...]:
    """Everything that decides how a directory is reached."""
    row = agent.connector
    text = json.dumps(row.settings, sort_keys=True)
    return (agent.pk, row.kind, text, bytes(row.secret or b""), row.canary, allowed())
