"""The account that is kept for it is reset every day as a person's would be; who hears when not."""

import base64
import string
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tenants.context import tenant_context
from tenants.invalid import Invalid
from tenants.keys import forget_keys
from tenants.models import AuditEvent
from tests.cast import Acme, Beta
from tests.resets.visitor import Clock
from tests.writeback.ending import told, wake, words
from tests.writeback.field import DONE, LOST, FieldAgent, Held, link, sign_what_waits
from writeback.management.commands import drill as command
from writeback.models import Connector, Drill, JobEnvelope, WritebackJob
from writeback.reports import Report
from writeback.services.drills import CANARY_IS_PERSON, run_drills, set_canary
from writeback.services.outcome import sweep

CANARY = "0b0f1c5e-0d5e-4a0e-9d7f-2f1c7d0c1b02"
RIGHT = Report("succeeded", answer="right", controller="dc1", at=1)
KIND = "drill_failed"


@pytest.fixture
def drilled(acme: Acme, connector: Connector, agent: FieldAgent) -> Acme:
    """Head office has an account for drills."""
    name_canary(acme, connector, CANARY)
    return acme


def name_canary(acme: Acme, connector: Connector, anchor: str) -> None:
    with acme.inside():
        set_canary(connector, anchor)
        connector.save()


def reread(acme: Acme, connector: Connector) -> Connector:
    with acme.inside():
        found: Connector = Connector.objects.get(pk=connector.pk)
        return found


def drills(acme: Acme) -> list[Drill]:
    with acme.inside():
        return list(Drill.objects.all())


def step(agent: FieldAgent, clock: Clock, report: Report) -> Held:
    """The signer signs, and the agent does the next job with this result."""
    sign_what_waits(clock.now)
    return agent.do(report)


def whole(agent: FieldAgent, clock: Clock, *reports: Report) -> None:
    """A drill from its start, with these results of its jobs."""
    assert run_drills(clock.now) == 1
    for report in reports:
        step(agent, clock, report)


def next_day(agent: FieldAgent, clock: Clock) -> None:
    clock.shift(hours=24)
    wake(agent)


def events(acme: Acme) -> list[tuple[str, str]]:
    with acme.inside():
        rows = AuditEvent.objects.filter(type="writeback.drilled").order_by("created_at")
        return [(row.result, row.data["outcome"]) for row in rows]


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


UNREACHABLE = Report("failed", "unreachable", at=1)


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
