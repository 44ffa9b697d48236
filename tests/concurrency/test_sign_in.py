"""Many passwords at the same moment: never more are compared than the lockout allows."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from threading import Lock
from typing import Any

import pytest
from django.test import RequestFactory

from accounts.models import SignInLock, User
from accounts.signin import backend
from accounts.signin.services import SignInResult, check_password
from tenants.secret import Secret
from tests.cast import PASSWORD, Acme
from tests.concurrency.conftest import NOW, all_at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """One entry a comparison: with somebody's password, or at the same cost with nobody's."""
    lock, seen = Lock(), list[bool]()

    def same(user: User | None, password: str) -> bool:
        with lock:
            seen.append(user is not None)
        return user is not None and password == PASSWORD

    monkeypatch.setattr(backend, "_same", same)
    return seen


def typing(acme: Acme, user_id: str, password: str) -> Callable[[], SignInResult]:
    request = RequestFactory().get("/sign-in/")
    return lambda: check_password(request, acme.id, user_id, Secret(password), now=NOW)


def kinds(answers: list[Any]) -> Counter[str]:
    return Counter(answer.kind for answer in answers)


@pytest.mark.parametrize("who", ["alice", "nobody"])
def test_of_sixty_wrong_passwords_ten_are_compared(
    who: str, acme: Acme, compared: list[bool]
) -> None:
    acts = [typing(acme, f"{who}@acme.example", f"wrong {number}") for number in range(60)]

    answers = all_at_once(acts)

    assert kinds(answers) == {"wrong": 10, "locked": 50}
    assert len(compared) == 10
    with acme.inside():
        row = SignInLock.objects.get()
        assert (row.locks, row.locked_until) == (1, NOW + timedelta(seconds=60))


def test_of_sixty_times_the_same_wrong_password_ten_are_compared_at_most(
    acme: Acme, compared: list[bool]
) -> None:
    answers = all_at_once([typing(acme, acme.alice.user_id, "wrong")] * 60)

    assert set(kinds(answers)) <= {"wrong", "locked"}
    assert 1 <= compared.count(True) <= 10
    with acme.inside():
        assert SignInLock.objects.get().failures <= 10


def test_the_right_password_among_wrong_ones_is_found_once_it_is_compared(
    acme: Acme, compared: list[bool]
) -> None:
    acts = [typing(acme, acme.alice.user_id, f"wrong {number}") for number in range(5)]

    answers = all_at_once([*acts, typing(acme, acme.alice.user_id, PASSWORD)])

    assert kinds(answers) == {"wrong": 5, "ok": 1}
