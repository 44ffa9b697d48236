"""Which drills are signed, and drills on demand."""

import base64
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tenants.context import tenant_context
from tenants.invalid import Invalid
from tenants.keys import forget_keys
from tests.cast import Acme, Beta
from tests.resets.visitor import Clock
from tests.writeback.drilling import (
    CANARY,
    KIND,
    RIGHT,
    UNREACHABLE,
    drills,
    events,
    name_canary,
    reread,
    step,
)
from tests.writeback.ending import words
from tests.writeback.field import DONE, FieldAgent, link, sign_what_waits
from writeback.management.commands import drill as command
from writeback.models import Connector, Drill
from writeback.services.drills import CANARY_IS_PERSON, run_drills, set_canary


def by_sql(acme: Acme, statement: str, *values: Any) -> None:
    with acme.inside(), connection.cursor() as cursor:
        cursor.execute(statement, values)


CEO = str(uuid4())


NAMED_BY_HAND = "UPDATE writeback_connector SET canary = %s"


def test_an_account_that_was_named_by_hand_is_not_reset(
    drilled: Acme, connector: Connector, agent: FieldAgent, clock: Clock
) -> None:
    by_sql(drilled, NAMED_BY_HAND, CEO)
    assert run_drills(clock.now) == 0
    assert drills(drilled) == []
    assert reread(drilled, connector).drill_outcome == "canary"
    assert events(drilled) == [("failure", "canary")]
    assert "was named by nobody who may" in words(drilled, KIND)["email"].text


def test_an_account_that_became_a_persons_is_not_reset(
    drilled: Acme, connector: Connector, agent: FieldAgent, clock: Clock
) -> None:
    link(drilled, drilled.bob, connector, CANARY)
    assert run_drills(clock.now) == 0
    assert drills(drilled) == []
    assert reread(drilled, connector).drill_outcome == "canary"


def test_a_persons_account_cannot_be_named(
    drilled: Acme, connector: Connector, agent: FieldAgent
) -> None:
    link(drilled, drilled.bob, connector, CEO)
    with pytest.raises(Invalid, match=CANARY_IS_PERSON):
        name_canary(drilled, connector, CEO)
    name_canary(drilled, connector, "")
    assert reread(drilled, connector).canary_seal is None


FORGED: dict[str, tuple[str, Any]] = {
    "another account": (NAMED_BY_HAND, CEO),
    "another account in the job": ("UPDATE writeback_writebackjob SET anchor = %s", CEO),
    "a seal that is none": ("UPDATE writeback_connector SET canary_seal = %s", bytes(32)),
    "no seal": ("UPDATE writeback_connector SET canary_seal = %s", None),
    "another evidence": ("UPDATE writeback_writebackjob SET evidence = %s", bytes(32)),
    "another operation": ("UPDATE writeback_writebackjob SET operation = %s", "reset"),
    "another step": ("UPDATE writeback_writebackjob SET attempt = %s", 2),
    "must change": ("UPDATE writeback_writebackjob SET must_change = %s", True),
}


@pytest.mark.parametrize("forgery", FORGED)
def test_nothing_that_was_written_by_hand_is_signed(
    drilled: Acme, agent: FieldAgent, clock: Clock, forgery: str
) -> None:
    run_drills(clock.now)
    by_sql(drilled, *FORGED[forgery])
    sign_what_waits(clock.now)
    assert agent.take() is None


def test_a_job_without_its_drill_is_not_signed(
    drilled: Acme, agent: FieldAgent, clock: Clock
) -> None:
    run_drills(clock.now)
    by_sql(drilled, "DELETE FROM writeback_drill")
    sign_what_waits(clock.now)
    assert agent.take() is None
    assert drills(drilled) == []


def test_a_job_for_a_person_is_no_drill(drilled: Acme, agent: FieldAgent, clock: Clock) -> None:
    run_drills(clock.now)
    by_sql(drilled, "UPDATE writeback_writebackjob SET user_id = %s", drilled.bob.pk)
    sign_what_waits(clock.now)
    assert agent.take() is None


