"""The scene of the isolation tests, and keys that belong to no earlier test's tenants."""

from collections.abc import Iterator

import pytest
from django.test import Client

from tenants.keys import forget_keys
from tests.isolation.canary import Scene, set_scene  # noqa: F401 - a fixture for every test here


@pytest.fixture(autouse=True)
def _fresh_keys() -> Iterator[None]:
    forget_keys()
    yield
    forget_keys()


@pytest.fixture
def client_of_acme(scene: Scene) -> Client:
    return scene.administrator()
