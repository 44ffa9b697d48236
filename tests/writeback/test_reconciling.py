"""What became of a change that nobody answered: the same controller is asked, and it is done at
the most once (R-22, F-17 to F-21)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.writeback.bench import JOB, NEW, START, Bench
from tests.writeback.scripted import Action, Point, answers, away, cut, raises
from writeback.connectors.base import Change, Unreachable
from writeback.outcomes import SETTLES_AFTER
from writeback.reports import Report, written

UNKNOWN = ("unknown", "no_answer")
SETTLES = SETTLES_AFTER.total_seconds()


def _ends(report: Report) -> tuple[Any, ...]:
    return report.outcome, report.cause, report.changed, report.reconciled


def _remembered(bench: Bench) -> Any:
    found = bench.journal.find_result(JOB.id)
    return found and found["report"]


@pytest.mark.parametrize("operation", ["reset", "change", "reset_and_unlock"])
def test_a_change_whose_answer_was_cut_off_is_found_to_be_done(
    bench: Bench, operation: str
) -> None:
    bench.directory.plan["applied"] = [cut()]

    report = bench.do(operation)

    assert _ends(report) == ("succeeded", "", True, True)
    assert report.unlocked is (True if operation == "reset_and_unlock" else None)
    assert (bench.directory.sets, bench.directory.person.password) == (1, NEW)
    assert _remembered(bench) == written(report)


def test_that_there_is_no_answer_is_told_at_once_and_the_end_later(bench: Bench) -> None:
    told_at: list[datetime] = []
    bench.directory.plan["applied"] = [cut()]
    tell = bench.told.append
    bench.told = _Telling(tell, lambda: told_at.append(bench.clock.at))  # type: ignore[assignment]

    report = bench.do("reset")

    assert told_at == [START]
    assert report.at == int((START + SETTLES_AFTER).timestamp())


class _Telling:
    """Takes the reports on the way to the end, and notes when."""

    def __init__(self, tell: Callable[[Report], None], note: Callable[[], None]) -> None:
        self._tell, self._note = tell, note

    def append(self, report: Report) -> None:
        assert (report.outcome, report.cause) == UNKNOWN
        self._note()
        self._tell(report)


def test_a_change_that_never_arrived_is_tried_once_more(bench: Bench) -> None:
    bench.directory.plan["asked"] = [cut()]

    report = bench.do("reset")

    assert _ends(report) == ("succeeded", "", True, False)
    assert (bench.directory.sets, bench.directory.seen.count("asked")) == (1, 2)


def test_the_one_retry_may_be_lost_too_and_is_not_repeated(bench: Bench) -> None:
    bench.directory.plan["asked"] = [cut(), cut()]

    report = bench.do("reset")

    assert _ends(report) == ("failed", "not_applied", False, False)
    assert (bench.directory.sets, bench.directory.seen.count("asked")) == (0, 2)


def test_a_retry_whose_answer_was_cut_off_is_found_to_be_done(bench: Bench) -> None:
    bench.directory.plan["asked"] = [cut()]
    bench.directory.plan["applied"] = [cut()]

    assert _ends(bench.do("reset")) == ("succeeded", "", True, True)
    assert bench.directory.sets == 1


def test_rules_that_refuse_a_retry_are_believed_only_if_nothing_was_done(bench: Bench) -> None:
    bench.directory.plan["asked"] = [cut(), answers(Change("password_rules", code="0000052D"))]

    report = bench.do("reset")

    assert (report.outcome, report.cause, report.code) == ("failed", "password_rules", "0000052D")
    assert bench.directory.sets == 0


def test_rules_that_refuse_a_retry_after_a_hidden_success_are_the_history(bench: Bench) -> None:
    """The first one arrived while the second was under way."""

    def late() -> Change:
        person = bench.directory.person
        person.password, person.version = NEW, person.version + 1
        person.changed_at = bench.clock.at.timestamp()
        return Change("password_rules")

    bench.directory.plan["asked"] = [cut(), late]

    assert _ends(bench.do("reset")) == ("succeeded", "", True, True)


def test_somebody_else_s_change_is_not_taken_for_ours(bench: Bench) -> None:
    def other() -> None:
        person = bench.directory.person
        person.password, person.version = "Somebody-else 7", person.version + 1
        person.changed_at = bench.clock.at.timestamp()
        cut()()

    bench.directory.plan["asked"] = [other]

    report = bench.do("reset")

    assert _ends(report) == ("superseded", "superseded", False, True)
    assert bench.directory.person.password == "Somebody-else 7"


@pytest.mark.parametrize("says", ["must_change", "expired", "disabled", "not_now"])
def test_a_sign_in_that_fails_for_another_reason_proves_the_password(
    bench: Bench, says: Any
) -> None:
    bench.directory.plan["applied"] = [cut()]
    bench.directory.sign_in_says = says

    assert bench.do("reset").outcome == "succeeded"


@pytest.mark.parametrize(("away_by", "outcome"), [(0, "succeeded"), (3600, "superseded")])
def test_of_a_locked_person_the_time_of_the_change_tells(
    bench: Bench, away_by: int, outcome: str
) -> None:
    def locked() -> None:
        bench.directory.person.locked = True
        bench.directory.person.changed_at += away_by
        cut()()

    bench.directory.plan["applied"] = [locked]

    assert bench.do("reset").outcome == outcome


def test_a_directory_that_comes_back_after_a_while_is_asked_until_then(bench: Bench) -> None:
    bench.directory.plan["applied"] = [cut()]
    bench.directory.plan["connect"] = [None, away(), away(), away()]

    report = bench.do("reset")

    assert _ends(report) == ("succeeded", "", True, True)
    assert bench.directory.sets == 1
    assert report.at > int((START + SETTLES_AFTER).timestamp())


def test_a_sign_in_without_an_answer_is_tried_again(bench: Bench) -> None:
    bench.directory.plan["applied"] = [cut()]
    bench.directory.plan["sign_in"] = [away(), away()]

    assert bench.do("reset").outcome == "succeeded"


def test_a_directory_that_stays_away_leaves_the_end_open(bench: Bench) -> None:
    bench.directory.plan["applied"] = [cut()]
    bench.directory.plan["connect"] = [None, *[away()] * 500]

    report = bench.do("reset")

    assert (report.outcome, report.cause) == UNKNOWN
    assert bench.clock.at >= JOB.expires
    assert [entry.job for entry in bench.journal.unsettled()] == [str(JOB.id)]


def test_an_agent_that_is_to_end_leaves_the_end_open(bench: Bench) -> None:
    bench.directory.plan["applied"] = [cut()]
    bench.clock.is_ending = True

    report = bench.do("reset")

    assert (report.outcome, report.cause) == UNKNOWN
    assert len(bench.journal.unsettled()) == 1


def _late(bench: Bench) -> Action:
    """The retry finds its lease over."""

    def action() -> None:
        bench.clock.pass_by(60)
        cut()()

    return action


def test_a_retry_after_the_lease_is_not_made(bench: Bench) -> None:
    bench.directory.plan["asked"] = [_late(bench)]

    report = bench.do("reset")

    assert _ends(report) == ("failed", "lease_lost", False, False)
    assert (bench.directory.sets, bench.directory.seen.count("asked")) == (0, 1)


@pytest.mark.parametrize(
    ("name", "value", "cause"),
    [
        ("enabled", False, "person_disabled"),
        ("place", "CN=Alice,OU=Admins,DC=example,DC=com", "outside_places"),
    ],
)
def test_a_person_who_was_changed_meanwhile_is_not_tried_again(
    bench: Bench, name: str, value: Any, cause: str
) -> None:
    def meanwhile() -> None:
        setattr(bench.directory.person, name, value)
        cut()()

    bench.directory.plan["asked"] = [meanwhile]

    report = bench.do("reset")

    assert (report.outcome, report.cause, bench.directory.sets) == ("failed", cause, 0)


def test_a_person_who_is_gone_at_the_retry_is_told_as_missing(bench: Bench) -> None:
    def gone() -> None:
        bench.directory.person.anchor = "gone"

    # Found by the look that comes to the retry, and gone by the retry itself.
    bench.directory.plan["asked"] = [cut()]
    bench.directory.plan["connect"] = [None, None, gone]

    report = bench.do("reset")

    assert (report.outcome, report.cause) == ("failed", "person_missing")


def test_a_server_that_goes_away_before_the_retry_does_not_use_it_up(bench: Bench) -> None:
    bench.directory.plan["asked"] = [cut()]
    bench.directory.plan["connect"] = [None, None, away()]

    assert _ends(bench.do("reset")) == ("succeeded", "", True, False)
    assert bench.directory.sets == 1


@pytest.mark.parametrize("applied", [True, False])
def test_of_an_unlock_the_lock_itself_tells(bench: Bench, applied: bool) -> None:
    bench.directory.person.locked = True
    bench.directory.plan["applied" if applied else "asked"] = [cut()]

    report = bench.do("unlock")

    assert (report.outcome, report.cause, report.unlocked) == ("succeeded", "", True)
    assert report.reconciled is applied
    assert (report.changed, bench.directory.person.locked) == (False, False)


def test_an_unlock_that_never_arrives_is_told_as_not_applied(bench: Bench) -> None:
    bench.directory.person.locked = True
    bench.directory.plan["asked"] = [cut(), cut()]

    report = bench.do("unlock")

    assert (report.outcome, report.cause) == ("failed", "not_applied")


def test_a_lock_that_stands_after_a_reset_is_told(bench: Bench) -> None:
    def again() -> None:
        bench.directory.person.locked = True
        cut()()

    bench.directory.plan["applied"] = [again]

    report = bench.do("reset_and_unlock")

    assert (report.outcome, report.cause, report.unlocked) == ("succeeded", "not_applied", False)


FAILURES: list[tuple[Point, Action]] = [
    ("connect", away()),
    ("find", away()),
    ("witness", away()),
    ("asked", away()),
    ("asked", cut()),
    ("applied", cut()),
    ("sign_in", away()),
]


@pytest.mark.parametrize("first", FAILURES)
@pytest.mark.parametrize("second", FAILURES)
@pytest.mark.parametrize("fence", [1, 2])
def test_whatever_fails_there_is_at_most_one_change_and_what_is_told_of_it_is_true(
    bench: Bench, first: tuple[Point, Action], second: tuple[Point, Action], fence: int
) -> None:
    for point, action in (first, second):
        bench.directory.plan.setdefault(point, []).append(action)

    report = bench.do("reset", fence)

    is_new = bench.directory.person.password == NEW
    assert bench.directory.sets == int(is_new)
    assert report.outcome == "unknown" or report.changed is is_new


def test_troubles_of_the_directory_are_no_answer_either(bench: Bench) -> None:
    bench.directory.plan["applied"] = [cut()]
    bench.directory.plan["connect"] = [None, raises(Unreachable("untrusted"))]

    assert bench.do("reset").outcome == "succeeded"
