"""What a method is asked with: the belongings of a person, a challenge, a moment."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from accounts.methods.base import Answer, Asked, MethodContext
from accounts.methods.registry import get_method
from accounts.models import User
from accounts.people import Belongings, belongings_of
from tenants.keys import forget_keys, tenant_keys
from tenants.secret import Secret
from tests.cast import QUESTIONS, app_code
from tests.services.softkey import challenge_of, give_passkey, own_assertion

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
QUESTION_KEYS = tuple(QUESTIONS)[:3]
SITE = "https://acme.sspr.test"
CONTEXT = MethodContext(NOW, frozenset({"acme.example"}), 3, (), SITE)
ASKED = Asked(b"n" * 16, b"flow|challenge|step|method|person", QUESTION_KEYS)


@pytest.fixture(autouse=True)
def _fresh_keys() -> Iterator[None]:
    forget_keys()
    yield
    forget_keys()


def code(text: str) -> Answer:
    return Answer(code=Secret(text))


def answers(*texts: str) -> Answer:
    return Answer(answers=tuple(Secret(text) for text in texts))


def asserting(text: str) -> Answer:
    return Answer(assertion=Secret(text))


def right(method: str, user: User, asked: Asked = ASKED, now: datetime = NOW) -> Answer:
    """What this person would answer; the tenant's context is open."""
    if method == "security_questions":
        return answers(*(QUESTIONS[key] for key in asked.questions))
    if method == "app_code":
        return code(app_code(user, now))
    if method == "passkey":
        options = get_method(method).prompt(None, asked, CONTEXT)["options"]
        return asserting(own_assertion(user, SITE, challenge_of(options)))
    return code(tenant_keys().code(asked.nonce, asked.bound_to).reveal())


def give(method: str, user: User) -> None:
    """Registers what the cast has not; the tenant's context is open."""
    if method == "passkey":
        give_passkey(user, SITE)


def belongings(user: User) -> Belongings:
    user.refresh_from_db()
    return belongings_of(user)
