"""Threads of a worker that reach directories for the product itself.

One takes jobs and gives each a thread of its own, one tells what became of them, and a few look
after directories: whether each is there, and what was begun and has no end. None of them is the
thread that sends mails, and a directory that stalls holds up nobody but itself: only so many of its
jobs are on their way, and those that wait for an answer give their place back.
"""

import logging
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock, Semaphore, Thread
from uuid import UUID

from django.db import Error, close_old_connections, connections
from django.db.models import Q
from django.utils import timezone

from tenants import bell
from tenants.context import tenant_context
from tenants.keys import SealBroken
from tenants.lookup import tenants_with_direct, tenants_with_direct_jobs

from ..agent.pace import Ending
from ..agent.probing import Health
from ..connectors.settings import SettingWrong
from ..models import Agent, Connector
from ..services.direct import find_own_agents
from ..services.heartbeats import note_directory
from ..services.taking import take
from ..workplace import Clocks
from .office import Office, Surroundings
from .telling import Telling

AT_ONCE = 16
"""Jobs of all directories on their way in one process."""
MOST_IN_HAND = 64
"""With those that wait for an answer that does not come."""
CARERS = 2
LOOKS_EVERY, LOOKS_OFTEN = 2.0, 0.2
"""Seconds without a bell after which jobs are looked for; the second while some are in hand."""
CARES_EVERY = 2.0
PROBES_EVERY = timedelta(minutes=3)
RESTS_AFTER_FAULT = 2.0
IN_HAND_ENDS_WITHIN = 15.0
TOLD_WITHIN = 3.0
log = logging.getLogger(__name__)


class DirectWork:
    """The product's own agents in one process."""

    def __init__(self) -> None:
        self._ending = Ending()
        clocks = Clocks(timezone.now, time.monotonic, self._ending.wait)
        self._telling = Telling()
        self._around = Surroundings(clocks, self._ending, self._telling, Semaphore(AT_ONCE))
        self._offices: dict[UUID, Office] = {}
        self._left: list[Office] = []
        self._lock = Lock()
        self._threads: list[Thread] = []

    def start(self) -> None:
        works: list[Callable[[], None]] = [self._take_jobs, *([self._care] * CARERS)]
        threads = [Thread(target=self._guarded, args=(work,), daemon=True) for work in works]
        self._threads = [*threads, Thread(target=self._tell, daemon=True)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Begins nothing more, waits for what is in hand, and tells what is known."""
        self._ending.ask()
        self._finish(IN_HAND_ENDS_WITHIN)
        self._telling.end()
        ends = time.monotonic() + TOLD_WITHIN
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))

    def once(self) -> int:
        """Carries out what waits, in this call; how many jobs."""
        done = 0
        while taken := self.take_round():
            done += taken
            self._finish(IN_HAND_ENDS_WITHIN)
            self._telling.bring_all()
        return done

    def take_round(self) -> int:
        """Begins at most one job of each directory; how many."""
        return sum(self._take_in(tenant) for tenant in tenants_with_direct_jobs())

    def care_round(self) -> None:
        """Looks after what is due, while nobody else does."""
        with self._lock:
            for key in [key for key, office in self._offices.items() if office.is_over]:
                del self._offices[key]
        due = timezone.now() - PROBES_EVERY
        for tenant in tenants_with_direct(due):
            for agent in self._agents_of(tenant):
                if self._ending.is_set:
                    return
                self._look_after(agent, due)

    def _agents_of(self, tenant: UUID) -> list[Agent]:
        with tenant_context(tenant):
            return find_own_agents()

    def _take_in(self, tenant: UUID) -> int:
        return sum(self._take_one(agent) for agent in self._agents_of(tenant))

    def _take_one(self, agent: Agent) -> int:
        if self._ending.is_set or self._in_hand() >= MOST_IN_HAND:
            return 0
        office = self._find_office(agent)
        slot = office.find_slot() if office is not None else None
        if office is None or slot is None:
            return 0
        taken = None
        try:
            now = timezone.now()
            with tenant_context(agent.tenant_id):
                taken = take(agent, now, now)
        finally:
            if taken is None:
                slot.free()
        if taken is None:
            return 0
        office.begin(taken, slot)
        return 1

    def _find_office(self, agent: Agent) -> Office | None:
        """Where this directory is worked in; nothing while it may not be reached as it is."""
        with self._lock:
            found = self._offices.get(agent.connector_id)
            if found is not None and found.is_current(agent):
                return found
            self._offices.pop(agent.connector_id, None)
            if found is not None:
                self._left = [one for one in (*self._left, found) if one.count]
            try:
                with tenant_context(agent.tenant_id):
                    made = Office(agent, self._around)
            except (SettingWrong, SealBroken) as wrong:
                name = wrong.name if isinstance(wrong, SettingWrong) else "seal"
                log.warning("directory %s: not reached: %s", agent.connector_id, name)
                return None
            self._offices[agent.connector_id] = made
            return made

    def _all(self) -> list[Office]:
        with self._lock:
            return [*self._offices.values(), *self._left]

    def _in_hand(self) -> int:
        return sum(office.count for office in self._all())

    def _finish(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        for office in self._all():
            office.finish(max(0.0, ends - time.monotonic()))

    def _look_after(self, agent: Agent, due: datetime) -> None:
        office = self._find_office(agent)
        if office is None:
            if self._claim(agent, due):
                self._note(agent, Health("misconfigured", "configuration"))
            return
        if not office.care.acquire(blocking=False):
            return
        try:
            office.mend()
            if self._claim(agent, due):
                self._note(agent, office.probe())
        finally:
            office.care.release()

    def _claim(self, agent: Agent, due: datetime) -> bool:
        """Whether this worker is the one that looks at the directory now."""
        with tenant_context(agent.tenant_id):
            rows = Connector.objects.filter(Q(reported_at=None) | Q(reported_at__lte=due))
            claimed = rows.filter(pk=agent.connector_id, direct=True)
            return bool(claimed.update(reported_at=timezone.now()))

    def _note(self, agent: Agent, health: Health) -> None:
        found = (health.state, health.trouble, health.rules)
        with suppress(Connector.DoesNotExist), tenant_context(agent.tenant_id):
            note_directory(agent.connector_id, *found, timezone.now())

    # --- Threads ----------------------------------------------------------------------------

    def _take_jobs(self) -> None:
        def look() -> bool | None:
            return True if self.take_round() or self._ending.is_set else None

        while not self._ending.is_set:
            close_old_connections()
            # Nothing rings when a place at a directory is free again.
            bell.wait_for(bell.DIRECT, look, LOOKS_OFTEN if self._in_hand() else LOOKS_EVERY)

    def _care(self) -> None:
        while not self._ending.wait(CARES_EVERY):
            close_old_connections()
            self.care_round()

    def _tell(self) -> None:
        try:
            self._telling.run()
        finally:
            connections.close_all()

    def _guarded(self, work: Callable[[], None]) -> None:
        """A fault ends nothing: the work goes on after a rest."""
        while not self._ending.is_set:
            try:
                close_old_connections()
                work()
            except Error as error:
                log.error("directories wait: %s", type(error).__name__)
            except Exception as error:
                # Its text may hold anything, so only its place is told.
                place = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{Path(place.filename).name}:{place.lineno}"
                log.error("a fault at directories: %s at %s", type(error).__name__, where)
            self._ending.wait(RESTS_AFTER_FAULT)
        connections.close_all()
