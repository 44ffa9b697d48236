"""One job, one agent at a time: leases, fences, and what nobody takes (F-05, F-25, R-23)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.cast import PASSWORD, Acme
from tests.costs import counted
from tests.resets.visitor import Clock
from tests.writeback.field import (
    DONE,
    LOST,
    FieldAgent,
    Held,
    make_agent,
    make_connector,
    sign_what_waits,
)
from tests.writeback.orders import order
from writeback.jobs import LEASE, TAKEN_WITHIN
from writeback.models import Agent, Connector, JobEnvelope, WritebackJob
from writeback.outcomes import TOLD_WITHIN
from writeback.reports import Report
from writeback.services import taking
from writeback.services.outcome import sweep

STATEMENTS = 8
NOT_APPLIED = Report("failed", "not_applied", at=1)


def the_job(acme: Acme) -> WritebackJob:
    with acme.inside():
        found: WritebackJob = WritebackJob.objects.get()
        return found


def rows_of(acme: Acme, agent: FieldAgent) -> list[Agent]:
    with acme.inside():
        return list(Agent.objects.filter(pk=agent.id))


@pytest.fixture
def other(hybrid: Acme, connector: Connector, agent: FieldAgent, clock: Clock) -> FieldAgent:
    """A second agent of the same directory."""
    return make_agent(hybrid, connector, clock)


@pytest.fixture
def placed(hybrid: Acme, agent: FieldAgent, other: FieldAgent, clock: Clock) -> Acme:
    order(hybrid, hybrid.bob, clock.now)
    return hybrid


def test_any_agent_may_take_a_job_and_one_does(
    placed: Acme, agent: FieldAgent, other: FieldAgent
) -> None:
    assert other.take() is not None
    assert agent.take() is None


def test_each_agent_gets_a_job_sealed_to_its_own_key(
    placed: Acme, agent: FieldAgent, other: FieldAgent
) -> None:
    with placed.inside():
        assert JobEnvelope.objects.count() == 2
    held = other.take()
    assert held is not None
    assert held.passwords.old == PASSWORD


def test_a_job_is_not_there_before_it_is_signed(
    hybrid: Acme, agent: FieldAgent, clock: Clock
) -> None:
    order(hybrid, hybrid.bob, clock.now, signed=False)
    assert agent.take() is None
    sign_what_waits(clock.now)
    assert agent.take() is not None


def test_a_job_whose_holder_died_is_handed_on_after_its_lease(
    placed: Acme, agent: FieldAgent, other: FieldAgent, clock: Clock
) -> None:
    first = agent.take()
    clock.shift(seconds=LEASE.total_seconds() - 1)
    assert other.take() is None
    clock.shift(seconds=1)
    second = other.take()
    assert first is not None
    assert second is not None
    assert (first.fence, second.fence) == (1, 2)
    assert agent.report(first, DONE).status == 409, "the older fence is not believed"
    assert other.report(second, DONE).status == 200
    assert the_job(placed).outcome == "succeeded"


def test_what_its_holder_lost_it_gets_again_only_when_it_asks_anew(
    placed: Acme, agent: FieldAgent, clock: Clock
) -> None:
    """A call that was waiting before may be all that is left of it."""
    assert agent.take() is not None
    [row] = rows_of(placed, agent)
    asked_at = clock.now + LEASE - timedelta(seconds=1)
    clock.shift(seconds=LEASE.total_seconds())
    with placed.inside():
        assert taking.take(row, clock.now, asked_at) is None
        assert taking.take(row, clock.now, clock.now) is not None


def test_the_same_result_again_is_accepted_and_changes_nothing(
    placed: Acme, agent: FieldAgent
) -> None:
    held = agent.do(DONE)
    assert agent.report(held, DONE).body == {"accepted": True}
    assert agent.report(held, Report("failed", "refused", at=1)).body == {"accepted": True}
    assert the_job(placed).outcome == "succeeded"


def test_an_unknown_outcome_is_corrected_by_its_agent_and_by_nobody_else(
    placed: Acme, agent: FieldAgent, other: FieldAgent
) -> None:
    held = agent.do(LOST)
    assert the_job(placed).outcome == "unknown"
    assert other.report(held, DONE).status == 409
    assert agent.report(held, DONE).status == 200
    assert the_job(placed).outcome == "succeeded"


def test_what_nobody_took_in_time_is_withdrawn_for_good(
    placed: Acme, agent: FieldAgent, clock: Clock
) -> None:
    clock.shift(seconds=TAKEN_WITHIN.total_seconds() - 1)
    assert sweep(clock.now) == 0
    clock.shift(seconds=1)
    assert sweep(clock.now) == 1
    job = the_job(placed)
    assert (job.outcome, job.cause) == ("failed", "withdrawn")
    assert agent.take() is None
    with placed.inside():
        assert JobEnvelope.objects.count() == 0


def test_what_was_taken_and_not_reported_is_unknown_and_handed_to_nobody_any_more(
    placed: Acme, agent: FieldAgent, other: FieldAgent, clock: Clock
) -> None:
    agent.take()
    clock.shift(seconds=TOLD_WITHIN.total_seconds() - 1)
    assert sweep(clock.now) == 0
    clock.shift(seconds=1)
    assert other.take() is None
    assert sweep(clock.now) == 1
    job = the_job(placed)
    assert (job.outcome, job.cause) == ("unknown", "no_answer")


def test_no_job_is_handed_out_when_its_time_is_over(
    placed: Acme, agent: FieldAgent, clock: Clock
) -> None:
    """Even if nothing sweeps: an outage ends in "not changed", never in a late change (R-23)."""
    clock.shift(seconds=299)
    assert agent.take() is None


def test_what_an_agent_took_and_never_began_is_handed_out_again_when_it_starts_anew(
    placed: Acme, agent: FieldAgent, other: FieldAgent
) -> None:
    held = agent.take()
    assert held is not None
    assert agent.beat(begun=None).status == 200
    assert other.take() is None
    assert agent.beat(begun=[str(held.job.id)]).status == 200
    assert other.take() is None, "its journal may know of something that is on its way"
    assert other.beat(begun=[]).status == 200
    assert other.take() is None, "another one's start says nothing of it"

    assert agent.beat(begun=[]).status == 200
    again = other.take()
    assert again is not None
    assert again.fence == 2


@pytest.fixture
def handed_on(placed: Acme, agent: FieldAgent, other: FieldAgent, clock: Clock) -> Held:
    """Bob's job as `agent` held it first; `other` had it after that and nobody told of it."""
    first = agent.take()
    assert first is not None
    clock.shift(seconds=31)
    assert other.take() is not None
    clock.shift(seconds=30)
    return first


