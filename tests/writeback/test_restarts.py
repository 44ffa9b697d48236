"""What a restart finds: the password is gone, the journal is there, and the directory is asked what
became of it (R-22, F-05, F-06)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.writeback.bench import JOB, START, Bench
from tests.writeback.scripted import away, raises
from writeback.outcomes import ASKED_FOR, SETTLES_AFTER, Witness
from writeback.reconciling import reconcile
from writeback.reports import Report
from writeback.workplace import CLOSES_WITHIN, Intent

UNKNOWN = ("unknown", "no_answer")
SETTLES = SETTLES_AFTER.total_seconds()


def _ends(report: Report) -> tuple[Any, ...]:
    return report.outcome, report.cause, report.changed, report.reconciled


@pytest.fixture
def interrupted(bench: Bench) -> Callable[..., Intent]:
    """An agent that ended at a point of the change, and what it left in its journal."""

    def ended(point: Any, operation: str = "reset") -> Intent:
        bench.directory.plan[point] = [raises(_Killed())]
        with pytest.raises(_Killed):
            bench.do(operation)
        bench.clock.pass_by(5)
        [left] = bench.journal.unsettled()
        return Intent.read(left.facts)

    return ended


class _Killed(BaseException):
    """The process is gone."""


def _reconciled(bench: Bench, intent: Intent, after: float = SETTLES) -> Report | None:
    closed_at = bench.clock.at
    bench.clock.pass_by(after)
    return reconcile(intent, bench.workplace, closed_at)


def test_a_change_that_was_made_before_the_end_is_found_afterwards(
    bench: Bench, interrupted: Any
) -> None:
    report = _reconciled(bench, interrupted("applied"))

    assert report is not None
    assert _ends(report) == ("succeeded", "", True, True)
    assert "sign_in" not in bench.directory.seen


def test_too_early_nobody_can_tell(bench: Bench, interrupted: Any) -> None:
    assert _reconciled(bench, interrupted("applied"), SETTLES - 1) is None


def test_a_change_that_was_not_made_stays_open_while_its_job_may_come_again(
    bench: Bench, interrupted: Any
) -> None:
    intent = interrupted("asked")

    assert _reconciled(bench, intent) is None
    report = _reconciled(bench, intent, 300)

    assert report is not None
    assert _ends(report) == ("failed", "not_applied", False, False)
    assert bench.directory.sets == 0


@pytest.mark.parametrize(
    ("moved", "outcome"),
    [
        (timedelta(0), "succeeded"),
        (timedelta(seconds=-120), "succeeded"),
        (timedelta(seconds=-121), "superseded"),
        (CLOSES_WITHIN + timedelta(seconds=120), "succeeded"),
        (CLOSES_WITHIN + timedelta(seconds=121), "superseded"),
    ],
)
def test_a_change_at_another_time_was_somebody_else_s(
    bench: Bench, interrupted: Any, moved: timedelta, outcome: str
) -> None:
    intent = interrupted("applied")
    bench.directory.person.changed_at = (START + moved).timestamp()

    report = _reconciled(bench, intent)

    assert report is not None
    assert (report.outcome, report.changed) == (outcome, outcome == "succeeded")


def test_nobody_there_is_asked_for_a_day_and_then_told_as_unknown(
    bench: Bench, interrupted: Any
) -> None:
    intent, closed_at = interrupted("applied"), bench.clock.at
    bench.directory.plan["connect"] = [away()] * 3

    for hours in (1, 22):
        bench.clock.pass_by(hours * 3600)
        assert reconcile(intent, bench.workplace, closed_at) is None
    bench.clock.at = closed_at + ASKED_FOR
    report = reconcile(intent, bench.workplace, closed_at)

    assert report is not None
    assert (report.outcome, report.cause) == UNKNOWN


def test_a_person_who_is_gone_tells_nothing(bench: Bench, interrupted: Any) -> None:
    intent = interrupted("applied")
    bench.directory.person.anchor = "gone"

    assert _reconciled(bench, intent) is None


def test_another_controller_is_not_asked(bench: Bench, interrupted: Any) -> None:
    intent = interrupted("applied")
    elsewhere = replace(intent, witness=replace(intent.witness, controller="dc2"))

    assert _reconciled(bench, elsewhere) is None


@pytest.mark.parametrize("applied", [True, False])
def test_an_unlock_is_looked_into_too(bench: Bench, interrupted: Any, applied: bool) -> None:
    bench.directory.person.locked = True
    intent = interrupted("applied" if applied else "asked", "unlock")

    report = _reconciled(bench, intent, 300)

    assert report is not None
    assert (report.outcome, report.unlocked) == (
        ("succeeded", True) if applied else ("failed", None)
    )


def test_an_interrupted_job_that_is_handed_out_again_is_done_once(
    bench: Bench, interrupted: Any
) -> None:
    interrupted("asked")

    report = bench.do("reset", fence=2)

    assert _ends(report) == ("succeeded", "", True, False)
    assert bench.directory.sets == 1
    assert bench.journal.unsettled() == []


def test_an_interrupted_job_that_was_done_is_not_done_again(bench: Bench, interrupted: Any) -> None:
    interrupted("applied")

    report = bench.do("reset", fence=2)

    assert _ends(report) == ("succeeded", "", True, True)
    assert bench.directory.sets == 1


def test_an_interrupted_job_whose_key_is_gone_is_left_open(bench: Bench, interrupted: Any) -> None:
    interrupted("applied")
    bench.workplace = replace(bench.workplace, find_key=lambda key: None)

    report = bench.do("reset", fence=2)

    assert (report.outcome, report.cause) == UNKNOWN
    assert len(bench.journal.unsettled()) == 1


def test_what_is_written_down_is_read_back(bench: Bench) -> None:
    intent = Intent(Witness("dc1", 4, START), JOB.anchor, "reset", JOB.expires, fence=3, at=START)

    assert Intent.read(intent.facts()) == intent
    with pytest.raises(KeyError):
        Intent.read({})
