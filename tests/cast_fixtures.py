"""The cast as fixtures; see `tests.cast`."""

import pytest

from tests.cast import Acme, Beta, make_acme, make_beta


@pytest.fixture
def acme(db: None) -> Acme:
    """The tenant the test is about."""
    return make_acme()


@pytest.fixture
def beta(db: None) -> Beta:
    """The other tenant, whose texts must never show."""
    return make_beta()
