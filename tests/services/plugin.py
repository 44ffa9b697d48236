"""Pytest plugin, loaded by name so that the environment stands before Django reads its settings."""

import pytest

from tests.services.session import close_session, open_session

_guard = open_session()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    if _guard is not None:
        close_session(_guard)
