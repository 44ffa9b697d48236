"""Many at once, each with its own connection, let go at the same moment."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from accounts.models import User
from resets import services
from resets.services import Handle, Origin
from tenants.keys import forget_keys
from tests.cast import Acme

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
ORIGIN = Origin("192.0.2.10", "en")
AT_ONCE = 20  # connections the test cluster has for one worker


@pytest.fixture(autouse=True)
def _fresh_keys() -> Iterator[None]:
    forget_keys()
    yield
    forget_keys()


def all_at_once(acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each returned or raised. They start together, `AT_ONCE` at a time."""
    width = min(AT_ONCE, len(acts))
    gate = Barrier(width)

    def run(place: int) -> list[Any]:
        found: list[Any] = []
        try:
            gate.wait(timeout=30)
            for act in acts[place::width]:
                try:
                    found.append(act())
                except Exception as problem:
                    found.append(problem)
        finally:
            connection.close()
        return found

    with ThreadPoolExecutor(width) as pool:
        return [answer for answers in pool.map(run, range(width)) for answer in answers]


def elsewhere(act: Callable[[], Any]) -> Any:
    """What it returns, on a connection of its own and from beginning to end."""
    [result] = all_at_once([act])
    if isinstance(result, Exception):
        raise result
    return result


def begin(acme: Acme, user: User, now: datetime = NOW) -> Handle:
    """A journey of the user on acme's own host."""
    started = services.start(
        user.user_id, host_tenant=acme.id, organisation="", origin=ORIGIN, now=now
    )
    assert started.handle is not None
    return started.handle
