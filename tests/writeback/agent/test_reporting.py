"""Reports reach the product once each, in the end, and never in the wrong order."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Semaphore, Thread
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone

from tests.services.ports import wait_until
from tests.writeback.agent.conftest import Serve
from tests.writeback.agent.product import Product, Said
from tests.writeback.bench import TestClock
from writeback.agent.client import Client, Speaker
from writeback.agent.desk import HandedOut
from writeback.agent.journal import Journal
from writeback.agent.pace import LONGEST, Backoff, Ending
from writeback.agent.reporting import Reporting
from writeback.agent.slots import Slot
from writeback.reports import Report, written

JOB, OTHER = UUID(int=1), UUID(int=2)
DONE = Report("succeeded", changed=True, at=5)
UNKNOWN = Report("unknown", "no_answer", at=4)


class Desk:
    """A reporting agent on a clock that the test turns."""

    def __init__(self, product: Product, path: Path) -> None:
        private = Ed25519PrivateKey.generate()
        speaker = Speaker(
            private, product.add_agent(private.public_key()), product.api.public_key()
        )
        self.product = product
        self.clock = TestClock()
        self.ending = Ending()
        self.begun: list[tuple[UUID, Slot]] = []
        self.places = Semaphore(1)
        self.client = Client(product.url, speaker, timezone.now)
        self.journal = Journal(path)
        self.reporting = self.fresh()

    def fresh(self) -> Reporting:
        """As after a restart."""
        clock = self.clock
        seconds = lambda: int(clock.at.timestamp())  # noqa: E731 - read beside its use
        return Reporting(
            self.client, self.journal, self.ending, lambda: clock.seconds, seconds, self.begin
        )

    def begin(self, handed: HandedOut, slot: Slot) -> None:
        """As a desk does: what is told if nothing better comes is put in line at once."""
        self.begun.append((handed.job, slot))
        self.reporting.add(handed.job, UNKNOWN, handed.fence, delay=18)

    def leave_place(self, job: UUID = JOB, report: Report = DONE) -> Slot:
        """A job ends, and its report has its place."""
        assert self.places.acquire(blocking=False)
        slot = Slot(self.places)
        self.reporting.add(job, report, 1, slot=slot)
        return slot

    def bring(self) -> None:
        self.reporting.finish(10)

    @property
    def told(self) -> list[tuple[UUID, int, str]]:
        return [(job, fence, report["outcome"]) for job, fence, report in self.product.results]


@pytest.fixture
def desk(serve: Serve, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(serve(None), tmp_path / "journal")
    yield desk
    desk.client.close()
    desk.journal.close()


def _settled(desk: Desk, job: UUID = JOB, report: Report = DONE) -> None:
    desk.journal.intend(job, 1, 1, {})
    desk.journal.settle(job, 2, {"report": written(report), "fence": 3})


def test_what_was_not_brought_before_a_restart_is_brought_after_it(desk: Desk) -> None:
    _settled(desk)

    desk.reporting.restore()
    desk.bring()
    again = desk.fresh()
    again.restore()

    assert desk.told == [(JOB, 3, "succeeded")]
    assert (again.count, desk.journal.unreported()) == (0, [])


@pytest.mark.parametrize("facts", [{}, {"report": {"outcome": "great"}, "fence": 1}])
def test_a_result_that_is_none_is_left_alone(desk: Desk, facts: dict[str, Any]) -> None:
    desk.journal.intend(JOB, 1, 1, {})
    desk.journal.settle(JOB, 2, facts)

    desk.reporting.restore()

    assert desk.reporting.count == 0


def test_an_end_takes_the_place_of_what_was_told_before_it(desk: Desk) -> None:
    desk.reporting.add(JOB, UNKNOWN, 1, delay=18)
    desk.reporting.add(JOB, DONE, 1)
    desk.bring()

    assert desk.told == [(JOB, 1, "succeeded")]


def test_that_nothing_is_known_yet_is_no_end_in_the_journal(desk: Desk) -> None:
    _settled(desk)
    desk.reporting.add(JOB, UNKNOWN, 3)

    desk.bring()

    assert [entry.job for entry in desk.journal.unreported()] == [str(JOB)]


def test_a_product_that_has_given_the_job_to_another_has_it_too(desk: Desk) -> None:
    _settled(desk)
    desk.product.fences[JOB] = 4
    desk.reporting.restore()

    desk.bring()

    assert (desk.reporting.count, desk.journal.unreported()) == (0, [])


def test_what_does_not_arrive_stays_in_line(desk: Desk) -> None:
    desk.reporting.add(JOB, DONE, 1)
    desk.reporting.add(OTHER, DONE, 1)
    desk.product.is_deaf.set()
    desk.bring()
    assert (desk.reporting.count, desk.told) == (2, [])

    desk.product.is_deaf.clear()
    desk.bring()
    assert (desk.reporting.count, len(desk.told)) == (0, 2)


def test_an_agent_that_was_revoked_stops_bringing(desk: Desk) -> None:
    desk.reporting.add(JOB, DONE, 1)
    desk.product.turn_away = (401, "revoked")

    desk.bring()

    assert (desk.ending.cause, desk.reporting.count) == ("revoked", 1)


def test_one_thread_brings_what_is_due_and_drops_what_nobody_waits_for(desk: Desk) -> None:
    _settled(desk)
    thread = Thread(target=desk.reporting.run)
    desk.product.is_deaf.set()
    thread.start()
    try:
        desk.reporting.restore()
        desk.reporting.add(OTHER, UNKNOWN, 1, delay=18)
        assert desk.reporting.count == 2
        desk.clock.pass_by(301)
        wait_until(lambda: desk.reporting.count == 1, "the late one to be dropped")
        desk.product.is_deaf.clear()
        wait_until(lambda: desk.told == [(JOB, 3, "succeeded")], "the report")
        wait_until(lambda: not desk.journal.unreported(), "the note of it")
        desk.reporting.add(OTHER, UNKNOWN, 1)
        wait_until(lambda: len(desk.told) == 2, "the next report")
    finally:
        desk.ending.ask()
        thread.join()


def test_waiting_grows_to_half_a_minute_and_is_never_the_same(desk: Desk) -> None:
    backoff = Backoff()
    pauses = [backoff.pause() for _ in range(20)]
    backoff.reset()

    assert max(pauses) <= LONGEST
    assert min(pauses[-5:]) >= LONGEST / 2
    assert len(set(pauses)) == 20
    assert backoff.pause() <= 0.5


def test_an_agent_ends_for_the_first_reason_it_was_given() -> None:
    ending = Ending()
    ending.turned_away("pending")
    assert (ending.is_set, ending.wait(0)) == (False, False)

    ending.turned_away("revoked")
    ending.ask()

    assert (ending.is_set, ending.wait(0), ending.cause) == (True, True, "revoked")


def test_a_report_says_when_it_was_true(desk: Desk) -> None:
    desk.reporting.add(JOB, replace(DONE, at=77), 1)
    desk.bring()

    assert desk.product.results[0][2]["at"] == 77


def test_the_next_job_comes_with_the_answer_and_takes_the_place(desk: Desk) -> None:
    slot = desk.leave_place()
    desk.product.put(OTHER, 1, b"sealed")

    desk.bring()

    assert desk.begun == [(OTHER, slot)]
    assert (desk.told, slot.is_held) == ([(JOB, 1, "succeeded")], True)


def test_the_same_job_that_comes_again_keeps_the_place_it_was_given(desk: Desk) -> None:
    slot = desk.leave_place()
    desk.product.put(JOB, 2, b"sealed")

    desk.bring()

    assert (desk.begun, slot.is_held) == ([(JOB, slot)], True)
    assert (desk.told, desk.reporting.count) == ([(JOB, 1, "succeeded")], 1)


def test_a_place_is_free_when_nothing_comes_with_the_answer(desk: Desk) -> None:
    slot = desk.leave_place()

    desk.bring()

    assert (desk.begun, slot.is_held) == ([], False)
    assert desk.leave_place() is not slot


@pytest.mark.parametrize("found", [7, [], {"job": str(OTHER)}, "job"])
def test_what_comes_with_the_answer_and_is_no_job_is_not_begun(desk: Desk, found: object) -> None:
    def with_next(said: Said) -> Said:
        body = json.dumps({"accepted": True, "next": found}).encode()
        return desk.product.signed(replace(said, body=body))

    desk.product.tamper = with_next
    slot = desk.leave_place()

    desk.bring()

    assert (desk.begun, slot.is_held, desk.reporting.count) == ([], False, 0)


def test_a_job_is_asked_for_only_where_there_is_room_and_it_would_be_begun(desk: Desk) -> None:
    desk.product.put(OTHER, 1, b"sealed")
    desk.leave_place().free()
    desk.bring()
    desk.reporting.add(OTHER, DONE, 1)
    desk.bring()
    desk.ending.ask()
    slot = desk.leave_place()
    desk.bring()

    assert [data["next"] for _, data in desk.product.calls] == [False, False, False]
    assert (desk.begun, slot.is_held) == ([], False)


@pytest.mark.parametrize("refusal", [None, (401, "revoked")])
def test_no_place_waits_for_a_product_that_does_not_take_reports(
    desk: Desk, refusal: tuple[int, str] | None
) -> None:
    slot = desk.leave_place()
    desk.product.turn_away = refusal
    if refusal is None:
        desk.product.is_deaf.set()

    desk.reporting.add(OTHER, DONE, 1)
    desk.bring()

    assert (slot.is_held, desk.reporting.count) == (False, 2)


def test_a_report_in_place_of_another_gives_its_place_back(desk: Desk) -> None:
    slot = desk.leave_place(report=UNKNOWN)

    desk.reporting.add(JOB, DONE, 1)

    assert not slot.is_held
