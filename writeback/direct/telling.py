"""Ending jobs with what became of them. Reports wait here, so that whoever carries out a job does
not wait for the database."""

import logging
import time
from dataclasses import dataclass, replace
from threading import Condition
from uuid import UUID

from django.db import Error, close_old_connections, connection
from django.utils import timezone

from tenants.context import tenant_context

from ..agent.slots import Slot
from ..models import Agent
from ..protocol import LIFETIME
from ..reports import Report
from ..services.outcome import Reported, take_report

AGAIN_AFTER = 1.0
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Waiting:
    """due, until: of the monotonic clock."""

    tenant: UUID
    agent: UUID
    job: UUID
    report: Report
    fence: int
    due: float
    until: float


class Telling:
    """One thread tells (`run`), any may add a report. Only the newest of a job counts."""

    def __init__(self) -> None:
        self._waiting: dict[UUID, Waiting] = {}
        self._changed = Condition()
        self._is_ending = False

    def of(self, tenant: UUID, agent: UUID) -> "Voice":
        return Voice(self, tenant, agent)

    def put(self, waiting: Waiting) -> None:
        with self._changed:
            self._waiting[waiting.job] = waiting
            self._changed.notify_all()

    def run(self) -> None:
        """Until it is asked to end, and was tried once with everything that is left."""
        while not self._is_ending:
            waiting = self._next()
            if waiting is not None:
                self._bring(waiting)
        self.bring_all()

    def end(self) -> None:
        with self._changed:
            self._is_ending = True
            self._changed.notify_all()

    def bring_all(self) -> None:
        """What waits, due or not: nobody is going to know better."""
        with self._changed:
            left = list(self._waiting.values())
        for waiting in left:
            self._bring(waiting)

    def _next(self) -> Waiting | None:
        """What is due, within a second."""
        with self._changed:
            due = min((one.due for one in self._waiting.values()), default=None)
            left = 1.0 if due is None else due - time.monotonic()
            if left > 0 and not self._is_ending:
                self._changed.wait(min(left, 1.0))
            now = time.monotonic()
            ready = [one for one in self._waiting.values() if one.due <= now]
            return min(ready, key=lambda one: one.due, default=None)

    def _bring(self, waiting: Waiting) -> None:
        """What the memory holds is found again later, so nobody tries for ever."""
        is_over = True
        try:
            _tell(waiting)
        except Error as error:
            log.warning("job %s: not told yet: %s", waiting.job, type(error).__name__)
            is_over = time.monotonic() >= waiting.until
        with self._changed:
            if self._waiting.get(waiting.job) is not waiting:
                return
            if is_over:
                del self._waiting[waiting.job]
            else:
                again = replace(waiting, due=time.monotonic() + AGAIN_AFTER)
                self._waiting[waiting.job] = again


class Voice:
    """Where the reports of one agent go."""

    def __init__(self, telling: Telling, tenant: UUID, agent: UUID) -> None:
        self._telling = telling
        self._tenant = tenant
        self._agent = agent

    def add(
        self, job: UUID, report: Report, fence: int, delay: float = 0, slot: Slot | None = None
    ) -> None:
        """See `workplace.Reports`."""
        if slot is not None:
            slot.free()
        now = time.monotonic()
        until = now + LIFETIME.total_seconds()
        waiting = Waiting(self._tenant, self._agent, job, report, fence, now + delay, until)
        self._telling.put(waiting)


def _tell(waiting: Waiting) -> None:
    if not connection.in_atomic_block:
        close_old_connections()
    with tenant_context(waiting.tenant):
        agent: Agent | None = Agent.objects.filter(pk=waiting.agent).first()
        if agent is None:
            return
        reported = Reported(waiting.job, agent, waiting.fence, waiting.report)
        if not take_report(reported, timezone.now()):
            log.info("job %s: report not taken", waiting.job)
