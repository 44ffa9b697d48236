"""Signing in with a password that a directory keeps: the directory judges, nobody else."""

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import SignInLock, User
from tenants.context import find_current_tenant
from tenants.models import Counter, SharedCounter
from tests.accounts.signin.people import browser, sign_in, text_of
from tests.cast import PASSWORD, Acme
from tests.resets.visitor import Clock, trail
from tests.resets.walks import set_user
from tests.writeback.conftest import BOB_ANCHOR
from tests.writeback.duty import Duty, says
from tests.writeback.field import FieldAgent, link, make_connector
from writeback.models import Connector, DirectoryLink, JobEnvelope, WritebackJob
from writeback.protocol import NEEDS_NEW
from writeback.reports import Report
from writeback.services import enrolment, sign_ins
from writeback.services.outcome import forget_calls, sweep

TYPED = " Zwölf\u0308 Boxkämpfer \U0001f9ff "
UNAVAILABLE = "We can&#x27;t check your password right now. Try again in a few minutes."
UNREACHABLE = Report("failed", "unreachable", at=1)


def jobs(organisation: Acme) -> list[WritebackJob]:
    with organisation.inside():
        return list(WritebackJob.objects.order_by("created_at"))


def locks(organisation: Acme) -> list[tuple[int, int]]:
    with organisation.inside():
        return list(SignInLock.objects.values_list("failures", "locks"))


def failures_of_the_address(organisation: Acme) -> int:
    with organisation.inside():
        counted = [*Counter.objects.all(), *SharedCounter.objects.all()]
    return sum(row.count for row in counted if row.limit == "failed_sign_ins_by_address")


def bob(organisation: Acme) -> User:
    with organisation.inside():
        found: User = User.objects.get(pk=organisation.bob.pk)
        return found


def test_the_directory_is_asked_about_exactly_what_was_typed_and_its_yes_signs_in(
    passing: Acme, client: Client, duty: Duty
) -> None:
    duty.report = says("right")
    duty.before = lambda: seen.append(find_current_tenant())
    seen: list[object] = []

    answer = sign_in(client, passing.bob.user_id, TYPED)

    assert answer.status_code == 303
    assert client.get("/sign-in/sessions/").status_code == 200
    [held] = duty.asked
    assert (held.job.operation, held.job.anchor) == ("verify", BOB_ANCHOR)
    assert (held.passwords.old, held.passwords.new) == (TYPED, None)
    assert held.job.operation not in NEEDS_NEW
    assert seen == [None], "no tenant's transaction is open while it waits"
    [event] = trail(passing, type="user.signed_in")
    assert event.actor_label == passing.bob.user_id


def test_nothing_of_a_password_that_was_judged_elsewhere_is_kept(
    passing: Acme, client: Client, duty: Duty
) -> None:
    stored = bob(passing).password
    duty.report = says("right")

    sign_in(client, passing.bob.user_id, TYPED)

    assert bob(passing).password == stored
    with passing.inside():
        assert not JobEnvelope.objects.exists()
        assert not SignInLock.objects.exists()
    assert failures_of_the_address(passing) == 0


@pytest.mark.parametrize("answer", ["must_change", "expired"])
def test_whoever_has_to_change_the_password_comes_as_far_as_that_page(
    passing: Acme, client: Client, duty: Duty, answer: str
) -> None:
    duty.report = says(answer)

    signed = sign_in(client, passing.bob.user_id, TYPED, next="/security-info/")

    assert signed.headers["Location"] == "/change-password/?next=%2Fsecurity-info%2F"
    for path in ("/security-info/", "/security-info/add/email/"):
        assert client.get(path).headers["Location"].startswith("/change-password/?next=")
    assert client.get("/change-password/").status_code == 200


