"""A reset that an administrator orders: nobody chooses the password, one session sees it once."""

from html import unescape

import pytest

from accounts.models import Session
from resets.models import Flow
from tests.cast import Acme
from tests.resets.visitor import Clock
from tests.tenants.admin.cast import journey
from tests.writeback.admin.desk import ClockDesk, colleague, events
from tests.writeback.admin.ordering import PASSWORD, epoch, order, show, shown_in, told
from tests.writeback.conftest import BOB_ANCHOR
from tests.writeback.field import (
    DONE,
    LOST,
    RULES_REFUSE,
    FieldAgent,
    link,
    make_agent,
    make_connector,
    sign_what_waits,
)
from writeback.connectors.base import DirectoryRules
from writeback.models import DirectoryOrder
from writeback.reports import Report, rules_written
from writeback.services.ordering import forget_passwords
from writeback.services.outcome import sweep


def test_from_the_order_to_the_password(
    acme: Acme, hybrid: Acme, desk: ClockDesk, agent: FieldAgent, clock: Clock
) -> None:
    before = epoch(acme)
    address = order(desk, acme.bob)
    waiting = desk.get(address)
    assert waiting.headers["Refresh"] == "3"
    assert "The directory is asked." in waiting.content.decode()
    assert "Show the temporary password" not in waiting.content.decode()

    assert sign_what_waits(clock.now) == 1
    held = agent.take()
    assert held is not None
    assert (held.job.operation, held.job.must_change) == ("reset_and_unlock", True)
    assert held.job.anchor == BOB_ANCHOR
    agent.report(held, DONE)

    known = desk.get(address)
    assert "Refresh" not in known.headers
    text = known.content.decode()
    assert "The directory has the temporary password." in text
    assert PASSWORD.search(text) is None
    assert shown_in(show(desk, address)) == held.passwords.new

    assert epoch(acme) == before + 1
    assert told(acme) == 1
    [event] = events(acme, "writeback.ordered")
    assert event.data == {"operation": "reset_and_unlock", "connectors": 1}
    assert (event.actor_label, event.target_label) == (acme.carol.user_id, acme.bob.user_id)
    assert event.reason == "called, known by voice"
    assert [e.target_label for e in events(acme, "writeback.password_shown")] == [acme.bob.user_id]


@pytest.fixture
def done(acme: Acme, hybrid: Acme, desk: ClockDesk, agent: FieldAgent, clock: Clock) -> str:
    """The page of an order that the directory carried out."""
    address = order(desk, acme.bob)
    sign_what_waits(clock.now)
    agent.do(DONE)
    return address


