"""An agent's workplace on a clock that the test turns, and jobs for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.writeback.scripted import Person, Scripted
from writeback.agent.cap import Cap
from writeback.agent.journal import Journal
from writeback.execution import perform
from writeback.places import read_place
from writeback.protocol import (
    LIFETIME,
    NEEDS_NEW,
    NEEDS_OLD,
    Job,
    Passwords,
    key_id,
    make_envelope,
    read_envelope,
)
from writeback.reports import Report, read, written
from writeback.workplace import Bounds, Clocks, Delivery, Workplace

START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
NEW, OLD = "Velvet-Kettle 93 é", "First-Kettle-1"
SIGNER = Ed25519PrivateKey.generate()
SIGNERS = {key_id(SIGNER.public_key()): SIGNER.public_key()}
AGENT_KEY = X25519PrivateKey.generate()
LEASE = 20.0
JOB = Job(
    id=UUID(int=1),
    tenant=UUID(int=2),
    group=UUID(int=3),
    anchor=Person().anchor,
    operation="reset",
    evidence=bytes(32),
    not_before=START,
    expires=START + LIFETIME,
    sequence=7,
    key=key_id(AGENT_KEY.public_key()),
)


@dataclass
class TestClock:
    """Time passes only while somebody waits, or by a test's word."""

    __test__ = False

    at: datetime = START
    seconds: float = 1000.0
    is_ending: bool = False
    on_wait: list[Callable[[], object]] = field(default_factory=list)

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.seconds += seconds

    def wait(self, seconds: float) -> bool:
        if self.is_ending:
            return True
        self.pass_by(seconds)
        if self.on_wait:
            self.on_wait.pop(0)()
        return False


@dataclass
class Bench:
    """Everything that carrying out a job needs. told: the reports on the way to the end."""

    journal: Journal
    clock: TestClock
    directory: Scripted
    workplace: Workplace
    told: list[Report] = field(default_factory=list)

    def deliver(
        self, job: Job = JOB, fence: int = 1, passwords: Passwords | None = None
    ) -> Delivery:
        sealed = passwords_for(job) if passwords is None else passwords
        data = make_envelope(job, sealed, AGENT_KEY.public_key(), SIGNER)
        envelope = read_envelope(data, SIGNERS, self.clock.at)
        return Delivery(envelope, fence, self.clock.seconds + LEASE)

    def do(self, operation: Any = "reset", fence: int = 1, **changes: Any) -> Report:
        """What became of a job. Every report can travel and holds nothing secret."""
        job = replace(JOB, operation=operation, **changes)
        return self.perform(self.deliver(job, fence))

    def perform(self, delivery: Delivery) -> Report:
        report = perform(delivery, self.workplace, self.told.append)
        assert read(written(report)) == report
        assert NEW not in repr(report)
        return report

    def bound(self, **changes: Any) -> None:
        """Other limits from now on."""
        bounds = replace(self.workplace.bounds, **changes)
        self.workplace = replace(self.workplace, bounds=bounds)


def passwords_for(job: Job) -> Passwords:
    return Passwords(
        NEW if job.operation in NEEDS_NEW else None, OLD if job.operation in NEEDS_OLD else None
    )


def make_bench(folder: Path, state: Path | None = None) -> Bench:
    clock = TestClock()
    directory = Scripted(lambda: clock.at, state)
    journal = Journal(folder / "journal")
    bounds = Bounds(JOB.tenant, JOB.group, [read_place("OU=Staff,DC=example,DC=com")], Cap())
    clocks = Clocks(lambda: clock.at, lambda: clock.seconds, clock.wait)
    keys = {JOB.key: AGENT_KEY}
    return Bench(journal, clock, directory, Workplace(directory, journal, keys.get, bounds, clocks))


def benches(folder: Path) -> Iterator[Bench]:
    """For a fixture: the journal is closed after the test."""
    bench = make_bench(folder)
    yield bench
    bench.journal.close()