def test_what_was_changed_at_a_computer_is_not_asked_for_again(
    passing: Acme, client: Client, duty: Duty
) -> None:
    duty.report = says("must_change")
    sign_in(client, passing.bob.user_id, TYPED)
    duty.report = says("right")

    sign_in(browser(passing), passing.bob.user_id, f"{TYPED} 2")

    assert not bob(passing).must_change_password


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (says("wrong"), "wrong user ID or password"),
        (says("locked"), "the directory: locked"),
        (says("disabled"), "the directory: disabled"),
        (says("account_expired"), "the directory: account expired"),
        (says("not_now"), "the directory: not now"),
        (says("not_here"), "the directory: not here"),
        (says("refused"), "the directory: refused"),
        (Report("failed", "person_missing", at=1), "the directory: person missing"),
        (Report("failed", "protected", at=1), "the directory: protected"),
    ],
)
def test_every_other_answer_is_the_page_of_a_wrong_password_and_the_trail_has_the_cause(
    passing: Acme, client: Client, duty: Duty, report: Report, reason: str
) -> None:
    usual = sign_in(client, "nobody@acme.example", TYPED)
    duty.report = report

    answer = sign_in(client, passing.bob.user_id, TYPED)

    expected = told(usual).replace("nobody@acme.example", passing.bob.user_id)
    assert (answer.status_code, told(answer)) == (200, expected)
    [event] = trail(passing, type="user.sign_in_failed", target_id=passing.bob.pk)
    assert event.reason == reason
    assert client.get("/sign-in/sessions/").status_code == 302
    assert (1, 0) in locks(passing)


def told(answer: Any) -> str:
    """The page without what is random in each."""
    lines = text_of(answer).splitlines()
    return "\n".join(line for line in lines if "csrf" not in line and "challenge" not in line)


@pytest.mark.parametrize(
    "report",
    [
        UNREACHABLE,
        Report("failed", "busy", at=1),
        Report("failed", "key_mismatch", at=1),
        Report("unknown", "no_answer", at=1),
        None,
    ],
)
def test_without_an_answer_nobody_is_let_in_and_nothing_is_counted(
    passing: Acme, client: Client, duty: Duty, report: Report | None
) -> None:
    duty.report = report

    answer = sign_in(client, passing.bob.user_id, PASSWORD)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "120")
    assert UNAVAILABLE in text_of(answer)
    assert client.get("/sign-in/sessions/").status_code == 302
    assert locks(passing) == [(0, 0)]
    assert failures_of_the_address(passing) == 0
    assert trail(passing, type="user.sign_in_failed") == []
    [event] = trail(passing, type="user.sign_in_unanswered")
    assert event.target_label == passing.bob.user_id
    assert event.reason.startswith("the directory did not answer: ")


def test_what_nobody_took_in_time_is_withdrawn_and_never_tried_later(
    passing: Acme, client: Client, duty: Duty, agent: FieldAgent
) -> None:
    sign_in(client, passing.bob.user_id, TYPED)

    assert agent.take() is None
    [job] = jobs(passing)
    assert (job.state, job.outcome, job.cause) == ("done", "failed", "withdrawn")
    with passing.inside():
        assert not JobEnvelope.objects.exists()


def test_what_an_agent_holds_is_left_to_it_and_its_answer_opens_nothing_later(
    passing: Acme, client: Client, duty: Duty, agent: FieldAgent
) -> None:
    held = []
    look = duty.wait_for

    def takes(name: Any, found: Any, seconds: float) -> Any:
        nothing = look(name, found, seconds)
        held.append(agent.take())
        return nothing

    with patch.object(sign_ins, "wait_for", takes):
        assert sign_in(client, passing.bob.user_id, TYPED).status_code == 503

    assert held[0] is not None
    assert agent.report(held[0], says("right")).status == 200
    assert client.get("/sign-in/sessions/").status_code == 302


def test_an_answer_of_the_last_moment_counts(passing: Acme, client: Client, duty: Duty) -> None:
    duty.report = says("right")

    def hears_nothing(name: Any, look: Any, seconds: float) -> None:
        duty.wait_for(name, look, seconds)

    with patch.object(sign_ins, "wait_for", hears_nothing):
        assert sign_in(client, passing.bob.user_id, TYPED).status_code == 303


def test_an_agent_that_is_revoked_in_the_middle_answers_nothing(
    passing: Acme, client: Client, duty: Duty, agent: FieldAgent
) -> None:
    from uuid import UUID

    from tests.writeback.field import ADMIN

    def revoke() -> None:
        with passing.inside():
            enrolment.revoke(UUID(agent.id), ADMIN, timezone.now())

    duty.before = revoke

    assert sign_in(client, passing.bob.user_id, TYPED).status_code == 503
    assert agent.call("jobs/next", {"wait": 0}).body == {"error": "revoked"}
    assert locks(passing) == [(0, 0)]


