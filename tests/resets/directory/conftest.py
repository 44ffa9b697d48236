"""Journeys of people whose password is kept in a directory."""

from tests.writeback.conftest import agent, connector, hybrid, signer

__all__ = ["agent", "connector", "hybrid", "signer"]
