"""Pytest plugin, loaded by name so that the environment stands before Django reads its settings."""

import hypothesis
import pytest

from tests.services import reach
from tests.services.session import close_session, open_session

_reach = reach.begin()
_guard = open_session()
# A busy machine is no fault.
hypothesis.settings.register_profile("product", deadline=None)
hypothesis.settings.load_profile("product")


def pytest_configure(config: pytest.Config) -> None:
    if _reach is not None:
        config.pluginmanager.register(_reach)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The lab waits for real time, which costs nothing while another worker is busy: it comes
    first, so that nobody waits for it in the end."""
    items.sort(key=lambda item: "lab" not in item.path.parent.parts)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    if _guard is not None:
        close_session(_guard)