def test_a_directory_that_is_not_heard_of_is_not_waited_for(
    passing: Acme, client: Client, duty: Duty, clock: Clock
) -> None:
    clock.shift(seconds=76)
    with clock.running():
        assert sign_in(client, passing.bob.user_id, PASSWORD).status_code == 503

    assert (duty.waits, jobs(passing)) == (0, [])
    [event] = trail(passing, type="user.sign_in_unanswered")
    assert event.reason == "the directory did not answer: disconnected"


def test_switching_writing_off_does_not_keep_people_from_signing_in(
    passing: Acme, client: Client, duty: Duty, connector: Connector
) -> None:
    with passing.inside():
        Connector.objects.update(enabled=False)
        passing.policy.writeback = False
        passing.policy.save()
    duty.report = says("right")

    assert sign_in(client, passing.bob.user_id, TYPED).status_code == 303


@pytest.mark.parametrize("how", ["no link", "a link by hand"])
def test_somebody_whom_no_directory_knows_gets_the_usual_answer(
    passing: Acme, client: Client, duty: Duty, how: str
) -> None:
    with passing.inside():
        if how == "no link":
            DirectoryLink.objects.all().delete()
        else:
            DirectoryLink.objects.update(anchor="somebody else's")

    assert sign_in(client, passing.bob.user_id, PASSWORD).status_code == 200

    assert duty.waits == 0
    [event] = trail(passing, type="user.sign_in_failed")
    assert event.reason == "the directory: no account linked"
    assert locks(passing) == [(1, 0)]


def test_the_directory_that_came_first_is_the_one_that_is_asked(
    passing: Acme, client: Client, duty: Duty, clock: Clock
) -> None:
    branch = make_connector(passing, "Branch")
    link(passing, passing.bob, branch, "uid=bob")
    with passing.inside():
        Connector.objects.filter(pk=branch.pk).update(created_at=timezone.now() + timedelta(days=9))
    duty.report = says("right")

    assert sign_in(client, passing.bob.user_id, TYPED).status_code == 303
    assert [job.anchor for job in jobs(passing)] == [BOB_ANCHOR]


@pytest.mark.parametrize("state", [{"is_active": False}, {"frozen_at": timezone.now()}])
def test_nobody_is_asked_about_somebody_who_may_not_sign_in(
    passing: Acme, client: Client, duty: Duty, state: dict[str, Any]
) -> None:
    set_user(passing, passing.bob, **state)

    assert sign_in(client, passing.bob.user_id, TYPED).status_code == 200
    assert duty.waits == 0


def test_a_password_longer_than_any_is_wrong_without_asking(
    passing: Acme, client: Client, duty: Duty
) -> None:
    assert sign_in(client, passing.bob.user_id, "x" * 300).status_code == 200
    assert duty.waits == 0


@pytest.mark.parametrize(("source", "status"), [("password_hash_sync", 303), ("federated", 200)])
def test_people_whose_password_is_not_passed_through_are_treated_as_before(
    passing: Acme, client: Client, duty: Duty, source: str, status: int
) -> None:
    set_user(passing, passing.bob, source=source)

    assert sign_in(client, passing.bob.user_id, PASSWORD).status_code == status
    assert duty.waits == 0


def test_signing_in_with_a_password_of_the_cloud_asks_no_directory_for_anything(
    passing: Acme, client: Client, duty: Duty
) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert sign_in(client, passing.alice.user_id).status_code == 303

    assert duty.waits == 0
    assert not any("writeback_" in query["sql"] for query in queries)


def test_jobs_that_only_asked_are_gone_after_a_day(
    passing: Acme, client: Client, duty: Duty, clock: Clock
) -> None:
    duty.report = says("wrong")
    sign_in(client, passing.bob.user_id, TYPED)
    [asked] = jobs(passing)
    with passing.inside():
        for purpose, state in (("reset", "done"), ("describe", "done"), ("sign_in", "taken")):
            WritebackJob.objects.create(
                connector=asked.connector,
                user=passing.bob,
                anchor=BOB_ANCHOR,
                purpose=purpose,
                operation="describe",
                origin=asked.pk,
                attempt=len(jobs(passing)),
                sequence=1,
                evidence=bytes(32),
                state=state,
                created_at=asked.created_at,
                expires_at=asked.expires_at,
            )

    forget_calls(clock.now + timedelta(hours=23))
    assert len(jobs(passing)) == 4
    forget_calls(clock.now + timedelta(hours=25))

    assert {(job.purpose, job.state) for job in jobs(passing)} == {
        ("reset", "done"),
        ("sign_in", "taken"),
    }
    assert sweep(clock.now) == 0
