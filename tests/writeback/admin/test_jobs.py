"""The list of jobs, and how what became of them reads in a journey."""

from dataclasses import replace
from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest

from tenants.admin.trail import details
from tenants.audit import Event, Party, record_many
from tenants.models import AuditEvent
from tenants.reference import new_reference
from tests.cast import Acme
from tests.resets.visitor import Clock
from tests.tenants.admin.cast import journey
from tests.writeback.admin.desk import ClockDesk, colleague
from tests.writeback.field import (
    DONE,
    RULES_REFUSE,
    FieldAgent,
    make_agent,
    make_connector,
    sign_what_waits,
)
from writeback.models import Connector, WritebackJob
from writeback.services.links import look_again

pytestmark = pytest.mark.django_db
LIST = "writeback/writebackjob/"
REFERENCE = new_reference(lambda alphabet: alphabet[17])


def make_job(acme: Acme, connector: Connector, clock: Clock, **fields: object) -> WritebackJob:
    values: dict[str, object] = {
        "connector": connector,
        "user": acme.bob,
        "anchor": "of-bob",
        "purpose": "reset",
        "operation": "reset_and_unlock",
        "origin": uuid4(),
        "sequence": 1,
        "evidence": b"\xe5" * 32,
        "state": "done",
        "outcome": "succeeded",
        "created_at": clock.now,
        "expires_at": clock.now,
        **fields,
    }
    with acme.inside():
        job: WritebackJob = WritebackJob.objects.create(**values)
        return job


def test_the_list_says_what_was_asked_of_whom_and_what_became_of_it(
    acme: Acme, desk: ClockDesk, connector: Connector, clock: Clock
) -> None:
    make_job(acme, connector, clock)
    make_job(acme, connector, clock, outcome="failed", cause="busy", operation="unlock")
    make_job(acme, connector, clock, state="taken", outcome="", user=None)
    text = unescape(desk.read(LIST))
    for expected in (
        "Head office",
        acme.bob.user_id,
        "set a password and unlock",
        "not done: the directory was busy",
        "an agent is at it",
    ):
        assert expected in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"a", "b", "c"}),
        ("?state=ready", {"c"}),
        ("?outcome=failed", {"b"}),
        ("?purpose=sign_in", {"b"}),
        ("?days=1", {"a", "c"}),
        ("?state=nothing", set()),
        (f"?q={REFERENCE.lower()}", {"a"}),
        ("?q=alice@acme.example", {"b"}),
        ("?q=alice", {"b"}),
        ("?q=nobody@acme.example", set()),
        ("?q=K7M4", set()),
    ],
)
def test_jobs_are_found_by_what_they_are_and_by_whom_they_are_about(
    acme: Acme, desk: ClockDesk, connector: Connector, clock: Clock, query: str, found: set[str]
) -> None:
    old = clock.now - timedelta(days=2)
    jobs = {
        "a": make_job(acme, connector, clock, reference=REFERENCE),
        "b": make_job(
            acme,
            connector,
            clock,
            user=acme.alice,
            outcome="failed",
            purpose="sign_in",
            created_at=old,
        ),
        "c": make_job(acme, connector, clock, state="ready", outcome=""),
    }
    text = desk.read(LIST + query)
    assert {name for name, job in jobs.items() if f"{LIST}{job.pk}/" in text} == found


def test_long_lists_are_turned_page_by_page_and_every_job_stands_on_one(
    acme: Acme, desk: ClockDesk, connector: Connector, clock: Clock
) -> None:
    jobs = [
        make_job(acme, connector, clock, created_at=clock.now - timedelta(minutes=n))
        for n in range(101)
    ]
    first, last = desk.read(LIST), desk.read(f"{LIST}?before=end")
    assert [str(job.pk) in first for job in jobs] == [True] * 100 + [False]
    assert str(jobs[-1].pk) in last
    with desk.clock.running():
        assert desk.client.get(f"/admin/{LIST}?after=x").status_code == 400


def test_a_job_shows_everything_but_what_it_carries(
    acme: Acme, hybrid: Acme, desk: ClockDesk, agent: FieldAgent, clock: Clock
) -> None:
    desk.send(f"accounts/user/{acme.bob.pk}/reset/", reason="called")
    sign_what_waits(clock.now)
    held = agent.do(DONE)
    with acme.inside():
        [job] = WritebackJob.objects.all()
    text = desk.read(f"{LIST}{job.pk}/change/")
    for expected in ("dc-proxy", "dc1", "reset by an administrator", "writeback/directoryorder/"):
        assert expected in text
    assert held.passwords.new is not None
    for secret in (held.passwords.new, bytes(job.evidence).hex(), "sealed", "envelope"):
        assert secret not in text
    for key in ("delete/", "history/"):
        assert desk.get(f"{LIST}{job.pk}/{key}").status_code in {302, 404}
    assert desk.post(f"{LIST}{job.pk}/change/", {"outcome": "failed"}).status_code == 403
    assert desk.get(f"{LIST}add/").status_code == 403


