"""A process that hangs: it is there, and does nothing."""

import os
import signal
from contextlib import suppress
from pathlib import Path

from tests.services.ports import wait_until


def pause(pid: int) -> None:
    """Comes back when every thread stands still; the signal alone only asks for that."""
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: _states(pid) <= {"T"}, f"process {pid} to stand still")


def _states(pid: int) -> set[str]:
    found = set()
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(FileNotFoundError):  # this one has just ended
            found.add(stat.read_text(encoding="utf-8").rpartition(") ")[2][0])
    return found
