"""What an agent does for a job that it may do, and what it tells of it."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.writeback.bench import JOB, LEASE, NEW, OLD, START, Bench
from tests.writeback.scripted import RULES, answers, away, raises
from writeback.connectors.base import Change, Rights, Unreachable
from writeback.protocol import SKEW, Passwords
from writeback.reports import Report

DONE = Report("succeeded", changed=True, controller="dc1", at=int(START.timestamp()))


def test_a_reset_sets_the_password_once_and_says_so(bench: Bench) -> None:
    report = bench.do("reset")

    assert report == DONE
    assert (bench.directory.person.password, bench.directory.sets) == (NEW, 1)
    assert bench.told == []


def test_what_is_about_to_be_done_is_on_disk_before_the_directory_is_asked(bench: Bench) -> None:
    seen: list[Any] = []
    bench.directory.plan["asked"] = [lambda: seen.append(bench.journal.find_intent(JOB.id))]

    bench.do("reset")

    assert seen == [
        {
            "controller": "dc1",
            "version": 4,
            "changed_at": "2026-11-01T00:00:00+00:00",
            "anchor": JOB.anchor,
            "operation": "reset",
            "expires": int(JOB.expires.timestamp()),
            "unlock": False,
            "fence": 1,
            "at": int(START.timestamp()),
        }
    ]


def test_no_password_reaches_the_disk(bench: Bench, tmp_path: Any) -> None:
    bench.do("change")
    bench.do("reset", id=UUID(int=9))

    kept = (tmp_path / "journal").read_bytes()
    for secret in (NEW, OLD):
        for form in (secret.encode(), secret.encode("utf-16-le"), json.dumps(secret).encode()):
            assert form not in kept


@pytest.mark.parametrize("must_change", [True, False])
def test_the_next_sign_in_asks_for_another_password_if_the_job_says_so(
    bench: Bench, must_change: bool
) -> None:
    bench.do("reset", must_change=must_change)

    assert bench.directory.person.must_change is must_change


@pytest.mark.parametrize(
    ("operation", "locked_after", "unlocked"),
    [("reset", True, None), ("reset_and_unlock", False, True)],
)
def test_a_reset_unlocks_only_if_it_is_to(
    bench: Bench, operation: str, locked_after: bool, unlocked: bool | None
) -> None:
    bench.directory.person.locked = True

    report = bench.do(operation)

    assert report == replace(DONE, unlocked=unlocked)
    assert bench.directory.person.locked is locked_after


def test_a_change_needs_the_old_password(bench: Bench) -> None:
    wrong = bench.perform(
        bench.deliver(replace(JOB, operation="change"), passwords=Passwords(NEW, "not it"))
    )
    right = bench.do("change", id=UUID(int=9))

    assert (wrong.outcome, wrong.cause, wrong.changed) == ("failed", "wrong_old_password", False)
    assert right == DONE
    assert bench.directory.sets == 1


def test_an_unlock_changes_no_password(bench: Bench) -> None:
    bench.directory.person.locked = True

    report = bench.do("unlock")

    assert report == replace(DONE, changed=False, unlocked=True)
    assert (bench.directory.person.locked, bench.directory.sets) == (False, 0)


@pytest.mark.parametrize(
    ("operation", "change", "outcome", "changed"),
    [
        ("reset_and_unlock", Change(unlocked=False, code="00002098"), "succeeded", True),
        ("unlock", Change(unlocked=False, code="00002098"), "failed", False),
    ],
)
def test_what_was_done_only_in_part_is_told_as_such(
    bench: Bench, operation: str, change: Change, outcome: str, changed: bool
) -> None:
    bench.directory.plan["applied"] = [answers(change)]

    report = bench.do(operation)

    assert (report.outcome, report.cause) == (outcome, "no_right_to_unlock")
    assert (report.changed, report.unlocked, report.code) == (changed, False, "00002098")


@pytest.mark.parametrize("cause", ["password_rules", "no_right_to_reset", "busy", "refused"])
def test_what_the_directory_refuses_is_told_with_its_reason(bench: Bench, cause: Any) -> None:
    bench.directory.plan["asked"] = [answers(Change(cause, code="0000052D"))]

    report = bench.do("reset")

    assert (report.outcome, report.cause, report.code) == ("failed", cause, "0000052D")
    assert (report.changed, bench.directory.person.password) == (False, OLD)


def test_a_sign_in_is_answered_counted_nowhere_and_written_nowhere(bench: Bench) -> None:
    right = bench.do("verify")
    bench.directory.person.password = "another"
    wrong = bench.do("verify", id=UUID(int=9))

    assert (right.outcome, right.answer) == ("succeeded", "right")
    assert (wrong.outcome, wrong.answer) == ("succeeded", "wrong")
    assert (bench.journal.times(), bench.journal.knows(JOB.id)) == ([], False)
    assert "witness" not in bench.directory.seen


def test_a_sign_in_of_a_disabled_person_is_the_directory_s_to_answer(bench: Bench) -> None:
    bench.directory.person.enabled = False
    bench.directory.sign_in_says = "disabled"

    assert bench.do("verify").answer == "disabled"


def test_a_person_is_described_with_their_rules_whatever_may_not_be_done_to_them(
    bench: Bench,
) -> None:
    person = bench.directory.person
    person.protected, person.enabled, person.locked = True, False, True
    person.account_ends = START.timestamp()
    bench.directory.rights = Rights(reset=True, unlock=False, must_change=True)

    report = bench.do("describe")

    assert report.rules == RULES
    assert report.person == {
        "protected": True,
        "enabled": False,
        "locked": True,
        "must_change": False,
        "may_reset": True,
        "may_unlock": False,
        "changed_at": "2026-11-01T00:00:00+00:00",
        "password_ends": None,
        "account_ends": START.isoformat(),
    }
    assert bench.journal.times() == []


@pytest.mark.parametrize("point", ["connect", "find", "witness"])
@pytest.mark.parametrize("trouble", ["unreachable", "untrusted", "account", "configuration"])
def test_a_directory_that_is_not_there_was_not_changed(
    bench: Bench, point: Any, trouble: Any
) -> None:
    bench.directory.plan[point] = [raises(Unreachable(trouble))]

    report = bench.do("reset")

    assert (report.outcome, report.cause, report.changed) == ("failed", trouble, False)
    assert (bench.directory.sets, bench.journal.times()) == (0, [])
    assert bench.do("reset") == DONE


def test_a_change_that_could_not_be_sent_is_settled_as_not_done(bench: Bench) -> None:
    bench.directory.plan["asked"] = [away()]

    report = bench.do("reset")

    assert (report.outcome, report.cause) == ("failed", "unreachable")
    assert bench.journal.unsettled() == []


def test_a_job_that_comes_again_is_answered_from_the_journal(bench: Bench) -> None:
    first = bench.do("reset")
    asked = len(bench.directory.seen)
    bench.clock.pass_by(1)

    again = bench.do("reset", fence=2)

    assert again == first
    assert (bench.directory.sets, len(bench.directory.seen)) == (1, asked)


def _slow(bench: Bench, seconds: float) -> Any:
    return lambda: bench.clock.pass_by(seconds)


@pytest.mark.parametrize("point", ["connect", "find", "witness"])
@pytest.mark.parametrize(
    ("seconds", "lease", "cause"),
    [
        (LEASE - 1, LEASE, ""),
        (LEASE, LEASE, "lease_lost"),
        (299, 1000, ""),
        (300, 1000, "expired"),
    ],
)
def test_nothing_is_changed_after_the_lease_or_the_job_is_over(
    bench: Bench, point: Any, seconds: float, lease: float, cause: str
) -> None:
    bench.directory.plan[point] = [_slow(bench, seconds)]
    delivery = bench.deliver()

    report = bench.perform(replace(delivery, write_until=bench.clock.seconds + lease))

    assert report.cause == cause
    assert bench.directory.sets == (1 if not cause else 0)


def test_time_is_asked_once_more_after_the_intent_was_written(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    intend = bench.journal.intend

    def slow(*arguments: Any) -> bool:
        bench.clock.pass_by(LEASE)
        return intend(*arguments)

    monkeypatch.setattr(bench.journal, "intend", slow)

    report = bench.do("reset")

    assert (report.outcome, report.cause, bench.directory.sets) == ("failed", "lease_lost", 0)
    assert bench.journal.unsettled() == []


def test_a_late_sign_in_is_not_tried(bench: Bench) -> None:
    delivery = bench.deliver(replace(JOB, operation="verify"))
    bench.clock.pass_by(301)

    assert bench.perform(delivery).cause == "expired"
    assert "sign_in" not in bench.directory.seen


@pytest.mark.parametrize(
    "changed_at", [START - timedelta(days=1), START - SKEW - timedelta(seconds=1)]
)
def test_a_job_that_another_agent_had_is_done_if_nothing_was_changed_since(
    bench: Bench, changed_at: Any
) -> None:
    bench.directory.person.changed_at = changed_at.timestamp()

    report = bench.do("reset", fence=2)

    assert (report, bench.directory.sets) == (DONE, 1)
    assert "sign_in" not in bench.directory.seen


@pytest.mark.parametrize(
    ("says", "outcome", "cause"),
    [
        ("right", "succeeded", ""),
        ("must_change", "succeeded", ""),
        ("locked", "succeeded", ""),
        ("wrong", "superseded", "superseded"),
    ],
)
def test_a_job_that_another_agent_had_is_not_done_twice(
    bench: Bench, says: Any, outcome: str, cause: str
) -> None:
    bench.directory.person.changed_at = START.timestamp() + (1 if says == "wrong" else 0)
    bench.directory.sign_in_says = says

    report = bench.do("reset", fence=2)

    assert (report.outcome, report.cause, report.reconciled) == (outcome, cause, True)
    assert report.changed is (outcome == "succeeded")
    assert (bench.directory.sets, bench.journal.times()) == (0, [])


@pytest.mark.parametrize(("says", "sets"), [("right", 0), ("locked", 1), ("wrong", 1)])
def test_a_password_that_was_set_shortly_before_the_job_is_only_its_own_if_it_opens(
    bench: Bench, says: Any, sets: int
) -> None:
    """Clocks differ a little: such a change may be the other agent's, or older than the job."""
    bench.directory.person.changed_at = (START - SKEW).timestamp()
    bench.directory.sign_in_says = says

    report = bench.do("reset", fence=2)

    assert (report.outcome, report.changed, bench.directory.sets) == ("succeeded", True, sets)


