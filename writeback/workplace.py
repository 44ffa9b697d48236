"""What a job is carried out with: the directory, what is remembered, the limits, the clocks.

It knows no file and no Django, so that whoever carries out jobs can bring another memory.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, Literal, Protocol
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from .agent.cap import Cap
from .agent.slots import Slot
from .connectors.base import Directory, Entry
from .outcomes import Witness
from .places import Place
from .protocol import SKEW, UNLOCKS, Envelope, Job, Operation, Passwords
from .reports import Report

CLOSES_WITHIN = timedelta(seconds=30)
"""From the intent to the last moment at which its change may reach the directory."""


class NotDone(Exception):
    """A job that ends before the directory was changed. cause: one of `reports.CAUSES`."""

    def __init__(self, cause: str, controller: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.controller = controller


class Forbidden(NotDone):
    """Not for this agent or not for this person: no other agent can have done it either."""


class Memory(Protocol):
    """What was begun and what came of it, kept through an end at any moment. Both ways of writing
    raise OSError or `Unwritable` when nothing can be kept, and so may the others of a memory that
    is not at hand."""

    def find_intent(self, job: UUID) -> Mapping[str, Any] | None: ...

    def find_result(self, job: UUID) -> Mapping[str, Any] | None: ...

    def times(self) -> Sequence[int]:
        """When something was about to be set, Unix seconds, oldest first."""

    def intend(self, job: UUID, sequence: int, at: int, facts: Mapping[str, Any]) -> bool:
        """False for a job that was begun before."""

    def settle(self, job: UUID, at: int, facts: Mapping[str, Any]) -> None: ...


class Reports(Protocol):
    """Takes what became of jobs to whoever asked."""

    def add(
        self, job: UUID, report: Report, fence: int, delay: float = 0, slot: Slot | None = None
    ) -> None:
        """A report in place of an earlier one of the same job. delay: for one that is worth telling
        only if nothing better comes in so many seconds. slot: the place that the job leaves; who
        takes the report frees it, or fills it with the job that comes with the answer."""


class Unwritable(Exception):
    """Nothing may be remembered any more, so nothing may be done."""


@dataclass(frozen=True)
class Bounds:
    """What an agent was set up for, whatever a job says. places: never empty."""

    tenant: UUID
    group: UUID
    places: Sequence[Place]
    cap: Cap = field(default_factory=Cap)
    may_touch_protected: bool = False


@dataclass(frozen=True)
class Clocks:
    """wait: for so many seconds; true when the agent is asked to end meanwhile."""

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    wait: Callable[[float], bool]


@dataclass(frozen=True)
class Workplace:
    """find_key: the agent's private key with this id, nothing when it was destroyed.

    counting: held while the cap is asked and an intent written, so that two jobs don't both take
    the last place. It may raise NotDone.
    """

    directory: Directory
    memory: Memory
    find_key: Callable[[str], X25519PrivateKey | None]
    bounds: Bounds
    clocks: Clocks
    counting: AbstractContextManager[Any] = field(default_factory=Lock)

    def report(self, outcome: Literal["failed", "unknown"], cause: str, server: str = "") -> Report:
        return Report(outcome, cause, controller=server, at=self.seconds())

    def seconds(self) -> int:
        return int(self.clocks.now().timestamp())


@dataclass(frozen=True)
class Delivery:
    """A job as it was handed out, its signature and time found right. fence: counts the hand-outs;
    from the second on somebody else may have done it. write_until: of the monotonic clock, the
    moment after which nothing may be sent to the directory."""

    envelope: Envelope
    fence: int
    write_until: float

    @property
    def job(self) -> Job:
        return self.envelope.job


@dataclass(frozen=True)
class Intent:
    """What is written down before a change: enough to find out later, and nothing secret."""

    witness: Witness
    anchor: str
    operation: Operation
    expires: datetime
    fence: int
    at: datetime

    def facts(self) -> dict[str, Any]:
        return {
            "controller": self.witness.controller,
            "version": self.witness.version,
            "changed_at": self.witness.changed_at.isoformat(),
            "anchor": self.anchor,
            "operation": self.operation,
            "expires": int(self.expires.timestamp()),
            "unlock": self.operation in UNLOCKS,
            "fence": self.fence,
            "at": int(self.at.timestamp()),
        }

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> "Intent":
        changed_at = datetime.fromisoformat(facts["changed_at"])
        return cls(
            witness=Witness(facts["controller"], facts["version"], changed_at),
            anchor=facts["anchor"],
            operation=facts["operation"],
            expires=datetime.fromtimestamp(facts["expires"], UTC),
            fence=facts["fence"],
            at=datetime.fromtimestamp(facts["at"], UTC),
        )

    def covers(self, moment: datetime) -> bool:
        """Whether a change at that moment may have been this one."""
        return self.at - SKEW <= moment <= self.at + CLOSES_WITHIN + SKEW


@dataclass
class Attempt:
    """A change under way. passwords: kept as long as they may be needed; retried: whether the one
    retry is used up; closed_at: when its connection was last given up."""

    delivery: Delivery
    intent: Intent
    passwords: Passwords = field(repr=False)
    closed_at: datetime
    retried: bool = False


@dataclass(frozen=True)
class Seen:
    """A person as one controller has them now."""

    entry: Entry
    witness: Witness
