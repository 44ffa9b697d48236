"""Jobs in hand: each is carried out in a thread of its own, so that a directory that stalls on one
does not hold up the others.

Only so many are on their way to the directory at once. One that waits for an answer that does not
come gives its place back; there can be no more of those than the hourly cap lets begin.
"""

import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from threading import Lock, Semaphore
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ..execution import perform
from ..outcomes import SETTLES_AFTER
from ..protocol import Refused, read_envelope
from ..reports import Report, read
from ..workplace import Delivery, Reports, Unwritable, Workplace
from .hands import Hands
from .identity import decoded
from .slots import Slot

LEASE = 30.0
TOLD_AFTER = 18.0
"""Seconds after a job was taken until "no answer yet" is told, if that is all there is."""

log = logging.getLogger("sspr-agent")


@dataclass(frozen=True)
class HandedOut:
    """What the product handed out. Nothing of it is believed but what the envelope says."""

    job: UUID
    fence: int
    lease: float
    envelope: bytes

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> "HandedOut":
        """Raises ValueError, KeyError or TypeError for anything else."""
        fence, lease = body["fence"], body["lease"]
        if not isinstance(fence, int) or not isinstance(lease, int | float):
            raise TypeError("fence and lease are numbers")
        if fence < 1 or not lease > 0:
            raise ValueError("fence and lease count from one")
        return cls(UUID(str(body["job"])), fence, min(lease, LEASE), decoded(body["envelope"]))


class Desk:
    """Takes what was handed out and reports what became of it. ended: is called in the thread of a
    job when it is over."""

    def __init__(
        self,
        workplace: Workplace,
        signers: Mapping[str, Ed25519PublicKey],
        reporting: Reports,
        at_once: int,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._ended = ended
        self._workplace = workplace
        self._signers = signers
        self._reporting = reporting
        self._slots = Semaphore(at_once)
        self._lock = Lock()
        self._fences: dict[UUID, int] = {}
        self._left_open: dict[UUID, int] = {}
        self._hands = Hands()

    def find_slot(self, seconds: float) -> Slot | None:
        """A place at the directory; nothing while all are taken."""
        return Slot(self._slots) if self._slots.acquire(timeout=seconds) else None

    def has(self, job: UUID) -> bool:
        with self._lock:
            return job in self._fences

    def fence_of(self, job: UUID, written: int) -> int:
        """The newest hand-out of a job that was left open here. written: of its intent."""
        with self._lock:
            return self._left_open.get(job, written)

    @property
    def count(self) -> int:
        with self._lock:
            return len(self._fences)

    def take(self, handed: HandedOut, slot: Slot) -> None:
        """Begins a job, or notes that one in hand was handed out again."""
        taken_at = self._workplace.clocks.monotonic()
        with self._lock:
            is_in_hand = handed.job in self._fences
            self._fences[handed.job] = max(handed.fence, self._fences.get(handed.job, 0))
            # Told unless something better is known by then, whatever holds the job up. Put in line
            # while it is certain that the end is not there yet.
            unknown = self._workplace.report("unknown", "no_answer")
            self._reporting.add(handed.job, unknown, self._fences[handed.job], TOLD_AFTER)
        if is_in_hand:
            slot.free()
            return
        self._hands.begin(partial(self._work, handed, slot, taken_at))

    def finish(self, seconds: float) -> None:
        """Waits for the jobs in hand to come to an end."""
        self._hands.finish(seconds)

    def _work(self, handed: HandedOut, slot: Slot, taken_at: float) -> None:
        def interim(report: Report) -> None:
            slot.free()

        try:
            report = self._done(handed, taken_at, interim)
        except Exception as error:
            # Its text may hold anything, so only its place is told.
            place = traceback.extract_tb(error.__traceback__)[-1]
            fault = f"{type(error).__name__} at {place.filename}:{place.lineno}"
            log.error("job %s: %s", handed.job, fault)
            is_open = self._knows(handed.job) or handed.fence > 1
            report = self._workplace.report("unknown" if is_open else "failed", "refused")
        with self._lock:
            fence = self._fences.pop(handed.job)
            if report.outcome == "unknown":
                self._left_open[handed.job] = fence
            self._reporting.add(handed.job, report, fence, slot=slot)
        self._ended()
        log.info("job %s: %s %s", handed.job, report.outcome, report.cause)

    def _done(
        self, handed: HandedOut, taken_at: float, interim: Callable[[Report], None]
    ) -> Report:
        try:
            envelope = read_envelope(handed.envelope, self._signers, self._workplace.clocks.now())
            if envelope.job.id != handed.job:
                raise Refused("malformed")
        except Refused as refused:
            return self._refused(handed, refused.cause)
        # What is sent at the last moment may still arrive a while later, and then the next one who
        # has the job is not to be at it already.
        write_until = taken_at + handed.lease - SETTLES_AFTER.total_seconds()
        delivery = Delivery(envelope, handed.fence, write_until)
        return perform(delivery, self._workplace, interim)

    def _refused(self, handed: HandedOut, cause: str) -> Report:
        """An envelope that is too old may belong to a job that was begun when it was not."""
        result = self._workplace.memory.find_result(handed.job)
        if result is not None:
            return read(result["report"])
        is_open = self._knows(handed.job) or (handed.fence > 1 and cause == "too_late")
        return self._workplace.report("unknown" if is_open else "failed", cause)

    def _knows(self, job: UUID) -> bool:
        """Whether this job was begun here, whatever came of it; also when that can't be told."""
        memory = self._workplace.memory
        try:
            return memory.find_intent(job) is not None or memory.find_result(job) is not None
        except (OSError, Unwritable):
            return True