@pytest.mark.parametrize("after", [0, 0.999])
def test_a_password_that_was_set_in_the_second_of_the_job_and_is_another_one_is_replaced(
    bench: Bench, after: float
) -> None:
    bench.directory.person.changed_at = START.timestamp() + after
    bench.directory.sign_in_says = "wrong"

    report = bench.do("reset", fence=2)

    assert (report, bench.directory.sets) == (DONE, 1)


def test_of_a_job_that_another_agent_had_time_tells_when_no_sign_in_does(bench: Bench) -> None:
    bench.directory.person.changed_at = START.timestamp()
    bench.directory.plan["sign_in"] = [away()]

    assert bench.do("reset", fence=2).outcome == "succeeded"


def test_an_unlock_that_another_agent_had_is_done_again(bench: Bench) -> None:
    bench.directory.person.locked = True
    bench.directory.person.changed_at = START.timestamp()

    assert bench.do("unlock", fence=2).unlocked is True


@pytest.mark.parametrize(("operation", "outcome"), [("reset", "unknown"), ("verify", "failed")])
def test_what_another_agent_had_and_nobody_looked_at_is_not_told_as_unchanged(
    bench: Bench, operation: str, outcome: str
) -> None:
    bench.directory.plan["connect"] = [away()]

    report = bench.do(operation, fence=2)

    assert (report.outcome, report.cause) == (outcome, "unreachable")


def test_rules_that_refuse_after_another_agent_are_looked_into_first(bench: Bench) -> None:
    """The other one's change arrived after the look and before ours: this is the history."""

    def late() -> Change:
        bench.directory.person.password, bench.directory.person.version = NEW, 5
        bench.directory.person.changed_at = bench.clock.at.timestamp()
        return Change("password_rules")

    bench.directory.plan["asked"] = [late]

    report = bench.do("reset", fence=2)

    assert (report.outcome, report.changed, report.reconciled) == ("succeeded", True, True)


def test_rules_that_refuse_after_another_agent_did_nothing_are_told(bench: Bench) -> None:
    bench.directory.plan["asked"] = [answers(Change("password_rules"))]

    report = bench.do("reset", fence=2)

    assert (report.outcome, report.cause, bench.directory.sets) == ("failed", "password_rules", 0)
