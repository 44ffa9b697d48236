"""A clock that only moves when told to, a browser on the tenant's own host, and the post."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tenants.keys import forget_keys
from tests.cast import Acme
from tests.resets.visitor import Clock, Visitor, take_messages

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
Post = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _fresh_keys() -> Iterator[None]:
    forget_keys()
    yield
    forget_keys()


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def visitor(acme: Acme, clock: Clock) -> Visitor:
    return Visitor(acme.host, clock)


@pytest.fixture
def post(outbox_dir: Path, clock: Clock) -> Post:
    """Everything that was sent since it was asked last."""
    return lambda: take_messages(outbox_dir, clock.now)