def test_an_earlier_holder_that_did_it_is_heard_where_the_last_one_told_nothing(
    placed: Acme, agent: FieldAgent, handed_on: Held, clock: Clock
) -> None:
    assert agent.report(handed_on, DONE).status == 409, "the last one may still be at it"
    sweep(clock.now)
    assert agent.report(handed_on, NOT_APPLIED).status == 409, "it can't know of the last one"
    assert agent.report(replace(handed_on, fence=0), DONE).status == 409, "nobody ever held it so"
    assert agent.report(handed_on, DONE).status == 200
    assert the_job(placed).outcome == "succeeded"


def test_another_directory_s_agent_is_not_heard(
    placed: Acme, handed_on: Held, clock: Clock
) -> None:
    stranger = make_agent(placed, make_connector(placed, "Branch"), clock)
    sweep(clock.now)
    assert stranger.report(handed_on, DONE).status == 409


def test_an_agent_that_began_anew_is_heard_of_what_it_held_before(
    placed: Acme, agent: FieldAgent, clock: Clock
) -> None:
    first = agent.take()
    assert first is not None
    clock.shift(seconds=31)
    assert agent.take() is not None
    clock.shift(seconds=30)
    sweep(clock.now)

    assert agent.report(first, Report("failed", "refused", at=1)).status == 409
    assert agent.report(first, NOT_APPLIED).status == 200
    job = the_job(placed)
    assert (job.outcome, job.cause) == ("failed", "not_applied")


