"""Sign-ins that really wait: signer and agent answer from another thread, woken by the bell."""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from django.test import RequestFactory

from accounts.models import SignInLock, User
from accounts.signin import elsewhere
from accounts.signin.services import SignInResult, check_password
from tenants.secret import Secret
from tests.cast import Acme
from tests.concurrency.conftest import all_at_once
from tests.resets.visitor import Clock
from tests.resets.walks import set_user
from tests.writeback.conftest import agent, clock, connector, hybrid, signer
from tests.writeback.duty import at_work, says
from tests.writeback.field import FieldAgent, Held
from writeback.models import WritebackJob
from writeback.reports import Report
from writeback.services.sign_ins import DirectoryJudge

__all__ = ["agent", "clock", "connector", "hybrid", "signer"]
pytestmark = pytest.mark.django_db(transaction=True)
RIGHT = "The Directory's Own 5"


@pytest.fixture
def passing(hybrid: Acme) -> Acme:
    set_user(hybrid, hybrid.bob, source="pass_through")
    return hybrid


@pytest.fixture
def hurried() -> Iterator[None]:
    """Sign-ins that do not wait for long."""
    usual = elsewhere._judges[User.Source.PASS_THROUGH.value]
    elsewhere.register_judge(User.Source.PASS_THROUGH.value, DirectoryJudge(seconds=0.3))
    yield
    elsewhere.register_judge(User.Source.PASS_THROUGH.value, usual)


def knows(held: Held) -> Report:
    return says("right" if held.passwords.old == RIGHT else "wrong")


def typing(acme: Acme, clock: Clock, password: str) -> Callable[[], SignInResult]:
    request = RequestFactory().get("/sign-in/")
    user_id = acme.bob.user_id
    return lambda: check_password(request, acme.id, user_id, Secret(password), now=clock.now)


def test_a_sign_in_is_woken_by_the_answer(passing: Acme, agent: FieldAgent, clock: Clock) -> None:
    with at_work(agent, knows) as held:
        right = typing(passing, clock, RIGHT)()
        wrong = typing(passing, clock, "another")()

    assert (right.kind, wrong.kind) == ("ok", "wrong")
    assert len(held) == 2


def test_two_at_once_each_get_their_own_answer(
    passing: Acme, agent: FieldAgent, clock: Clock
) -> None:
    with at_work(agent, knows) as held:
        answers = all_at_once([typing(passing, clock, text) for text in (RIGHT, "another")])

    assert sorted(answer.kind for answer in answers) == ["ok", "wrong"]
    assert {each.passwords.old for each in held} == {RIGHT, "another"}


def test_of_many_wrong_ones_at_once_no_more_reach_the_directory_than_the_lockout_allows(
    passing: Acme, agent: FieldAgent, clock: Clock
) -> None:
    acts = [typing(passing, clock, "the same") for _ in range(30)]

    with at_work(agent, knows) as held:
        kinds = Counter(answer.kind for answer in all_at_once(acts))

    assert set(kinds) <= {"wrong", "locked", "unavailable"}
    assert len(held) == kinds["wrong"] <= 10


def test_an_agent_that_never_answers_is_waited_for_only_so_long(
    passing: Acme, agent: FieldAgent, clock: Clock, hurried: None
) -> None:
    with clock.running():
        answers = all_at_once([typing(passing, clock, RIGHT) for _ in range(2)])

    assert [answer.kind for answer in answers] == ["unavailable"] * 2
    with passing.inside():
        assert set(WritebackJob.objects.values_list("cause", flat=True)) == {"withdrawn"}
        assert set(SignInLock.objects.values_list("failures", "locks")) == {(0, 0)}
