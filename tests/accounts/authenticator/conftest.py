"""Keys of each test's own tenants, and how a phone sends."""

from collections.abc import Iterator

import pytest
from django.test import Client

from tenants.keys import forget_keys
from tests.cast import Acme
from tests.services.phone import Send, sending


@pytest.fixture(autouse=True)
def _fresh_keys() -> Iterator[None]:
    forget_keys()
    yield
    forget_keys()


@pytest.fixture
def send(acme: Acme, client: Client) -> Send:
    """From acme's own host."""
    client.defaults["HTTP_HOST"] = acme.host
    return sending(client)
