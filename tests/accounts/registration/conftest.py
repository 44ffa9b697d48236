"""Somebody who is signed in, a clock that only moves when told to, and the post."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from accounts.models import User
from tenants.keys import forget_keys
from tests.cast import Acme, Organisation
from tests.resets.visitor import Clock, Visitor, take_messages
from tests.services.signed_in import session_key_of

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
Post = Callable[[], list[dict[str, Any]]]
SignIn = Callable[..., Visitor]


@pytest.fixture(autouse=True)
def _fresh_keys() -> Iterator[None]:
    forget_keys()
    yield
    forget_keys()


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def post(outbox_dir: Path, clock: Clock) -> Post:
    """Everything that was sent since it was asked last."""
    return lambda: take_messages(outbox_dir, clock.now)


@pytest.fixture
def sign_in(acme: Acme, clock: Clock) -> SignIn:
    """`sign_in(acme.alice)`: her browser, with a proof of a method just now unless told
    otherwise."""

    def enter(user: User, *, proved: bool = True, at: Organisation = acme) -> Visitor:
        visitor = Visitor(at.host, clock)
        with clock.running():
            methods = ("app_code",) if proved else ()
            key = session_key_of(at, user, proved=methods, proved_at=clock.now)
        visitor.client.cookies[settings.SESSION_COOKIE_NAME] = key
        visitor.client.defaults["HTTP_SEC_FETCH_SITE"] = "same-origin"
        return visitor

    return enter


def codes(messages: list[dict[str, Any]]) -> list[str]:
    return [message["data"]["code"] for message in messages if message["kind"] == "code"]