def test_a_drill_of_one_directory_is_no_ground_for_another(
    drilled: Acme, connector: Connector, agent: FieldAgent, clock: Clock
) -> None:
    run_drills(clock.now)
    with drilled.inside():
        other = Connector.objects.create(name="Branch", kind="active_directory")
        Drill.objects.update(connector=other)
    sign_what_waits(clock.now)
    assert agent.take() is None


def ask(monkeypatch: pytest.MonkeyPatch, clock: Clock, act: Any = None) -> str:
    """`manage.py drill acme "Head office"`; while it waits, `act` happens."""

    def wait(name: UUID, look: Any, seconds: float) -> Any:
        assert look() is None
        if act is not None:
            act()
        return look()

    monkeypatch.setattr(command, "wait_for", wait)
    out = StringIO()
    with clock.running():
        call_command("drill", "acme", "Head office", stdout=out)
    return out.getvalue()


def test_a_drill_on_demand_says_that_it_passed(
    drilled: Acme,
    agent: FieldAgent,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def act() -> None:
        step(agent, clock, DONE)
        step(agent, clock, RIGHT)

    assert ask(monkeypatch, clock, act) == "passed\n"


@pytest.mark.parametrize(("acts", "cause"), [(True, "unreachable"), (False, "no_answer")])
def test_a_drill_on_demand_says_why_it_failed(
    drilled: Acme,
    agent: FieldAgent,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    acts: bool,
    cause: str,
) -> None:
    def act() -> None:
        step(agent, clock, UNREACHABLE)

    with pytest.raises(CommandError, match=f"failed: {cause}") as caught:
        ask(monkeypatch, clock, act if acts else None)
    assert caught.value.returncode == 1


def test_a_drill_on_demand_need_not_be_waited_for(
    drilled: Acme, agent: FieldAgent, clock: Clock
) -> None:
    out = StringIO()
    with clock.running():
        call_command("drill", "acme", "Head office", "--no-wait", stdout=out)
        assert out.getvalue() == "started\n"
        with pytest.raises(CommandError, match="a drill is running"):
            call_command("drill", "acme", "Head office", "--no-wait")
    assert len(drills(drilled)) == 1


def test_a_drill_on_demand_says_what_is_missing(
    drilled: Acme, connector: Connector, agent: FieldAgent, clock: Clock, beta: Beta
) -> None:
    def refusal(*names: str) -> str:
        with clock.running(), pytest.raises(CommandError) as caught:
            call_command("drill", *names, "--no-wait")
        return str(caught.value)

    assert refusal("nobody", "Head office") == "there is no tenant nobody"
    assert refusal("beta", "Head office") == "there is no directory Head office"
    with drilled.inside():
        Connector.objects.update(enabled=False)
    assert refusal("acme", "Head office").startswith("not started: ")
    clock.shift(minutes=5)
    assert refusal("acme", "Head office") == "the directory can't be reached now: disconnected"
    name_canary(drilled, connector, "")
    assert refusal("acme", "Head office") == "this directory has no account for drills"


def test_the_seal_of_a_canary_is_of_this_tenant_and_directory(
    drilled: Acme, connector: Connector, beta: Beta
) -> None:
    seal = base64.b64encode(bytes(connector.canary_seal or b""))
    forget_keys()
    with tenant_context(beta.id):
        theirs = Connector(name="Head office", kind="active_directory", tenant_id=beta.id)
        set_canary(theirs, CANARY)
    assert base64.b64encode(bytes(theirs.canary_seal or b"")) != seal
    with drilled.inside():
        other = Connector(name="Branch", kind="active_directory", tenant_id=drilled.id)
        set_canary(other, CANARY)
    assert base64.b64encode(bytes(other.canary_seal or b"")) != seal
