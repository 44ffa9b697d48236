"""CPU of processes, exact to the microsecond where the kernel tells it."""

import os
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def tree(root: int) -> list[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields:
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        process = waiting.pop()
        found.append(process)
        waiting += children.get(process, [])
    return found


def cpu_seconds(roots: Iterable[int], apart: Collection[int] = ()) -> float:
    """User and system time of these trees so far, ended and reaped children included, living ones
    in `apart` left out.

    Living processes by their own clock (nanoseconds), ended ones by the kernel's ticks (10 ms).
    """
    total = 0.0
    for root in roots:
        for process in set(tree(root)).difference(apart):
            try:
                # The clock of another process, as clock_getcpuclockid(3) makes its number.
                total += time.clock_gettime((~process << 3) | 2)
            except OSError:
                continue
            fields = _stat(process)
            if fields:
                total += (int(fields[13]) + int(fields[14])) * _TICK
    return total


def _stat(process: int) -> list[str]:
    """Fields of /proc/<pid>/stat from the state on, after the name; nothing when it is gone."""
    try:
        text = (_PROC / str(process) / "stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def keep_on(root: int, processors: Iterable[int]) -> None:
    """From now on this process, and all that it starts, has these processors and no others."""
    allowed = frozenset(processors)
    for process in tree(root):
        for thread in (_PROC / str(process) / "task").iterdir():
            with suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread.name), allowed)


def pss_bytes(process: int) -> int:
    """Memory of one process, shared pages by its share of them."""
    return _memory(process, "Pss:")


def rss_bytes(process: int) -> int:
    return _memory(process, "Rss:")


def _memory(process: int, name: str) -> int:
    text = (_PROC / str(process) / "smaps_rollup").read_text(encoding="ascii")
    line = next(line for line in text.splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024
