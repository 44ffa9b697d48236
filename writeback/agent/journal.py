"""What an agent did and was about to do, on disk before it does it (R-22, security 3.6).

One line of JSON an entry, each with a hash over itself and the one before. An intent is on disk
before the directory is touched, so whatever is asked twice is done once, and what was interrupted
is known after a restart. No entry holds a password or anything made from one.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Literal
from uuid import UUID

Kind = Literal["begin", "intent", "result"]
FILE_MODE = 0o600


class JournalInUse(Exception):
    """Another process holds this journal."""


class JournalDamaged(Exception):
    """Something was to be written to a journal that can't be believed."""


@dataclass(frozen=True)
class Entry:
    """kind: begin (how far an earlier file had come), intent or result. sequence: of the job in its
    tenant; at: Unix seconds; facts: what a look at the directory needs later, or the outcome."""

    kind: Kind
    job: str
    sequence: int
    at: int
    facts: Mapping[str, Any]


class Journal:
    """An agent's memory of its jobs. Raises JournalInUse while another process holds the file.

    is_damaged: a line in the middle is wrong, or the file is older than what the other side has
    seen. Nothing is set from then on until an administrator begins a new one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = _opened(path)
        self.is_damaged = False
        self._entries: list[Entry] = []
        self._last = b""
        self._read()

    @property
    def sequence(self) -> int:
        """The highest sequence of a job that this journal knows."""
        return max((entry.sequence for entry in self._entries), default=0)

    def knows(self, job: UUID) -> bool:
        """Whether this job was begun here, whatever came of it."""
        return any(entry.job == str(job) for entry in self._entries)

    def unsettled(self) -> list[Entry]:
        """Intents without a result, oldest first: what a restart has to look into."""
        settled = {entry.job for entry in self._entries if entry.kind == "result"}
        return [e for e in self._entries if e.kind == "intent" and e.job not in settled]

    def times(self) -> list[int]:
        """When something was about to be set, oldest first."""
        return [entry.at for entry in self._entries if entry.kind == "intent"]

    def compare(self, seen: int) -> None:
        """The other side has had a result of this sequence; a file that does not reach it was
        restored from a backup and would do things again."""
        if seen > self.sequence:
            self.is_damaged = True

    def intend(self, job: UUID, sequence: int, at: int, facts: Mapping[str, Any]) -> bool:
        """Writes that a job is about to be done; false for one that was begun before. Raises
        JournalDamaged, and OSError when it is not on disk: then nothing may be done either."""
        if self.knows(job):
            return False
        self._append(Entry("intent", str(job), sequence, at, facts))
        return True

    def settle(self, job: UUID, at: int, facts: Mapping[str, Any]) -> None:
        """Writes what came of a job; a result that is there stays. Raises like `intend`."""
        mine = [entry for entry in self._entries if entry.job == str(job)]
        if not mine:
            raise LookupError(f"job {job} was not begun here")
        if not any(entry.kind == "result" for entry in mine):
            self._append(Entry("result", str(job), mine[0].sequence, at, facts))

    def forget(self, before: int) -> None:
        """Leaves out what was settled before that time. The file is replaced as a whole.

        before: at least an hour ago, because the cap counts and a job may come again until then.
        """
        if self.is_damaged:
            return
        settled = {e.job for e in self._entries if e.kind == "result" and e.at < before}
        kept = [e for e in self._entries if e.kind != "begin" and e.job not in settled]
        begin = Entry("begin", "", self.sequence, before, {})
        fresh = self._path.with_name(f"{self._path.name}.new")
        fresh.unlink(missing_ok=True)
        replaced, self._file = self._file, _opened(fresh)
        self._entries, self._last = [], b""
        for entry in [begin, *kept]:
            self._append(entry)
        fresh.replace(self._path)
        _sync_folder(self._path.parent)
        replaced.close()

    def close(self) -> None:
        self._file.close()

    def _append(self, entry: Entry) -> None:
        if self.is_damaged:
            raise JournalDamaged(str(self._path))
        line, last = _line(entry, self._last)
        try:
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError:
            # Nobody knows how much of the line is there, so nothing may follow it.
            self.is_damaged = True
            raise
        self._entries.append(entry)
        self._last = last

    def _read(self) -> None:
        """Takes every line that follows from the one before. A last line without its end was never
        acted on, because it was not on disk: it is cut off."""
        self._file.seek(0)
        whole = 0
        for line in _lines(self._file):
            found = _entry(line, self._last)
            if found is None:
                self.is_damaged = True
                return
            entry, self._last = found
            self._entries.append(entry)
            whole += len(line)
        self._file.seek(whole)
        self._file.truncate()


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    return (line for line in file if line.endswith(b"\n"))


def _line(entry: Entry, last: bytes) -> tuple[bytes, bytes]:
    """The line of an entry, and the hash that the next one goes on from."""
    text = json.dumps(asdict(entry), sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(last + text.encode()).hexdigest().encode()
    return digest + b" " + text.encode() + b"\n", digest


def _entry(line: bytes, last: bytes) -> tuple[Entry, bytes] | None:
    """The entry of a line and its hash; nothing if it does not follow from the one before."""
    digest, _, text = line.rstrip(b"\n").partition(b" ")
    if hashlib.sha256(last + text).hexdigest().encode() != digest:
        return None
    try:
        return Entry(**json.loads(text)), digest
    except (ValueError, TypeError):
        return None


def _opened(path: Path) -> IO[bytes]:
    """The file, readable by its owner alone, held by this process."""
    number = os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE)
    file = os.fdopen(number, "r+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise JournalInUse(str(path)) from None
    if os.stat(path).st_ino != os.fstat(number).st_ino:
        # Replaced between opening and holding it: this is the old file.
        file.close()
        raise JournalInUse(str(path))
    _sync_folder(path.parent)
    return file


def _sync_folder(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