class TestShowing:
    def test_happens_once(self, acme: Acme, desk: ClockDesk, done: str) -> None:
        shown_in(show(desk, done))
        assert desk.get(done.replace("change/", "show/")).status_code == 404
        assert desk.post(done.replace("change/", "show/"), {}).status_code == 404
        with acme.inside():
            [row] = DirectoryOrder.objects.all()
        assert row.sealed is None
        assert len(events(acme, "writeback.password_shown")) == 1

    def test_needs_the_button(self, desk: ClockDesk, done: str) -> None:
        for _ in range(2):
            assert PASSWORD.search(desk.read(done.replace("change/", "show/"))) is None
        shown_in(show(desk, done))

    def test_is_for_the_session_that_ordered_alone(
        self, acme: Acme, desk: ClockDesk, done: str, clock: Clock
    ) -> None:
        others = (
            ClockDesk(acme, acme.carol, clock),
            colleague(acme, clock, "global_administrator"),
            colleague(acme, clock, "helpdesk_administrator"),
        )
        for other in others:
            assert "Show the temporary password" not in other.read(done)
            assert other.get(done.replace("change/", "show/")).status_code == 403
            assert other.post(done.replace("change/", "show/"), {}).status_code == 403
        shown_in(show(desk, done))

    def test_does_not_follow_a_row_that_was_turned_to_another_session(
        self, acme: Acme, desk: ClockDesk, done: str, clock: Clock
    ) -> None:
        """Whoever writes to the database alone still can't open what is sealed."""
        other = ClockDesk(acme, acme.carol, clock)
        with acme.inside():
            session = Session.objects.filter(user=acme.carol).order_by("-created_at", "pk")
            hashes = {bytes(row.key_hash) for row in session}
            [row] = DirectoryOrder.objects.all()
            [foreign] = hashes - {bytes(row.session)}
            DirectoryOrder.objects.update(session=foreign)
        text = show(other, done)
        assert PASSWORD.search(text) is None
        assert "was shown already" in text

    @pytest.mark.parametrize(("seconds", "status"), [(599, 200), (600, 404)])
    def test_ends_after_ten_minutes(
        self, desk: ClockDesk, done: str, clock: Clock, seconds: int, status: int
    ) -> None:
        desk.read(done)
        clock.shift(seconds=300)
        desk.read(done)
        clock.shift(seconds=seconds - 300)
        assert desk.get(done.replace("change/", "show/")).status_code == status

    @pytest.mark.parametrize(("seconds", "forgotten"), [(599, 0), (600, 1)])
    def test_what_was_not_shown_in_time_is_forgotten(
        self, acme: Acme, done: str, clock: Clock, seconds: int, forgotten: int
    ) -> None:
        clock.shift(seconds=seconds)
        assert forget_passwords(clock.now) == forgotten
        with acme.inside():
            assert DirectoryOrder.objects.filter(sealed=None).count() == forgotten

    def test_two_buttons_at_once_show_it_to_one(
        self, desk: ClockDesk, done: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("writeback.admin.orders.reveal", lambda *args: None)
        assert "was shown already" in show(desk, done)


def test_the_password_stands_nowhere_in_clear(
    acme: Acme, hybrid: Acme, desk: ClockDesk, agent: FieldAgent, clock: Clock
) -> None:
    order(desk, acme.bob)
    sign_what_waits(clock.now)
    held = agent.take()
    assert held is not None
    assert held.passwords.new is not None
    secret = held.passwords.new.encode()
    with acme.inside():
        [row] = DirectoryOrder.objects.values()
    assert all(secret not in bytes(v) for v in row.values() if isinstance(v, bytes | memoryview))


def test_the_password_is_as_long_as_the_directory_wants(
    acme: Acme, hybrid: Acme, desk: ClockDesk, agent: FieldAgent, clock: Clock
) -> None:
    agent.beat(rules=rules_written(DirectoryRules(min_length=30)))
    address = order(desk, acme.bob)
    sign_what_waits(clock.now)
    agent.do(DONE)
    assert len(shown_in(show(desk, address))) >= 30


class TestOutcomes:
    @pytest.mark.parametrize(
        ("report", "words"),
        [
            (RULES_REFUSE, "rules refuse the password"),
            (Report("failed", "unreachable", at=1), "could not be reached in time"),
            (Report("failed", "protected", at=1), "the directory refused"),
        ],
    )
    def test_a_failure_leaves_everything_as_it_was(
        self,
        acme: Acme,
        hybrid: Acme,
        desk: ClockDesk,
        agent: FieldAgent,
        clock: Clock,
        report: Report,
        words: str,
    ) -> None:
        before = epoch(acme)
        address = order(desk, acme.bob)
        sign_what_waits(clock.now)
        agent.do(report)
        text = unescape(desk.read(address))
        assert "Nothing was changed" in text
        assert words in text
        assert desk.get(address.replace("change/", "show/")).status_code == 404
        assert (epoch(acme), told(acme)) == (before, 0)
        with acme.inside():
            assert DirectoryOrder.objects.filter(sealed=None).count() == 1

    def test_nobody_took_it(self, acme: Acme, hybrid: Acme, desk: ClockDesk, clock: Clock) -> None:
        address = order(desk, acme.bob)
        clock.shift(seconds=16)
        assert sweep(clock.now) == 1
        assert "could not be reached in time" in desk.read(address)

    def test_a_lost_answer_is_told_as_such_until_the_truth_arrives(
        self, acme: Acme, hybrid: Acme, desk: ClockDesk, agent: FieldAgent, clock: Clock
    ) -> None:
        before = epoch(acme)
        address = order(desk, acme.bob)
        sign_what_waits(clock.now)
        held = agent.take()
        assert held is not None
        agent.report(held, LOST)
        assert "Not confirmed" in desk.read(address)
        assert desk.get(address.replace("change/", "show/")).status_code == 404
        assert (epoch(acme), told(acme)) == (before + 1, 0)

        agent.report(held, Report("succeeded", changed=True, reconciled=True, at=1))
        assert shown_in(show(desk, address)) == held.passwords.new
        assert (epoch(acme), told(acme)) == (before + 1, 1)

    def test_one_of_two_directories_did_it(
        self, acme: Acme, hybrid: Acme, desk: ClockDesk, agent: FieldAgent, clock: Clock
    ) -> None:
        branch = make_connector(acme, "Branch")
        link(acme, acme.bob, branch, "uid=bob")
        other = make_agent(acme, branch, clock)
        address = order(desk, acme.bob)
        assert sign_what_waits(clock.now) == 2
        first = agent.do(DONE)
        assert desk.get(address).headers["Refresh"] == "3"
        second = other.do(Report("failed", "no_right_to_reset", at=1))
        assert first.passwords.new == second.passwords.new
        text = unescape(desk.read(address))
        assert "Done in part only" in text
        assert "not done: the agent's account may not set this person's password" in text
        assert shown_in(show(desk, address)) == first.passwords.new

    def test_an_order_of_which_nothing_was_heard_is_not_waited_for(
        self, acme: Acme, hybrid: Acme, desk: ClockDesk, clock: Clock
    ) -> None:
        address = order(desk, acme.bob)
        clock.shift(seconds=76)
        answer = desk.get(address)
        assert "Refresh" not in answer.headers
        assert "Nothing was heard of this order." in answer.content.decode()

    def test_an_open_journey_of_the_person_ends_and_one_that_ended_stays(
        self, acme: Acme, hybrid: Acme, desk: ClockDesk, agent: FieldAgent, clock: Clock
    ) -> None:
        with acme.inside():
            flow = journey(acme.bob)
            Flow.objects.filter(pk=flow.pk).update(state="proving")
        order(desk, acme.bob)
        sign_what_waits(clock.now)
        agent.do(DONE)
        with acme.inside():
            flow.refresh_from_db()
        assert flow.state == "cancelled"

    def test_a_report_of_a_job_whose_order_is_gone_is_taken_all_the_same(
        self, acme: Acme, hybrid: Acme, desk: ClockDesk, agent: FieldAgent, clock: Clock
    ) -> None:
        order(desk, acme.bob)
        sign_what_waits(clock.now)
        with acme.inside():
            DirectoryOrder.objects.all().delete()
        agent.do(DONE)
        assert told(acme) == 0
