"""The account that is kept for it is reset every day as a person's would be; who hears when not."""

import string
from typing import Any

import pytest

from tests.cast import Acme
from tests.resets.visitor import Clock
from tests.writeback.drilling import (
    CANARY,
    KIND,
    RIGHT,
    UNREACHABLE,
    drills,
    events,
    next_day,
    reread,
    step,
    whole,
)
from tests.writeback.ending import told, words
from tests.writeback.field import DONE, LOST, FieldAgent, sign_what_waits
from writeback.models import Connector, Drill, JobEnvelope, WritebackJob
from writeback.reports import Report
from writeback.services.drills import run_drills
from writeback.services.outcome import sweep


def test_a_drill_sets_a_password_nobody_knows_and_signs_in_with_it(
    drilled: Acme, connector: Connector, agent: FieldAgent, clock: Clock
) -> None:
    assert run_drills(clock.now) == 1
    reset = step(agent, clock, DONE)
    check = step(agent, clock, RIGHT)

    assert (reset.job.operation, reset.job.anchor, reset.job.must_change) == (
        "reset_and_unlock",
        CANARY,
        False,
    )
    assert (check.job.operation, check.job.anchor) == ("verify", CANARY)
    assert check.passwords.old == reset.passwords.new
    found = reread(drilled, connector)
    assert (found.drill_outcome, found.drilled_at) == ("passed", clock.now)
    assert events(drilled) == [("success", "passed")]
    assert told(drilled, KIND) == []


def test_its_password_is_long_has_every_kind_of_character_and_is_never_the_same(
    drilled: Acme, agent: FieldAgent, clock: Clock
) -> None:
    found = []
    for _ in range(2):
        run_drills(clock.now)
        found.append(step(agent, clock, DONE).passwords.new or "")
        step(agent, clock, RIGHT)
        next_day(agent, clock)

    assert found[0] != found[1]
    for password in found:
        assert len(password) == 40
        kinds = [string.ascii_lowercase, string.ascii_uppercase, string.digits, "!#%+-=?@_~"]
        assert all(set(password) & set(kind) for kind in kinds)


def test_nothing_of_its_password_is_left_and_nothing_was_ever_readable(
    drilled: Acme, agent: FieldAgent, clock: Clock
) -> None:
    run_drills(clock.now)
    password = step(agent, clock, DONE).passwords.new or ""
    [row] = drills(drilled)
    assert password.encode() not in bytes(row.sealed)
    with drilled.inside():
        assert row.read().reveal() == password
        assert password not in repr(row) + str(row)

    step(agent, clock, RIGHT)

    assert drills(drilled) == []
    with drilled.inside():
        assert JobEnvelope.objects.count() == 0


def test_the_sign_in_is_asked_for_only_when_the_password_is_set(
    drilled: Acme, agent: FieldAgent, clock: Clock
) -> None:
    run_drills(clock.now)
    sign_what_waits(clock.now)
    with drilled.inside():
        assert list(WritebackJob.objects.values_list("operation", flat=True)) == [
            "reset_and_unlock"
        ]
    assert sign_what_waits(clock.now) == 0


def test_a_drill_is_once_a_day_and_one_at_a_time(
    drilled: Acme, agent: FieldAgent, clock: Clock
) -> None:
    assert run_drills(clock.now) == 1
    assert run_drills(clock.now) == 0
    step(agent, clock, DONE)
    step(agent, clock, RIGHT)
    assert run_drills(clock.now) == 0
    next_day(agent, clock)
    assert run_drills(clock.now) == 1


def test_a_directory_that_is_away_or_switched_off_is_not_drilled(
    drilled: Acme, connector: Connector, agent: FieldAgent, clock: Clock
) -> None:
    clock.shift(minutes=5)
    assert run_drills(clock.now) == 0
    agent.beat()
    with drilled.inside():
        Connector.objects.update(enabled=False)
    assert run_drills(clock.now) == 0
    with drilled.inside():
        Connector.objects.update(enabled=True)
    assert run_drills(clock.now) == 1


