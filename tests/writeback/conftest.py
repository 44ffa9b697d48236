"""What the tests of writeback share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.writeback.bench import Bench, benches


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """An agent's workplace over a directory that does what the test says."""
    yield from benches(tmp_path)
