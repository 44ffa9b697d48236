"""One server for all cases, the outbox or real SMTP, and the check after each case."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cast import Acme, Beta
from tests.security.lab.lab import Lab, opened_lab
from tests.security.lab.server import start_server
from tests.services.server import ServerProcess


@pytest.fixture(scope="session")
def running_server(django_db_setup: None) -> Iterator[ServerProcess]:
    """The product as a process on this worker's database, for every case that doesn't kill it."""
    with start_server() as server:
        yield server


@pytest.fixture
def lab(
    transactional_db: None, acme: Acme, beta: Beta, running_server: ServerProcess, outbox_dir: Path
) -> Iterator[Lab]:
    """The case's world; what must hold after every case is checked when the test is over."""
    with opened_lab(acme, beta, running_server, outbox_dir) as found:
        yield found
