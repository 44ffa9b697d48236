"""Keys that belong to no earlier test's tenants."""

from collections.abc import Iterator

import pytest

from accounts.oidc.keys import forget_signing_keys
from tenants.front import forget_fronts
from tenants.keys import forget_keys
from tenants.services import get_platform


@pytest.fixture(autouse=True)
def _fresh(db: None) -> Iterator[None]:
    for forget in (forget_keys, forget_fronts, forget_signing_keys):
        forget()
    get_platform()
    yield
    for forget in (forget_keys, forget_fronts, forget_signing_keys):
        forget()
