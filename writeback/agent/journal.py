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
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import RLock
from typing import IO, Any, Literal
from uuid import UUID

from ..workplace import Unwritable
from .files import sync_folder

Kind = Literal["begin", "intent", "result", "reported"]
FILE_MODE = 0o600


class JournalInUse(Exception):
    """Another process holds this journal."""


class JournalDamaged(Unwritable):
    """Something was to be written to a journal that can't be believed."""


@dataclass(frozen=True)
class Entry:
    """One line. sequence: of the job in its tenant; at: Unix seconds; facts: what a look at the
    directory needs later, or the outcome.

    kind: begin (how far an earlier file had come), intent, result, or reported when the other side
    has taken the result.
    """

    kind: Kind
    job: str
    sequence: int
    at: int
    facts: Mapping[str, Any]


class Journal:
    """An agent's memory of its jobs, for several threads. Raises JournalInUse while another process
    holds the file.

    is_damaged: a line in the middle is wrong, or the file is older than what the other side has
    seen. Nothing is set from then on until an administrator begins a new one.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = _opened(path)
        self._lock = RLock()
        self.is_damaged = False
        self._entries: list[Entry] = []
        self._of_job: dict[str, dict[Kind, Entry]] = {}
        self._last = b""
        self._read()

    @property
    def sequence(self) -> int:
        """The highest sequence of a job that this journal knows."""
        return max((entry.sequence for entry in self._all()), default=0)

    def knows(self, job: UUID) -> bool:
        """Whether this job was begun here, whatever came of it."""
        with self._lock:
            return str(job) in self._of_job

    def find_intent(self, job: UUID) -> Mapping[str, Any] | None:
        return self._find("intent", job)

    def find_result(self, job: UUID) -> Mapping[str, Any] | None:
        return self._find("result", job)

    def unsettled(self) -> list[Entry]:
        """Intents without a result, oldest first: what a restart has to look into."""
        return self._without("intent", "result")

    def unreported(self) -> list[Entry]:
        """Results that the other side has not taken yet, oldest first."""
        return self._without("result", "reported")

    def times(self) -> list[int]:
        """When something was about to be set, oldest first."""
        return [entry.at for entry in self._all() if entry.kind == "intent"]

    def compare(self, seen: int) -> None:
        """The other side has had a result of this sequence; a file that does not reach it was
        restored from a backup and would do things again."""
        if seen > self.sequence:
            self.is_damaged = True

    def intend(self, job: UUID, sequence: int, at: int, facts: Mapping[str, Any]) -> bool:
        """Writes that a job is about to be done; false for one that was begun before. Raises
        JournalDamaged, and OSError when it is not on disk: then nothing may be done either."""
        with self._lock:
            if self.knows(job):
                return False
            self._append(Entry("intent", str(job), sequence, at, facts))
            return True

    def settle(self, job: UUID, at: int, facts: Mapping[str, Any]) -> None:
        """Writes what came of a job; a result that is there stays. Raises like `intend`."""
        with self._lock:
            mine = self._of_job.get(str(job))
            if mine is None:
                raise LookupError(f"job {job} was not begun here")
            if "result" not in mine:
                sequence = next(iter(mine.values())).sequence
                self._append(Entry("result", str(job), sequence, at, facts))

    def note_reported(self, job: UUID, at: int) -> None:
        """Writes that the other side has the result, if there is one here. Raises like `intend`."""
        with self._lock:
            mine = self._of_job.get(str(job), {})
            if "result" in mine and "reported" not in mine:
                self._append(Entry("reported", str(job), mine["result"].sequence, at, {}))

    def forget(self, before: int) -> None:
        """Leaves out what was settled before that time. The file is replaced as a whole. Raises
        OSError when it can't be; the old one holds then.

        before: at least an hour ago, because the cap counts and a job may come again until then.
        """
        with self._lock:
            self._forget(before)

    def close(self) -> None:
        self._file.close()

    def _forget(self, before: int) -> None:
        if self.is_damaged:
            return
        settled = {e.job for e in self._entries if e.kind == "result" and e.at < before}
        kept = [e for e in self._entries if e.kind != "begin" and e.job not in settled]
        lines, last = [], b""
        kept = [Entry("begin", "", self.sequence, before, {}), *kept]
        for entry in kept:
            line, last = _line(entry, last)
            lines.append(line)
        file = self._replaced(b"".join(lines))
        self._file.close()
        self._file, self._entries, self._last = file, [], last
        self._of_job = {}
        for entry in kept:
            self._keep(entry)

    def _replaced(self, content: bytes) -> IO[bytes]:
        """A new file in the old one's place, which stays there when this raises OSError."""
        fresh = self._path.with_name(f"{self._path.name}.new")
        fresh.unlink(missing_ok=True)
        file: IO[bytes] | None = None
        try:
            file = _opened(fresh)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError:
            with suppress(OSError):
                if file is not None:
                    file.close()
            fresh.unlink(missing_ok=True)
            raise
        sync_folder(self._path.parent)
        return file

    def _all(self) -> list[Entry]:
        with self._lock:
            return list(self._entries)

    def _find(self, kind: Kind, job: UUID) -> Mapping[str, Any] | None:
        with self._lock:
            entry = self._of_job.get(str(job), {}).get(kind)
        return None if entry is None else entry.facts

    def _without(self, kind: Kind, follower: Kind) -> list[Entry]:
        with self._lock:
            jobs = self._of_job.values()
            return [each[kind] for each in jobs if kind in each and follower not in each]

    def _keep(self, entry: Entry) -> None:
        self._entries.append(entry)
        if entry.kind != "begin":
            self._of_job.setdefault(entry.job, {})[entry.kind] = entry

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
        self._keep(entry)
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
            self._keep(entry)
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
    try:
        sync_folder(path.parent)
    except OSError:
        file.close()
        raise
    return file
