"""Journeys of people whose password is kept in a directory."""

import pytest

from tests.cast import Acme
from tests.resets.directory.person import Person
from tests.resets.visitor import Clock
from tests.services.signed_in import signed_in_client
from tests.writeback.conftest import agent, connector, hybrid, signer

__all__ = ["agent", "connector", "hybrid", "signer"]


@pytest.fixture
def bob(hybrid: Acme, clock: Clock) -> Person:
    with clock.running():
        return Person(signed_in_client(hybrid, hybrid.bob), clock)
