"""What a method is asked with: the belongings of a person, a challenge, a moment."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest

from accounts.methods.base import Answer, Asked, MethodContext
from accounts.models import User
from accounts.people import Belongings, belongings_of
from tenants.keys import forget_keys, tenant_keys
from tenants.secret import Secret
from tests.cast import QUESTIONS, app_code
from tests.services.phone import Phone, approve_for

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
QUESTION_KEYS = tuple(QUESTIONS)[:3]
CONTEXT = MethodContext(NOW, frozenset({"acme.example"}), 3, ())
ASKED = Asked(b"n" * 16, b"flow|challenge|step|method|person", QUESTION_KEYS, challenge=UUID(int=7))
PHONES: dict[UUID, Phone] = {}
"""The phone of each person who has one, by the person."""


@pytest.fixture(autouse=True)
def _fresh_keys() -> Iterator[None]:
    forget_keys()
    yield
    forget_keys()


def code(text: str) -> Answer:
    return Answer(code=Secret(text))


def answers(*texts: str) -> Answer:
    return Answer(answers=tuple(Secret(text) for text in texts))


def right(method: str, user: User, asked: Asked = ASKED, now: datetime = NOW) -> Answer:
    """What this person would answer; the tenant's context is open."""
    if method == "security_questions":
        return answers(*(QUESTIONS[key] for key in asked.questions))
    if method == "app_notification":
        approve_for(PHONES[user.pk], user, asked, now)
        return Answer()
    if method == "app_code":
        return code(app_code(user, now))
    return code(tenant_keys().code(asked.nonce, asked.bound_to).reveal())


def belongings(user: User) -> Belongings:
    user.refresh_from_db()
    return belongings_of(user)
