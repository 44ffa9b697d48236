"""Accounts are looked at once a day without anybody asking, and nobody waits because of it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connection

from accounts.models import User
from tests.cast import Acme, make_person
from tests.resets.visitor import Clock
from tests.writeback.ending import wake
from tests.writeback.field import (
    DONE,
    FieldAgent,
    link,
    make_agent,
    make_connector,
    sign_what_waits,
)
from tests.writeback.looks import looked_at
from tests.writeback.orders import next_job, order_by_hand
from writeback.models import Connector, DirectoryLink, WritebackJob
from writeback.protocol import Passwords
from writeback.reports import Report, written
from writeback.services import looking
from writeback.services.looking import AT_ONCE, PER_MINUTE, look_around
from writeback.services.outcome import sweep

Purpose = WritebackJob.Purpose
ENDS = "2026-12-04T12:00:00+00:00"
MISSING = Report("failed", "person_missing", at=1)


def link_of(acme: Acme, user: User) -> DirectoryLink:
    with acme.inside():
        found: DirectoryLink = DirectoryLink.objects.get(user=user)
        return found


def jobs(acme: Acme) -> list[WritebackJob]:
    with acme.inside():
        return list(WritebackJob.objects.order_by("created_at", "pk"))


def test_an_account_that_was_never_looked_at_is_and_its_end_is_kept(
    hybrid: Acme, agent: FieldAgent, clock: Clock
) -> None:
    assert look_around(clock.now) == 1
    sign_what_waits(clock.now)
    held = agent.do(looked_at(password_ends=ENDS))

    assert (held.job.operation, held.passwords) == ("describe", Passwords())
    found = link_of(hybrid, hybrid.bob)
    assert found.password_ends is not None
    assert found.password_ends.isoformat() == ENDS
    assert found.described_at == clock.now


def test_it_is_looked_at_again_a_day_later_and_not_before(
    hybrid: Acme, agent: FieldAgent, clock: Clock
) -> None:
    look_around(clock.now)
    sign_what_waits(clock.now)
    agent.do(looked_at(password_ends=ENDS))

    clock.shift(hours=23, minutes=59)
    wake(agent)
    assert look_around(clock.now) == 0
    clock.shift(minutes=1)
    wake(agent)
    assert look_around(clock.now) == 1
    assert len({job.origin for job in jobs(hybrid)}) == 2


@pytest.mark.parametrize("end", ["reported", "withdrawn"])
def test_a_look_that_came_to_nothing_is_tried_again_in_an_hour(
    hybrid: Acme, agent: FieldAgent, clock: Clock, end: str
) -> None:
    look_around(clock.now)
    sign_what_waits(clock.now)
    if end == "reported":
        agent.do(MISSING)
    else:
        assert sweep(clock.now + timedelta(seconds=16)) == 1
    clock.shift(minutes=59)
    wake(agent)
    assert look_around(clock.now) == 0
    clock.shift(minutes=1)
    wake(agent)
    assert look_around(clock.now) == 1


def test_a_directory_that_is_switched_off_or_away_is_not_asked(
    hybrid: Acme, connector: Connector, agent: FieldAgent, clock: Clock
) -> None:
    with hybrid.inside():
        Connector.objects.update(enabled=False)
    assert look_around(clock.now) == 0
    with hybrid.inside():
        Connector.objects.update(enabled=True)
    clock.shift(minutes=5)
    assert look_around(clock.now) == 0
    assert agent.beat().status == 200
    assert look_around(clock.now) == 1


def test_a_link_written_by_hand_is_not_looked_at_and_keeps_nobody_waiting(
    hybrid: Acme, connector: Connector, agent: FieldAgent, clock: Clock
) -> None:
    link(hybrid, hybrid.alice, connector, str(uuid4()))
    with hybrid.inside():
        DirectoryLink.objects.filter(user=hybrid.bob).update(anchor=str(uuid4()))

    assert look_around(clock.now) == 1

    assert [job.user_id for job in jobs(hybrid)] == [hybrid.alice.pk]
    assert look_around(clock.now) == 0


def test_only_so_many_are_looked_at_in_a_minute(
    hybrid: Acme, connector: Connector, agent: FieldAgent, clock: Clock
) -> None:
    with hybrid.inside():
        for number in range(PER_MINUTE + 5):
            person = make_person(f"p{number}", "acme.example")
            DirectoryLink.objects.create(user=person, connector=connector, anchor=str(uuid4()))

    assert look_around(clock.now) == AT_ONCE
    clock.shift(seconds=30)
    assert look_around(clock.now) == PER_MINUTE - AT_ONCE
    clock.shift(seconds=20)
    assert look_around(clock.now) == 0
    clock.shift(seconds=15)
    assert look_around(clock.now) == 6
    assert len({job.anchor for job in jobs(hybrid)}) == PER_MINUTE + 6


def test_a_minute_is_shared_by_the_directories_of_a_tenant(
    hybrid: Acme, agent: FieldAgent, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    branch = make_connector(hybrid, "Branch")
    make_agent(hybrid, branch, clock)
    link(hybrid, hybrid.alice, branch, str(uuid4()))
    monkeypatch.setattr(looking, "AT_ONCE", 1)

    assert look_around(clock.now) == 1
    assert look_around(clock.now) == 1
    assert look_around(clock.now) == 0


def test_what_people_wait_for_comes_before_looks_and_drills(
    hybrid: Acme, agent: FieldAgent, clock: Clock
) -> None:
    first = [
        order_by_hand(hybrid, clock, Purpose.DESCRIBE, "describe"),
        order_by_hand(hybrid, clock, Purpose.DRILL, "describe"),
    ]
    people = [
        order_by_hand(hybrid, clock, Purpose.RESET, "reset"),
        order_by_hand(hybrid, clock, Purpose.SIGN_IN, "describe"),
        order_by_hand(hybrid, clock, Purpose.DESCRIBE, "describe", "K7M4-92QX"),
        order_by_hand(hybrid, clock, Purpose.CHANGE, "describe"),
        order_by_hand(hybrid, clock, Purpose.ORDER, "describe"),
    ]

    assert [next_job(agent) for _ in range(8)] == [*people, *first, None]


def test_the_jobs_that_wait_are_still_found_by_their_index(
    hybrid: Acme, connector: Connector, agent: FieldAgent, clock: Clock
) -> None:
    with hybrid.inside():
        done = [
            WritebackJob(
                connector=connector,
                user=hybrid.bob,
                anchor="x",
                purpose=Purpose.DESCRIBE,
                operation="describe",
                origin=uuid4(),
                sequence=number,
                evidence=bytes(32),
                state="done",
                created_at=clock.now,
                expires_at=clock.now,
            )
            for number in range(3000)
        ]
        WritebackJob.objects.bulk_create(done, batch_size=1000)
    order_by_hand(hybrid, clock, Purpose.DESCRIBE, "describe")
    asked: list[str] = []

    def explain(execute: object, sql: str, params: Any, many: bool, context: object) -> object:
        if "FOR UPDATE" in sql and "writeback_writebackjob" in sql:
            asked.append(sql)
            with psycopg.RawCursor(connection.connection) as cursor:
                cursor.execute(f"EXPLAIN {sql}".encode(), params)
                asked.append("\n".join(row[0] for row in cursor.fetchall()))
        return execute(sql, params, many, context)  # type: ignore[operator]

    with connection.execute_wrapper(explain):
        assert next_job(agent) is not None

    assert "jobs_waiting" in asked[1]


def test_after_a_new_password_the_account_is_looked_at_soon_and_the_old_end_is_forgotten(
    hybrid: Acme, agent: FieldAgent, clock: Clock
) -> None:
    look_around(clock.now)
    sign_what_waits(clock.now)
    agent.do(looked_at(password_ends=ENDS))
    assert look_around(clock.now) == 0

    order_by_hand(hybrid, clock, Purpose.RESET, "reset")
    reply = agent.call("jobs/next", {"wait": 0})
    body = {"fence": reply.body["fence"], "report": written(DONE)}
    assert agent.call(f"jobs/{reply.body['job']}/result", body).status == 200

    assert link_of(hybrid, hybrid.bob).password_ends is None
    assert look_around(clock.now) == 1
