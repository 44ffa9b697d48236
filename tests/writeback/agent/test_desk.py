"""Jobs in hand and changes left open, without a network: what becomes of each is reported once."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any, cast
from uuid import UUID

import pytest

from tests.services.ports import wait_until
from tests.writeback.bench import (
    AGENT_KEY,
    JOB,
    NEW,
    SIGNER,
    SIGNERS,
    Bench,
    make_bench,
    passwords_for,
)
from tests.writeback.scripted import Action, away, cut, raises
from writeback.agent.desk import TOLD_AFTER, Desk, HandedOut
from writeback.agent.mending import KEPT, OFTEN, SELDOM, Mending
from writeback.agent.pace import Ending
from writeback.agent.reporting import Reporting
from writeback.agent.slots import Slot
from writeback.protocol import Job, Passwords, make_envelope
from writeback.reports import Report

WIRE = {"job": str(JOB.id), "fence": 1, "lease": 30, "envelope": "QUJD"}


def hold(reached: Event, go_on: Event) -> Action:
    """Stays there until it may go on."""

    def action() -> None:
        reached.set()
        go_on.wait(30)

    return action


class Told:
    """Takes the reports in the place of who brings them."""

    def __init__(self) -> None:
        self.reports: list[tuple[UUID, Report, int, float]] = []

    def add(
        self, job: UUID, report: Report, fence: int, delay: float = 0, slot: Slot | None = None
    ) -> None:
        self.reports.append((job, report, fence, delay))
        if slot is not None:
            slot.free()

    @property
    def ends(self) -> list[tuple[str, str, int]]:
        """What is told at once."""
        return [
            (one.outcome, one.cause, fence) for _, one, fence, delay in self.reports if not delay
        ]

    @property
    def later(self) -> list[tuple[str, int, float]]:
        """What is told if nothing better comes."""
        return [(one.outcome, fence, delay) for _, one, fence, delay in self.reports if delay]


class Room:
    """A desk over a workplace whose clock the test turns."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.told = Told()
        self.ending = Ending()
        self.desk = self.fresh_desk()
        self.mending = self.fresh_mending()

    def fresh_desk(self) -> Desk:
        reporting = cast(Reporting, self.told)
        return Desk(self.bench.workplace, SIGNERS, reporting, at_once=2)

    def fresh_mending(self) -> Mending:
        reporting = cast(Reporting, self.told)
        bench = self.bench
        return Mending(bench.workplace, bench.journal, self.desk, reporting, self.ending)

    def take(self, job: Job = JOB, fence: int = 1, **changes: Any) -> None:
        slot = self.desk.find_slot(5)
        assert slot is not None
        envelope = changes.pop(
            "envelope", make_envelope(job, passwords_for(job), AGENT_KEY.public_key(), SIGNER)
        )
        self.desk.take(HandedOut(changes.pop("job_id", job.id), fence, 30, envelope), slot)

    def finish(self) -> None:
        self.desk.finish(60)
        assert self.desk.count == 0


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    bench = make_bench(tmp_path)
    yield Room(bench)
    bench.journal.close()


def test_what_is_handed_out_is_read(room: Room) -> None:
    handed = HandedOut.read({**WIRE, "lease": 900})

    assert handed == HandedOut(JOB.id, 1, 30, base64.b64decode("QUJD"))