def test_the_oldest_job_comes_first(hybrid: Acme, agent: FieldAgent, clock: Clock) -> None:
    [first] = order(hybrid, hybrid.bob, clock.now)
    [second] = order(hybrid, hybrid.bob, clock.now + timedelta(seconds=1))
    clock.shift(seconds=2)
    sign_what_waits(clock.now)
    taken = [agent.take(), agent.take(), agent.take()]
    assert [held.job.id if held else None for held in taken] == [first.pk, second.pk, None]


def test_a_result_for_a_job_that_was_not_taken_is_refused(
    placed: Acme, agent: FieldAgent, other: FieldAgent
) -> None:
    held = agent.take()
    assert held is not None
    held.fence = 7
    assert agent.report(held, DONE).status == 409
    held.fence = 1
    assert agent.report(held, DONE).status == 200


@pytest.fixture
def in_line(placed: Acme, clock: Clock) -> list[WritebackJob]:
    """Two more of Bob's jobs, behind the one that is there."""
    clock.shift(seconds=1)
    first = order(placed, placed.bob, clock.now)
    clock.shift(seconds=1)
    return first + order(placed, placed.bob, clock.now)


def test_who_reports_and_has_room_gets_the_next_job_with_the_answer(
    placed: Acme, in_line: list[WritebackJob], agent: FieldAgent, other: FieldAgent
) -> None:
    held = agent.take()
    assert held is not None
    asking, not_asking = agent.report(held, DONE, next=True), agent.report(held, DONE, next=False)
    second = agent.opened(asking.body["next"])
    left = other.take()

    assert (asking.status, asking.signed, asking.body["accepted"]) == (200, True, True)
    assert not_asking.body == agent.report(held, DONE).body == {"accepted": True}
    assert [second.job.id, left and left.job.id] == [job.pk for job in in_line]
    assert agent.report(second, DONE, next=True).body == {"accepted": True}, "nothing waits"


def test_a_report_that_comes_too_late_asks_for_the_next_job_like_any_other(
    placed: Acme, in_line: list[WritebackJob], agent: FieldAgent, other: FieldAgent, clock: Clock
) -> None:
    held = agent.take()
    assert held is not None
    clock.shift(seconds=31)
    assert other.take() is not None

    late = agent.report(held, DONE, next=True)

    assert (late.status, late.body["accepted"]) == (409, False)
    assert agent.opened(late.body["next"]).job.id == in_line[0].pk


def test_a_job_whose_answer_was_lost_on_its_way_is_handed_on_after_its_lease(
    placed: Acme, in_line: list[WritebackJob], agent: FieldAgent, other: FieldAgent, clock: Clock
) -> None:
    held = agent.take()
    assert held is not None
    lost = agent.report(held, DONE, next=True)
    again = agent.report(held, DONE, next=True)
    assert other.take() is None
    clock.shift(seconds=31)
    taken_over = other.take()

    assert [agent.opened(reply.body["next"]).job.id for reply in (lost, again)] == [
        job.pk for job in in_line
    ]
    assert taken_over is not None
    assert (taken_over.job.id, taken_over.fence) == (in_line[0].pk, 2)


@pytest.mark.parametrize("wish", [1, None, "yes", {}])
def test_a_wish_that_is_none_is_refused_with_the_report(
    placed: Acme, in_line: list[WritebackJob], agent: FieldAgent, wish: object
) -> None:
    held = agent.take()
    assert held is not None
    reply = agent.report(held, DONE, next=wish)

    assert (reply.status, reply.body) == (400, {"error": "body"})
    assert agent.report(held, DONE).body == {"accepted": True}


@pytest.mark.django_db(transaction=True)
def test_a_report_with_its_next_job_is_one_transaction(
    placed: Acme, in_line: list[WritebackJob], agent: FieldAgent
) -> None:
    held = agent.take()
    assert held is not None
    with CaptureQueriesContext(connection) as captured:
        assert "next" in agent.report(held, DONE, next=True).body

    counts = counted(captured)
    assert (counts["COMMIT"], counts["statement"]) == (1, STATEMENTS)
