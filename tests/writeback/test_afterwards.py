"""What nobody told of is settled by the account itself, when any agent looks at it later (R-22)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.cast import Acme
from tests.resets.visitor import Clock
from tests.writeback.ending import wake
from tests.writeback.field import FieldAgent, make_agent, sign_what_waits
from tests.writeback.looks import looked_at
from tests.writeback.orders import next_job, order_by_hand
from writeback.afterwards import SPREADS_WITHIN, judge
from writeback.jobs import LEASE
from writeback.models import Agent, Connector, WritebackJob
from writeback.outcomes import SETTLES_AFTER, TOLD_WITHIN
from writeback.protocol import Operation
from writeback.reports import Report, written
from writeback.services.looking import look_around
from writeback.services.outcome import sweep

BEGUN = datetime.fromisoformat("2026-11-20T09:30:00+00:00")
CLOSED = BEGUN + timedelta(seconds=30)
SETTLED = CLOSED + SPREADS_WITHIN
SECOND = timedelta(seconds=1)


def looked(
    changed_at: datetime | None,
    *,
    now: datetime = SETTLED,
    operation: Operation = "reset_and_unlock",
    locked: bool = False,
) -> tuple[Any, ...] | None:
    written = None if changed_at is None else changed_at.isoformat()
    person = {"changed_at": written, "locked": locked}
    end = judge(operation, person, begun=BEGUN, closed=CLOSED, now=now)
    return None if end is None else (end.outcome, end.cause, end.changed, end.unlocked)


DONE = ("succeeded", "", True, True)


@pytest.mark.parametrize("changed_at", [BEGUN, CLOSED, CLOSED + SETTLES_AFTER])
def test_a_password_that_was_set_while_the_job_was_out_is_the_job_s(changed_at: datetime) -> None:
    assert looked(changed_at) == DONE
    assert looked(changed_at, now=CLOSED + SETTLES_AFTER) == DONE, "this is certain at once"


def test_one_that_was_set_later_is_somebody_else_s() -> None:
    assert looked(CLOSED + SETTLES_AFTER + SECOND) == ("superseded", "superseded", False, None)


def test_one_that_is_older_was_not_set_once_every_controller_would_know() -> None:
    older = BEGUN - SECOND
    assert looked(older, now=SETTLED - SECOND) is None
    assert looked(older) == ("failed", "not_applied", False, None)


def test_nobody_can_tell_while_the_change_may_be_on_its_way_or_without_a_time() -> None:
    assert looked(BEGUN, now=CLOSED + SETTLES_AFTER - SECOND) is None
    assert looked(None) is None


def test_a_lock_that_still_stands_is_told() -> None:
    assert looked(BEGUN, locked=True) == ("succeeded", "not_applied", True, False)
    assert looked(BEGUN, operation="reset", locked=True) == ("succeeded", "", True, None)


def test_an_unlock_is_told_by_the_lock() -> None:
    early = CLOSED + SETTLES_AFTER
    assert looked(None, operation="unlock", now=early) == ("succeeded", "", False, True)
    assert looked(None, operation="unlock", now=early, locked=True) is None
    end = looked(None, operation="unlock", locked=True)
    assert end == ("failed", "not_applied", False, None)


@pytest.fixture
def left(hybrid: Acme, agent: FieldAgent, clock: Clock) -> Acme:
    """Bob's job was taken by an agent that was never heard of again; another one came."""
    order_by_hand(hybrid, clock, "reset", "reset")
    assert next_job(agent) is not None
    clock.shift(seconds=TOLD_WITHIN.total_seconds())
    assert sweep(clock.now) == 1
    with hybrid.inside():
        Agent.objects.all().update(state=Agent.State.REVOKED)
    return hybrid


def the_reset(acme: Acme) -> WritebackJob:
    with acme.inside():
        found: WritebackJob = WritebackJob.objects.get(purpose="reset")
        return found


@pytest.mark.parametrize("is_done", [True, False])
def test_a_job_whose_agent_is_gone_for_good_is_settled_by_another_one_s_look(
    left: Acme, connector: Connector, clock: Clock, is_done: bool
) -> None:
    job = the_reset(left)
    assert (job.outcome, job.cause) == ("unknown", "no_answer")
    newcomer = make_agent(left, connector, clock)
    clock.shift(seconds=(SPREADS_WITHIN - TOLD_WITHIN + LEASE).total_seconds())
    wake(newcomer)
    assert look_around(clock.now) == 0, "not every controller may know it yet"
    clock.shift(seconds=SETTLES_AFTER.total_seconds())

    assert look_around(clock.now) == 1
    sign_what_waits(clock.now)
    newcomer.do(looked_at(changed_at=job.created_at + (SECOND if is_done else -SECOND)))

    job = the_reset(left)
    end = ("succeeded", "", True) if is_done else ("failed", "not_applied", False)
    assert (job.outcome, job.cause, job.changed) == end
    assert job.reconciled


def test_a_look_that_can_t_tell_leaves_it_unknown(
    left: Acme, connector: Connector, clock: Clock
) -> None:
    newcomer = make_agent(left, connector, clock)
    clock.shift(minutes=20)
    wake(newcomer)
    look_around(clock.now)
    sign_what_waits(clock.now)
    newcomer.do(looked_at())

    assert the_reset(left).outcome == "unknown"


def test_a_look_in_between_does_not_put_off_the_one_that_can_tell(
    left: Acme, connector: Connector, clock: Clock
) -> None:
    """As the one a new journey begins with."""
    begun = the_reset(left).created_at
    newcomer = make_agent(left, connector, clock)
    order_by_hand(left, clock, "describe", "describe", "K7M4-92QX")
    reply = newcomer.call("jobs/next", {"wait": 0})
    body = {"fence": 1, "report": written(looked_at(changed_at=begun - SECOND))}
    assert newcomer.call(f"jobs/{reply.body['job']}/result", body).status == 200
    assert the_reset(left).outcome == "unknown"

    clock.shift(minutes=16)
    wake(newcomer)
    assert look_around(clock.now) == 1


@pytest.mark.parametrize("end", ["reported", "withdrawn"])
def test_a_look_that_came_to_nothing_is_tried_again_in_a_minute_while_somebody_waits_to_hear(
    left: Acme, connector: Connector, clock: Clock, end: str
) -> None:
    newcomer = make_agent(left, connector, clock)
    clock.shift(minutes=20)
    wake(newcomer)
    assert look_around(clock.now) == 1
    sign_what_waits(clock.now)
    if end == "reported":
        newcomer.do(Report("failed", "unreachable", at=1))
    else:
        assert sweep(clock.now + timedelta(seconds=16)) == 1
    clock.shift(seconds=59)
    wake(newcomer)
    assert look_around(clock.now) == 0
    clock.shift(seconds=1)
    wake(newcomer)

    assert look_around(clock.now) == 1
    sign_what_waits(clock.now)
    newcomer.do(looked_at(changed_at=the_reset(left).created_at + SECOND))
    assert the_reset(left).outcome == "succeeded"
