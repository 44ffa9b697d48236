"""Acme keeps passwords in a directory that one agent reaches."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tenants.keys import forget_keys
from tests.accounts.signin.people import browser
from tests.cast import Acme
from tests.resets.conftest import post, visitor
from tests.resets.visitor import Clock
from tests.resets.walks import set_user
from tests.writeback.bench import Bench, benches
from tests.writeback.drilling import CANARY, name_canary
from tests.writeback.duty import Duty
from tests.writeback.field import SIGNER, FieldAgent, link, make_agent, make_connector
from writeback.keys import written
from writeback.models import Connector

__all__ = ["post", "visitor"]
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
BOB_ANCHOR = "6f0f1c5e-0d5e-4a0e-9d7f-2f1c7d0c1b01"


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def signer(settings: Any) -> None:
    """Agents are told this key when they are enrolled."""
    settings.SSPR_SIGNER_PUBLIC_KEYS = (written(SIGNER.public_key()),)
    assert base64.b64decode(settings.SSPR_SIGNER_PUBLIC_KEYS[0])


@pytest.fixture(autouse=True)
def _fresh_keys() -> Iterator[None]:
    forget_keys()
    yield
    forget_keys()


@pytest.fixture
def connector(acme: Acme) -> Connector:
    return make_connector(acme)


@pytest.fixture
def agent(acme: Acme, connector: Connector, signer: None, clock: Clock) -> FieldAgent:
    return make_agent(acme, connector, clock)


@pytest.fixture
def hybrid(acme: Acme, connector: Connector, agent: FieldAgent) -> Acme:
    """Acme with writeback on, and Bob in the directory."""
    with acme.inside():
        acme.policy.writeback = True
        acme.policy.save(update_fields=["writeback"])
    link(acme, acme.bob, connector, BOB_ANCHOR)
    return acme


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """An agent's workplace over a directory that does what the test says."""
    yield from benches(tmp_path)


@pytest.fixture
def passing(hybrid: Acme, clock: Clock) -> Iterator[Acme]:
    """Bob's password is the directory's to judge; what is stored of one opens nothing."""
    set_user(hybrid, hybrid.bob, source="pass_through")
    with clock.running():
        yield hybrid


@pytest.fixture
def duty(agent: FieldAgent, monkeypatch: pytest.MonkeyPatch) -> Duty:
    on_duty = Duty(agent)
    on_duty.takes_over(monkeypatch)
    return on_duty


@pytest.fixture
def client(passing: Acme) -> Client:
    return browser(passing)


@pytest.fixture
def drilled(acme: Acme, connector: Connector, agent: FieldAgent) -> Acme:
    """Head office has an account for drills."""
    name_canary(acme, connector, CANARY)
    return acme
