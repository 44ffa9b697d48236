"""How tries of a password that a directory keeps are counted, and who is asked at which door."""

from typing import Any
from unittest.mock import patch

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import SignInLock, User
from accounts.signin.elsewhere import BEAT
from tenants.secret import Secret
from tests.accounts.signin.people import sign_in, text_of
from tests.cast import PASSWORD, Acme
from tests.resets.visitor import trail
from tests.resets.walks import set_tenant, set_user
from tests.writeback.duty import Duty, says
from tests.writeback.field import link
from tests.writeback.test_sign_ins import TYPED, UNAVAILABLE, locks
from writeback.models import Connector
from writeback.services.sign_ins import AT_ONCE, DirectoryJudge


class TestLockout:
    """Counted before it is judged, like every password; but the same one counts each time."""

    def guess(self, acme: Acme, client: Client, password: str, times: int) -> list[int]:
        return [sign_in(client, acme.bob.user_id, password).status_code for _ in range(times)]

    def test_the_same_wrong_password_locks_because_it_may_be_right_by_now(
        self, passing: Acme, client: Client, duty: Duty
    ) -> None:
        duty.report = says("wrong")

        assert self.guess(passing, client, "still wrong", 11) == [200] * 10 + [429]

        assert duty.waits == 10
        assert len(trail(passing, type="user.sign_in_locked")) == 1
        with passing.inside():
            assert SignInLock.objects.get().wrong == []

    def test_a_silent_directory_locks_nobody_out(
        self, passing: Acme, client: Client, duty: Duty
    ) -> None:
        assert self.guess(passing, client, TYPED, 12) == [503] * 12
        assert locks(passing) == [(0, 0)]

    def test_the_lock_that_an_unanswered_try_set_off_ends_with_it(
        self, passing: Acme, client: Client, duty: Duty
    ) -> None:
        duty.report = says("wrong")
        self.guess(passing, client, "wrong", 9)
        duty.report = None
        assert self.guess(passing, client, TYPED, 1) == [503]
        assert trail(passing, type="user.sign_in_locked") == []
        duty.report = says("right")

        assert self.guess(passing, client, TYPED, 1) == [303]
        assert locks(passing) == []

    def test_what_was_cleared_meanwhile_stays_cleared(
        self, passing: Acme, client: Client, duty: Duty
    ) -> None:
        def clear() -> None:
            with passing.inside():
                SignInLock.objects.all().delete()

        duty.before = clear

        assert self.guess(passing, client, TYPED, 1) == [503]
        assert locks(passing) == []


class TestAdministrators:
    """The door of the administration asks the directory too, about its own people alone."""

    @pytest.fixture
    def carol(self, passing: Acme, connector: Connector) -> User:
        link(passing, passing.carol, connector, "carol's anchor")
        set_user(passing, passing.carol, source="pass_through")
        return passing.carol

    def knock(self, client: Client, user: User, password: str = TYPED) -> Any:
        return client.post("/admin/login/", {"user_id": user.user_id, "password": password})

    @pytest.mark.parametrize(
        ("answer", "leads_to"),
        [("right", "/sign-in/prove/"), ("must_change", "/sign-in/prove/")],
    )
    def test_the_directorys_yes_lets_an_administrator_in(
        self, passing: Acme, client: Client, duty: Duty, carol: User, answer: str, leads_to: str
    ) -> None:
        duty.report = says(answer)

        assert self.knock(client, carol).headers["Location"].startswith(leads_to)

        with passing.inside():
            carol.refresh_from_db()
        assert carol.must_change_password is (answer == "must_change")
        assert len(trail(passing, type="admin.signed_in")) == 1

    def test_a_no_is_the_usual_refusal_with_its_cause_in_the_trail(
        self, passing: Acme, client: Client, duty: Duty, carol: User
    ) -> None:
        duty.report = says("locked")

        assert "is wrong, or this person" in text_of(self.knock(client, carol))

        [event] = trail(passing, type="admin.sign_in_failed")
        assert (event.reason, event.target_label) == ("the directory: locked", carol.user_id)

    def test_silence_is_told_and_takes_no_try(
        self, passing: Acme, client: Client, duty: Duty, carol: User
    ) -> None:
        answers = [self.knock(client, carol, PASSWORD) for _ in range(7)]

        assert {answer.status_code for answer in answers} == {503}
        assert UNAVAILABLE in text_of(answers[-1])
        assert answers[-1].headers["Retry-After"] == "120"

    def test_about_people_who_could_not_enter_nobody_is_asked(
        self, passing: Acme, client: Client, duty: Duty
    ) -> None:
        assert self.knock(client, passing.bob).status_code == 200
        assert duty.waits == 0


def test_no_more_than_a_few_sign_ins_of_one_tenant_wait_at_once(passing: Acme, duty: Duty) -> None:
    judge = DirectoryJudge()
    asked: list[str] = []

    def ask_another() -> None:
        if len(asked) < AT_ONCE + 1:
            asked.append("")
            place = len(asked) - 1
            asked[place] = judge(passing.bob, Secret(TYPED), timezone.now()).cause

    duty.before = ask_another
    ask_another()

    # The innermost was refused a place, the others heard nothing; afterwards there is room again.
    assert asked == ["no answer"] * AT_ONCE + ["busy"]
    duty.before = lambda: None
    assert judge(passing.bob, Secret(TYPED), timezone.now()).cause == "no answer"


@pytest.mark.parametrize(("disclosure", "waits"), [("guided", 0), ("concealed", 1)])
def test_a_concealing_tenant_refuses_on_a_beat_that_most_directories_keep(
    passing: Acme, client: Client, duty: Duty, disclosure: str, waits: int
) -> None:
    set_tenant(passing, disclosure=disclosure)
    duty.report = says("wrong")
    for user_id in (passing.bob.user_id, "nobody@acme.example", passing.alice.user_id):
        slept: list[float] = []
        with patch("tenants.evenness.time.sleep", slept.append):
            assert sign_in(client, user_id, TYPED).status_code == 200
        assert len(slept) == waits
        assert all(0 < seconds <= BEAT for seconds in slept)
