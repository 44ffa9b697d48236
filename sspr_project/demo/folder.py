"""The folder the demo keeps its things in: one demo at a time, and a fresh start when asked."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .environment import DATABASE, OUTBOX


class DemoRuns(Exception):
    """Another demo uses this folder; the text is its address."""


@contextmanager
def held(folder: Path, address: str) -> Iterator[None]:
    """Keeps the folder for this process; tells others under which address. Raises DemoRuns."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "running").open("a+", encoding="utf-8") as note:
        try:
            fcntl.flock(note, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note.seek(0)
            raise DemoRuns(note.read().strip()) from None
        note.truncate(0)
        note.write(address)
        note.flush()
        yield


def empty(folder: Path) -> None:
    """Removes the database and the messages of the demo, and nothing else."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        (folder / f"{DATABASE}{suffix}").unlink(missing_ok=True)
    for message in (folder / OUTBOX).glob("*.json"):
        message.unlink()
