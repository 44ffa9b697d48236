"""Journeys of people whose password is kept in a directory."""

import pytest

from tests.cast import Acme
from tests.resets.conftest import Post
from tests.resets.directory.person import Person
from tests.resets.visitor import Clock, Visitor
from tests.resets.walks import to_password
from tests.services.signed_in import signed_in_client
from tests.writeback.conftest import agent, connector, hybrid, signer
from tests.writeback.field import FieldAgent, sign_what_waits
from writeback.connectors.base import DirectoryRules
from writeback.reports import Report

__all__ = ["agent", "connector", "hybrid", "signer"]


@pytest.fixture
def bob(hybrid: Acme, clock: Clock) -> Person:
    with clock.running():
        return Person(signed_in_client(hybrid, hybrid.bob), clock)


@pytest.fixture
def chooser(hybrid: Acme, visitor: Visitor, agent: FieldAgent, post: Post, clock: Clock) -> Visitor:
    """Bob, asked for a new password, after his directory was asked for its rules."""
    to_password(visitor, hybrid.bob, post)
    sign_what_waits(clock.now)
    rules = DirectoryRules(min_length=10, complexity=True, history=5)
    agent.do(Report("succeeded", rules=rules, at=1))
    return visitor
