"""A reset that a directory carries out: what the person sees, and what is true."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from accounts.models import User
from tests.cast import NEW_PASSWORD, Acme
from tests.resets.conftest import Post
from tests.resets.directory.chooser import come_back, send
from tests.resets.visitor import Clock, Page, Visitor, get_flow_row, trail, types
from tests.resets.walks import (
    ask_for_mail,
    newest_code,
    pass_app,
    pass_email,
    set_policy,
    set_user,
)
from tests.writeback.field import (
    DONE,
    RULES_REFUSE,
    FieldAgent,
    link,
    make_agent,
    make_connector,
    sign_what_waits,
)
from writeback.models import DirectoryLink, JobEnvelope, WritebackJob
from writeback.reports import Report
from writeback.services.outcome import sweep

FAILED = Report("failed", "unreachable", at=1)


def jobs_of(organisation: Acme, visitor: Visitor) -> list[WritebackJob]:
    with organisation.inside():
        rows = WritebackJob.objects.filter(origin=visitor.flow)
        return list(rows.order_by("attempt"))


def test_the_directory_gets_the_password_exactly_and_the_person_is_told_when_it_has_it(
    hybrid: Acme, chooser: Visitor, agent: FieldAgent, clock: Clock
) -> None:
    strange = " Zwölf\u0308 Boxkämpfer \U0001f9ff "
    assert send(chooser, clock, strange).state == "writing"
    held = agent.take()
    assert held is not None
    assert held.passwords.new == strange
    assert (held.job.operation, held.job.tenant) == ("reset_and_unlock", hybrid.id)
    assert come_back(chooser).state == "writing"
    assert agent.report(held, DONE).status == 200
    page = come_back(chooser)
    assert page.state == "done"
    assert "Use your new password from now on." in page.text


def test_success_ends_sessions_and_tells_the_person_as_in_the_cloud(
    hybrid: Acme, chooser: Visitor, agent: FieldAgent, post: Post, clock: Clock
) -> None:
    before = hybrid.bob.session_epoch
    stored = hybrid.bob.password
    send(chooser, clock)
    agent.do(DONE)
    with hybrid.inside():
        hybrid.bob.refresh_from_db()
    assert hybrid.bob.session_epoch == before + 1
    assert hybrid.bob.password == stored, "the cloud keeps no copy of a directory's password"
    assert "password_changed" in {message["kind"] for message in post()}
    found = types(trail(hybrid, reference=chooser.shown.reference))
    assert {"writeback.started", "writeback.finished", "password.reset"} <= set(found)


def test_nothing_of_the_password_is_left_when_it_is_over(
    hybrid: Acme, chooser: Visitor, agent: FieldAgent, clock: Clock
) -> None:
    send(chooser, clock)
    with hybrid.inside():
        assert JobEnvelope.objects.count() == 1
    agent.do(DONE)
    with hybrid.inside():
        assert JobEnvelope.objects.count() == 0


def test_the_directorys_own_rules_are_shown_before_a_password_is_typed(chooser: Visitor) -> None:
    text = come_back(chooser).text
    assert "Use 10 characters or more" in text
    assert "differs from your last 5 passwords" in text


def test_a_refused_password_leads_back_to_choosing_with_the_reason_and_no_new_proof(
    hybrid: Acme, chooser: Visitor, agent: FieldAgent, clock: Clock
) -> None:
    send(chooser, clock)
    agent.do(RULES_REFUSE)
    page = come_back(chooser)
    assert page.state == "choosing"
    assert "does not accept this password" in page.text
    assert send(chooser, clock, f"{NEW_PASSWORD} 2").state == "writing"
    held = agent.do(DONE)
    assert held.passwords.new == f"{NEW_PASSWORD} 2"
    assert come_back(chooser).state == "done"
    assert [job.attempt for job in jobs_of(hybrid, chooser)] == [1, 2]


def test_five_refused_passwords_are_enough(
    hybrid: Acme, chooser: Visitor, agent: FieldAgent, clock: Clock
) -> None:
    for _ in range(5):
        send(chooser, clock)
        agent.do(RULES_REFUSE)
        come_back(chooser)
    page = come_back(chooser)
    assert page.state == "failed"
    assert "accepted none of these passwords" in page.text
    assert len(jobs_of(hybrid, chooser)) == 5


@pytest.mark.parametrize("end", ["reported", "withdrawn"])
def test_a_directory_that_was_never_reached_changed_nothing_and_is_tried_again(
    hybrid: Acme, chooser: Visitor, agent: FieldAgent, clock: Clock, end: str
) -> None:
    send(chooser, clock)
    if end == "reported":
        agent.do(FAILED)
    else:
        clock.shift(seconds=16)
        assert sweep(clock.now) == 1
        assert agent.take() is None, "a withdrawn job is nobody's any more"
    page = come_back(chooser)
    assert page.state == "choosing"
    assert "Nothing was changed" in page.text
    send(chooser, clock)
    agent.do(DONE)
    assert come_back(chooser).state == "done"


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        ("protected", "This account is protected"),
        ("person_disabled", "disabled in your organisation"),
        ("account_ended", "expired in your organisation"),
        ("no_right_to_reset", "can&#x27;t be changed here"),
        ("held", "Too many passwords are being changed"),
        ("signature_invalid", "did not make the change"),
    ],
)
def test_a_refusal_that_another_try_would_not_mend_ends_in_its_own_words(
    hybrid: Acme, chooser: Visitor, agent: FieldAgent, clock: Clock, cause: str, words: str
) -> None:
    send(chooser, clock)
    known = "bad_signature" if cause == "signature_invalid" else cause
    agent.do(Report("failed", known, at=1))
    page = come_back(chooser)
    assert page.state == "failed"
    assert words in page.text


def test_a_change_without_the_unlock_is_told_as_just_that(
    hybrid: Acme, chooser: Visitor, agent: FieldAgent, clock: Clock
) -> None:
    send(chooser, clock)
    agent.do(Report("succeeded", "no_right_to_unlock", changed=True, unlocked=False, at=1))
    page = come_back(chooser)
    assert page.state == "done"
    assert "still locked" in page.text


def test_two_directories_get_the_password_and_each_has_its_own_outcome(
    hybrid: Acme, chooser: Visitor, agent: FieldAgent, clock: Clock
) -> None:
    branch = make_connector(hybrid, "Branch")
    link(hybrid, hybrid.bob, branch, "uid=bob")
    other = make_agent(hybrid, branch, clock)
    send(chooser, clock)
    agent.do(DONE)
    assert come_back(chooser).state == "writing"
    other.do(Report("failed", "no_right_to_reset", at=1))
    page = come_back(chooser)
    assert page.state == "done"
    assert "Head office: done" in page.text
    assert "Branch: not changed" in page.text


def test_a_gate_that_was_lost_is_passed_again_though_the_directory_never_told_its_rules(
    hybrid: Acme, visitor: Visitor, agent: FieldAgent, post: Post, clock: Clock
) -> None:
    set_policy(hybrid, methods_required=1)
    visitor.start(hybrid.bob.user_id)
    ask_for_mail(visitor)
    assert visitor.fill(code=newest_code(post)).state == "choosing"
    set_user(hybrid, hybrid.bob, roles=["user_administrator"])
    assert visitor.fill(new_password=NEW_PASSWORD).state == "proving"
    assert pass_app(visitor, hybrid.bob).state == "choosing"
    with hybrid.inside():
        assert WritebackJob.objects.filter(purpose="describe").count() == 2
    send(visitor, clock)
    held = agent.take()
    while held is not None and held.job.operation == "describe":
        held = agent.take()
    assert held is not None
    agent.report(held, DONE)
    assert come_back(visitor).state == "done"


class TestTheChoice:
    @pytest.fixture
    def locked_out(
        self, hybrid: Acme, visitor: Visitor, agent: FieldAgent, post: Post, clock: Clock
    ) -> Visitor:
        set_policy(hybrid, unlock_without_reset=True)
        with hybrid.inside():
            DirectoryLink.objects.update(described_at=clock.now + timedelta(days=1))
        visitor.start(hybrid.bob.user_id)
        pass_app(visitor, hybrid.bob)
        page = pass_email(visitor, post)
        assert page.state == "proved"
        return visitor

    def test_an_unlock_changes_no_password_and_signs_nobody_out(
        self, hybrid: Acme, locked_out: Visitor, agent: FieldAgent, clock: Clock
    ) -> None:
        before = hybrid.bob.session_epoch
        assert locked_out.fill(operation="unlock").state == "writing"
        sign_what_waits(clock.now)
        held = agent.do(Report("succeeded", unlocked=True, at=1))
        assert (held.job.operation, held.passwords.new) == ("unlock", None)
        page = come_back(locked_out)
        assert page.state == "done"
        assert "Your account is unlocked" in page.text
        with hybrid.inside():
            hybrid.bob.refresh_from_db()
        assert hybrid.bob.session_epoch == before

    def test_an_unlock_that_reached_nobody_asks_again(
        self, hybrid: Acme, locked_out: Visitor, agent: FieldAgent, clock: Clock
    ) -> None:
        locked_out.fill(operation="unlock")
        sign_what_waits(clock.now)
        agent.do(FAILED)
        page = come_back(locked_out)
        assert page.state == "proved"
        assert "Nothing was changed" in page.text

    def test_a_new_password_may_be_chosen_instead(
        self, hybrid: Acme, locked_out: Visitor, agent: FieldAgent, clock: Clock
    ) -> None:
        assert locked_out.fill(operation="reset").state == "choosing"
        send(locked_out, clock)
        assert agent.do(DONE).job.operation == "reset_and_unlock"
        assert come_back(locked_out).state == "done"

    @pytest.mark.parametrize("operation", ["", "change", "verify"])
    def test_nothing_else_is_taken(self, locked_out: Visitor, operation: str) -> None:
        page = locked_out.fill(operation=operation)
        assert page.state == "proved"
        assert "Choose one of the two" in page.text


class TestBeforeAnythingIsSent:
    """The directory is asked for before a code is sent: nobody proves anything in vain."""

    def start(self, visitor: Visitor, user: User) -> Page:
        return visitor.start(user.user_id)

    def reason(self, organisation: Acme, flow: UUID) -> str:
        return get_flow_row(organisation, flow).reason

    def test_an_agent_that_is_not_heard_of_means_try_later(
        self, hybrid: Acme, visitor: Visitor, post: Post, clock: Clock
    ) -> None:
        clock.shift(seconds=76)
        assert self.start(visitor, hybrid.bob).state == "refused"
        assert self.reason(hybrid, visitor.flow) == "SSPR_0030"
        assert post() == []

    @pytest.mark.parametrize(
        ("directory", "trouble", "reason"),
        [
            ("unreachable", "unreachable", "SSPR_0030"),
            ("misconfigured", "account", "SSPR_0029"),
            ("misconfigured", "untrusted", "SSPR_0029"),
        ],
    )
    def test_what_the_agent_says_of_the_directory_counts(
        self,
        hybrid: Acme,
        visitor: Visitor,
        agent: FieldAgent,
        directory: str,
        trouble: str,
        reason: str,
    ) -> None:
        agent.beat(directory={"state": directory, "trouble": trouble})
        assert self.start(visitor, hybrid.bob).state == "refused"
        assert self.reason(hybrid, visitor.flow) == reason

    def test_writeback_that_is_switched_off_comes_back_without_enrolling(
        self, hybrid: Acme, visitor: Visitor, connector: Any
    ) -> None:
        def switch(*, on: bool) -> None:
            with hybrid.inside():
                connector.enabled = on
                connector.save(update_fields=["enabled"])

        switch(on=False)
        assert self.start(visitor, hybrid.bob).state == "refused"
        assert self.reason(hybrid, visitor.flow) == "SSPR_0029"
        switch(on=True)
        assert self.start(visitor, hybrid.bob).state == "proving"

    def test_somebody_whose_account_is_not_known_needs_an_administrator(
        self, hybrid: Acme, visitor: Visitor
    ) -> None:
        with hybrid.inside():
            DirectoryLink.objects.all().delete()
        assert self.start(visitor, hybrid.bob).state == "refused"
        assert self.reason(hybrid, visitor.flow) == "SSPR_0029"