def test_a_job_of_a_journey_leads_there_and_one_of_a_lost_order_nowhere(
    acme: Acme, desk: ClockDesk, connector: Connector, clock: Clock
) -> None:
    of_journey = make_job(acme, connector, clock, reference=REFERENCE)
    lost = make_job(acme, connector, clock, purpose="order")
    assert f"resets/flow/reference/{REFERENCE}/" in desk.read(f"{LIST}{of_journey.pk}/change/")
    assert "directoryorder" not in desk.read(f"{LIST}{lost.pk}/change/").partition("<dl")[2]


def test_the_list_is_for_everybody_who_may_look(
    acme: Acme, connector: Connector, clock: Clock
) -> None:
    job = make_job(acme, connector, clock)
    assert str(job.pk) in colleague(acme, clock, "security_reader").read(LIST)


def test_what_became_of_jobs_reads_in_words_in_the_timeline(
    acme: Acme, desk: ClockDesk, clock: Clock
) -> None:
    with acme.inside():
        flow = journey(acme.bob)
        base = Event(
            event_type="writeback.started",
            actor=Party("system", None, "writeback"),
            correlation_id=flow.pk,
            reference=flow.reference,
            now=clock.now,
        )

        def event(name: str, **data: object) -> Event:
            return replace(base, event_type=f"writeback.{name}", data=data, reason="x")

        ended = {"connector": "Head office", "outcome": "succeeded", "cause": ""}
        told = [
            event("started", operation="unlock", connectors=1),
            event("started", operation="reset_and_unlock", connectors=2),
            event("ordered", operation="reset_and_unlock", connectors=1),
            event("rejected", reason="password_rules"),
            event("failed", reason=""),
            event("lost"),
            event("taken_over"),
            event("finished", **ended),
            event("finished", **ended, reconciled=True, unlocked=False),
            event("finished", connector="Branch", outcome="failed", cause="protected"),
            event("not_signed", cause="seal"),
            event("not_signed", cause="of tomorrow"),
        ]
        record_many(told)
    text = unescape(desk.read(f"resets/flow/{flow.pk}/change/"))
    for expected in (
        "1 directory was asked to unlock",
        "2 directories were asked to set a password and unlock",
        "1 directory was asked to set a password and unlock by an administrator: x",
        "Back to choosing a password: the directory's rules refuse the password",
        "The directory did not do it: no cause is known",
        "The directory's answer got lost: not confirmed yet",
        "Another agent took the job over",
        "Head office: done<",
        "Head office: done, as was found out afterwards, but the account is still locked",
        "Branch: not done: the person is protected in the directory",
        "The signer refused the job: its envelope was not made by this installation",
        "The signer refused the job: of tomorrow",
    ):
        assert expected in text, expected


def test_the_timeline_of_a_real_refusal_names_the_directory_and_the_cause(
    acme: Acme, hybrid: Acme, desk: ClockDesk, agent: FieldAgent, clock: Clock
) -> None:
    desk.send(f"accounts/user/{acme.bob.pk}/reset/", reason="called")
    sign_what_waits(clock.now)
    agent.do(RULES_REFUSE)
    with acme.inside():
        finished = AuditEvent.objects.get(type="writeback.finished")
        assert "cause: password_rules" in details(finished.data)
    text = unescape(desk.read(f"tenants/auditevent/{finished.pk}/change/"))
    assert "Head office: not done: the directory's rules refuse the password" in text
    assert "set a password and unlock by an administrator: called" in text


def test_two_directories_of_one_tenant_have_their_own_newest_jobs(
    acme: Acme, hybrid: Acme, desk: ClockDesk, connector: Connector, signer: None, clock: Clock
) -> None:
    branch = make_connector(acme, "Branch")
    make_agent(acme, branch, clock)
    with acme.inside():
        look_again(acme.bob, clock.now)
    page = "writeback/connector/{}/change/"
    assert "look at the rules" in desk.read(page.format(connector.pk))
    assert "look at the rules" not in desk.read(page.format(branch.pk))
