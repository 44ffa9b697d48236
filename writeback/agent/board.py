"""What an agent last knew about itself, for `sspr-agent status` and nobody else."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from .files import read_private, write_private

FILE = "status.json"
STALE_AFTER = 90
"""Seconds: a running agent writes at least every half minute."""


class Board:
    """For several threads."""

    def __init__(self, folder: Path, seconds: Callable[[], int]) -> None:
        self._path = folder / FILE
        self._seconds = seconds
        self._lock = Lock()
        self._facts: dict[str, Any] = {}

    def note(self, **facts: Any) -> None:
        """Writes what is new. A disk that takes nothing does not stop the agent here."""
        with self._lock:
            self._facts |= {**facts, "written": self._seconds()}
            try:
                write_private(self._path, json.dumps(self._facts, indent=1).encode())
            except OSError:
                return


def find_status(folder: Path) -> Mapping[str, Any] | None:
    """What the agent wrote; nothing when it never ran here. Raises OSError."""
    try:
        found = json.loads(read_private(folder / FILE))
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None