@pytest.mark.parametrize(
    "change",
    [
        {"job": "x"},
        {"fence": 0},
        {"fence": "1"},
        {"lease": None},
        {"envelope": "?"},
        {"job": 7},
        {"lease": 0},
        {"lease": float("nan")},
    ],
)
def test_what_is_no_job_is_not_taken(change: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        HandedOut.read({**WIRE, **change})


def test_a_job_is_done_and_its_end_reported(room: Room) -> None:
    room.take()
    room.finish()

    assert room.told.ends == [("succeeded", "", 1)]
    assert room.bench.directory.person.password == NEW


def test_a_job_in_hand_is_not_begun_again(room: Room) -> None:
    go_on, hangs = Event(), Event()
    room.bench.directory.plan["asked"] = [hold(hangs, go_on)]
    room.take()
    hangs.wait(30)

    room.take(fence=3)
    room.take(fence=2)
    assert room.desk.has(JOB.id)
    go_on.set()
    room.finish()

    assert room.told.ends == [("succeeded", "", 3)]
    assert room.told.later == [("unknown", fence, TOLD_AFTER) for fence in (1, 3, 3)]
    assert room.bench.directory.sets == 1


def test_only_so_many_are_at_the_directory_and_one_without_an_answer_gives_its_place_back(
    room: Room,
) -> None:
    told, go_on = Event(), Event()
    room.bench.directory.plan["applied"] = [cut()]
    room.bench.clock.on_wait = [hold(told, go_on)]
    other = room.desk.find_slot(1)
    room.take()
    told.wait(30)

    free = room.desk.find_slot(1)
    assert (free is None, room.desk.find_slot(0.01)) == (False, None)
    go_on.set()
    room.finish()

    assert room.told.ends == [("succeeded", "", 1)]
    assert other is not None


def test_an_envelope_that_can_t_be_believed_is_refused(room: Room) -> None:
    room.take(envelope=b"nonsense")
    room.take(job_id=UUID(int=9))
    room.finish()

    assert sorted(room.told.ends) == [("failed", "malformed", 1)] * 2
    assert room.bench.directory.seen == []


def test_a_job_that_came_too_late_is_told_as_open_if_somebody_may_have_done_it(room: Room) -> None:
    room.bench.clock.pass_by(400)
    room.take()
    room.take(replace(JOB, id=UUID(int=2)), fence=2)
    room.finish()

    assert sorted(room.told.ends) == [("failed", "too_late", 1), ("unknown", "too_late", 2)]


def test_a_job_that_came_too_late_and_was_done_in_time_is_answered_from_the_journal(
    room: Room,
) -> None:
    room.take()
    room.finish()
    room.bench.clock.pass_by(400)
    room.take(fence=2)
    room.finish()

    assert room.told.ends == [("succeeded", "", 1), ("succeeded", "", 2)]


@pytest.mark.parametrize(("point", "outcome"), [("witness", "failed"), ("applied", "unknown")])
def test_a_fault_ends_one_job_and_tells_no_more_than_is_known(
    room: Room, point: Any, outcome: str, caplog: pytest.LogCaptureFixture
) -> None:
    room.bench.directory.plan[point] = [raises(RuntimeError(f"secret {NEW}"))]
    room.take()
    room.finish()

    assert room.told.ends == [(outcome, "refused", 1)]
    assert "RuntimeError at" in caplog.text
    assert NEW not in caplog.text


# Left open: looked into by who mends.


def _left_open(room: Room, fence: int = 1) -> None:
    room.bench.directory.plan["applied"] = [raises(RuntimeError())]
    room.take(fence=fence)
    room.finish()
    room.told.reports.clear()


def test_a_change_left_open_is_looked_into_until_its_end_is_known(room: Room) -> None:
    _left_open(room, fence=2)

    room.mending.look()
    assert room.told.ends == []
    room.bench.clock.pass_by(10)
    room.mending.look()
    room.mending.look()

    assert room.told.ends == [("succeeded", "", 2)]
    assert room.told.reports[0][1].reconciled
    assert room.bench.journal.unsettled() == []


def test_a_newer_hand_out_of_what_was_left_open_is_the_one_that_is_reported(room: Room) -> None:
    _left_open(room)
    room.bench.clock.is_ending = True
    room.take(fence=4)
    room.finish()

    room.mending.look()
    room.bench.clock.pass_by(10)
    room.mending.look()

    assert room.told.ends == [("unknown", "no_answer", 4), ("succeeded", "", 4)]


def test_what_is_in_hand_is_left_to_whoever_has_it(room: Room) -> None:
    go_on, hangs = Event(), Event()
    room.bench.directory.plan["applied"] = [hold(hangs, go_on)]
    room.take()
    hangs.wait(30)
    seen = len(room.bench.directory.seen)

    room.mending.look()

    assert len(room.bench.directory.seen) == seen
    go_on.set()
    room.finish()


def test_an_intent_of_another_version_is_left_alone(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    room.bench.journal.intend(JOB.id, 1, 1, {"server": "dc1"})

    room.mending.look()
    room.mending.look()

    assert caplog.text.count("another version") == 1
    assert room.told.ends == []


def test_with_a_damaged_journal_an_end_is_found_and_told_once_all_the_same(room: Room) -> None:
    _left_open(room)
    room.bench.journal.compare(99)

    for _ in range(3):
        room.mending.look()
        room.bench.clock.pass_by(10)

    assert room.told.ends == [("succeeded", "", 1)]


def test_looks_are_frequent_at_first_and_rare_later(room: Room) -> None:
    pauses: list[float] = []

    class Ended(Ending):
        def wait(self, seconds: float) -> bool:
            pauses.append(seconds)
            room.bench.clock.pass_by(seconds)
            if len(pauses) == 200:
                self.ask()
            return self.is_set

    _left_open(room)
    room.bench.directory.gate = away()
    room.ending = Ended()
    room.fresh_mending().run()

    assert pauses[:5] == [OFTEN] * 5
    assert pauses[-5:] == [SELDOM] * 5


class EndsAtOnce(Ending):
    """Lets a thread go round once."""

    def wait(self, seconds: float) -> bool:
        self.ask()
        return True


@pytest.mark.parametrize(("passed", "is_kept"), [(3600, True), (KEPT.total_seconds() + 1, False)])
def test_what_is_settled_is_kept_for_a_day_and_then_left_out(
    room: Room, passed: float, is_kept: bool
) -> None:
    room.take()
    room.finish()
    room.ending = EndsAtOnce()
    mending = room.fresh_mending()

    room.bench.clock.pass_by(passed)
    mending.run()

    assert room.bench.journal.knows(JOB.id) is is_kept


def test_a_journal_that_can_t_be_tidied_goes_on(
    room: Room, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(before: int) -> None:
        raise OSError(28, "no space left")

    monkeypatch.setattr(room.bench.journal, "forget", full)
    room.ending = EndsAtOnce()
    mending = room.fresh_mending()

    room.bench.clock.pass_by(3600)
    mending.run()

    assert "could not be tidied" in caplog.text


def test_a_job_for_which_nothing_is_sealed_is_reported_like_any_other(room: Room) -> None:
    job = replace(JOB, operation="unlock")
    data = make_envelope(job, Passwords(), AGENT_KEY.public_key(), SIGNER)
    room.take(job, envelope=data)
    room.finish()

    assert room.told.ends == [("succeeded", "", 1)]
    wait_until(lambda: room.desk.count == 0, "the desk to be empty")