@pytest.mark.parametrize(
    ("reports", "outcome", "sentence"),
    [
        ([Report("failed", "no_right_to_reset")], "no_right_to_reset", "could not be set"),
        ([Report("failed", "")], "failed", "could not be set"),
        (
            [Report("succeeded", "no_right_to_unlock", changed=True, unlocked=False)],
            "not_unlocked",
            "could not be unlocked",
        ),
        ([DONE, Report("succeeded", answer="wrong")], "wrong", "sign-in with it was refused"),
        ([DONE, Report("succeeded", answer="disabled")], "disabled", "sign-in with it was"),
        ([DONE, UNREACHABLE], "unreachable", "sign-in with it was refused"),
    ],
)
def test_a_drill_that_fails_is_told_with_its_step_and_cause(
    drilled: Acme,
    connector: Connector,
    agent: FieldAgent,
    clock: Clock,
    reports: list[Report],
    outcome: str,
    sentence: str,
) -> None:
    whole(agent, clock, *reports)

    assert reread(drilled, connector).drill_outcome == outcome
    assert events(drilled) == [("failure", outcome)]
    assert told(drilled, KIND) == [("email", drilled.carol.user_id)]
    mail = words(drilled, KIND)["email"]
    assert mail.subject == "Acme: the drill of Head office failed"
    for part in (mail.text, mail.html):
        assert sentence in part
        assert f"Cause: {outcome}" in part
    assert drills(drilled) == []


@pytest.mark.parametrize("answer", ["right", "not_now", "not_here"])
def test_an_account_that_may_not_sign_in_here_or_now_has_the_right_password_all_the_same(
    drilled: Acme, connector: Connector, agent: FieldAgent, clock: Clock, answer: Any
) -> None:
    whole(agent, clock, DONE, Report("succeeded", answer=answer))
    assert reread(drilled, connector).drill_outcome == "passed"


def test_administrators_hear_of_it_once_until_a_drill_passes_again(
    drilled: Acme, agent: FieldAgent, clock: Clock
) -> None:
    counts = []
    for passes in (False, False, True, False):
        whole(agent, clock, *([DONE, RIGHT] if passes else [UNREACHABLE]))
        counts.append(len(told(drilled, KIND)))
        next_day(agent, clock)
    assert counts == [1, 1, 1, 2]


def test_an_answer_that_comes_late_is_waited_for(
    drilled: Acme, connector: Connector, agent: FieldAgent, clock: Clock
) -> None:
    run_drills(clock.now)
    held = step(agent, clock, LOST)
    assert len(drills(drilled)) == 1
    assert sign_what_waits(clock.now) == 0

    assert agent.report(held, DONE).status == 200
    step(agent, clock, RIGHT)

    assert reread(drilled, connector).drill_outcome == "passed"


def test_a_drill_without_an_end_has_failed_after_ten_minutes(
    drilled: Acme, connector: Connector, agent: FieldAgent, clock: Clock
) -> None:
    run_drills(clock.now)
    held = step(agent, clock, LOST)
    clock.shift(minutes=9, seconds=59)
    assert run_drills(clock.now) == 0
    clock.shift(seconds=1)
    assert run_drills(clock.now) == 1
    assert drills(drilled) == []
    assert reread(drilled, connector).drill_outcome == "no_answer"
    assert "Nobody said in time" in words(drilled, KIND)["email"].text

    assert agent.report(held, DONE).status == 200
    assert sign_what_waits(clock.now) == 0
    assert events(drilled) == [("failure", "no_answer")]


def test_a_job_that_nobody_takes_ends_the_drill(
    drilled: Acme, connector: Connector, agent: FieldAgent, clock: Clock
) -> None:
    run_drills(clock.now)
    clock.shift(seconds=16)
    assert sweep(clock.now) == 1
    assert reread(drilled, connector).drill_outcome == "withdrawn"


def test_a_password_that_cannot_be_opened_any_more_ends_the_drill(
    drilled: Acme, connector: Connector, agent: FieldAgent, clock: Clock
) -> None:
    run_drills(clock.now)
    with drilled.inside():
        Drill.objects.update(sealed=bytes(40))
    step(agent, clock, DONE)
    assert reread(drilled, connector).drill_outcome == "seal"
