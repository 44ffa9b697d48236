"""What a method is asked with: the belongings of a person, a challenge, a moment."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from accounts.methods.base import Answer, Asked, MethodContext
from accounts.methods.registry import get_method
from accounts.models import User
from accounts.people import Belongings, belongings_of
from tenants.keys import forget_keys, tenant_keys
from tenants.secret import Secret
from tests.accounts.federation.accounts import give_external, return_of
from tests.cast import QUESTIONS, app_code, make_person
from tests.credentials import (
    YubiKey,
    answer_approval,
    give_backup_codes,
    give_manager,
    give_pass,
    give_token,
    give_yubikey,
    token_code,
    token_of,
    yubikey_of,
)
from tests.services.phone import Phone, approve_for, give_phone
from tests.services.softkey import challenge_of, give_passkey, own_assertion

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
QUESTION_KEYS = tuple(QUESTIONS)[:3]
SITE = "https://acme.sspr.test"
CONTEXT = MethodContext(NOW, frozenset({"acme.example"}), 3, (), SITE)
ASKED = Asked(
    b"n" * 16,
    b"flow|challenge|step|method|person",
    QUESTION_KEYS,
    challenge=UUID(int=7),
    reference="K7M4-92QX",
)
_kept: dict[tuple[str, UUID], str] = {}
_keys: dict[UUID, YubiKey] = {}
PHONES: dict[UUID, Phone] = {}
"""The phone of each person who has one, by the person."""


@pytest.fixture(autouse=True)
def _fresh_keys() -> Iterator[None]:
    forget_keys()
    yield
    forget_keys()


def give_the_rest(user: User, domain: str) -> None:
    """Everything of the registry that the cast's alice has not."""
    give_token(user, token_of(user))
    _keys[user.pk] = yubikey_of(user)
    give_yubikey(user, _keys[user.pk])
    _kept["backup_codes", user.pk] = give_backup_codes(user, NOW)[0]
    _kept["temporary_access_pass", user.pk] = give_pass(user, NOW - timedelta(minutes=1))
    give_manager(user, make_person("boss", domain))
    give_passkey(user, SITE)
    give_external(user, NOW)
    PHONES[user.pk] = give_phone(user)


def code(text: str) -> Answer:
    return Answer(code=Secret(text))


def answers(*texts: str) -> Answer:
    return Answer(answers=tuple(Secret(text) for text in texts))


def asserting(text: str) -> Answer:
    return Answer(assertion=Secret(text))


def _approve(method: str, user: User, asked: Asked, now: datetime) -> None:
    if method == "app_notification":
        approve_for(PHONES[user.pk], user, asked, now)
    else:
        answer_approval(user, asked, now)


def right(method: str, user: User, asked: Asked = ASKED, now: datetime = NOW) -> Answer:
    """What this person would answer; the tenant's context is open."""
    if method == "security_questions":
        return answers(*(QUESTIONS[key] for key in asked.questions))
    if method in {"app_notification", "manager_approval"}:
        _approve(method, user, asked, now)
        return Answer()
    if (method, user.pk) in _kept:
        return code(_kept[method, user.pk])
    shown = {
        "app_code": lambda: app_code(user, now),
        "hardware_token": lambda: token_code(token_of(user), now),
        "yubikey_otp": _keys[user.pk].touch if user.pk in _keys else str,
    }
    if method in shown:
        return code(shown[method]())
    if method in {"external_identity", "passkey"}:
        return asserting(_asserted(method, user, asked, now))
    return code(tenant_keys().code(asked.nonce, asked.bound_to).reveal())


def _asserted(method: str, user: User, asked: Asked, now: datetime) -> str:
    """What the page of the browser itself sends."""
    if method == "external_identity":
        return return_of(user, asked, now)
    options = get_method(method).prompt(None, asked, CONTEXT)["options"]
    return own_assertion(user, SITE, challenge_of(options))


def belongings(user: User) -> Belongings:
    user.refresh_from_db()
    return belongings_of(user)
