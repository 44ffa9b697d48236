"""Carol administers Acme, whose passwords are kept in a directory."""

import pytest

from tests.cast import Acme
from tests.resets.visitor import Clock
from tests.writeback.admin.desk import ClockDesk


@pytest.fixture
def desk(acme: Acme, clock: Clock) -> ClockDesk:
    return ClockDesk(acme, acme.carol, clock)
