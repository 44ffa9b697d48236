"""Breached passwords from a file that the operator supplies; no password leaves the machine."""

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_LINE = re.compile(rb"([0-9A-Fa-f]{10,40})(?::[0-9]{1,20})?\r?\n?")
_LINE_BYTES = 64


class BreachedListError(OSError):
    """The list can't be used: missing, unreadable, or not what `BreachedList` describes."""


class BreachedList:
    """A sorted text file of SHA-1 hashes in hex, one a line, each optionally with `:count`.

    The published `HASH:COUNT` list works as it is. Hashes may be cut to their first 10 to 39
    digits to save space, all of them to the same length: ten digits (40 bits) of a billion
    hashes refuse one good password in a thousand. The file is never loaded: a look-up is a binary
    search of some 40 short reads, and a new file put in its place counts from the next look-up.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def contains(self, password: str) -> bool:
        """Whether the SHA-1 of exactly this password, as UTF-8, is in the list.

        Raises BreachedListError. Does not notice lines out of order; `verify` does.
        """
        # Half a surrogate pair has no UTF-8; let it be a password nobody has leaked.
        data = password.encode("utf-8", "surrogatepass")
        digest = hashlib.sha1(data, usedforsecurity=False).hexdigest().upper().encode()
        try:
            with self.path.open("rb") as file:
                return self._search(file, digest)
        except OSError as error:
            raise self._named(error) from error

    def verify(self, max_lines: int | None = None) -> int:
        """Reads the list, or its first `max_lines`, and returns how many lines that were.

        Raises BreachedListError with the number of the first line that is no hash, has another
        length than the first, or is out of order; also for an empty list.
        """
        try:
            with self.path.open("rb") as file:
                return self._verify_lines(file, max_lines)
        except OSError as error:
            raise self._named(error) from error

    def _search(self, file: BinaryIO, digest: bytes) -> bool:
        """Halves [low, high), the offsets where the line wanted may begin."""
        low, high = 0, file.seek(0, os.SEEK_END)
        file.seek(0)
        wanted = digest[: len(self._key(file.readline(_LINE_BYTES), "line 1"))]
        while low < high:
            middle = (low + high) // 2
            begin = self._next_line(file, middle)
            if begin >= high:
                high = middle
                continue
            key = self._key(file.readline(_LINE_BYTES), f"the line at byte {begin}")
            if key == wanted:
                return True
            low, high = (file.tell(), high) if key < wanted else (low, middle)
        return False

    def _next_line(self, file: BinaryIO, offset: int) -> int:
        """Goes to the first line that begins at the offset or behind it."""
        if offset == 0:
            return file.seek(0)
        file.seek(offset - 1)
        file.readline(_LINE_BYTES)
        return file.tell()

    def _verify_lines(self, file: BinaryIO, max_lines: int | None) -> int:
        number, previous = 0, b""
        for number, line in enumerate(_lines(file), start=1):
            key = self._key(line, f"line {number}")
            if previous and len(key) != len(previous):
                raise self._refuse(f"line {number} has another length than the line before it")
            if key < previous:
                raise self._refuse(f"line {number} is out of order; sort the list by hash")
            previous = key
            if number == max_lines:
                break
        if number == 0:
            raise self._refuse("it is empty")
        return number

    def _key(self, line: bytes, where: str) -> bytes:
        match = _LINE.fullmatch(line)
        if match is None:
            raise self._refuse(f"{where} is not 10 to 40 hex digits of SHA-1, optionally :count")
        return match[1].upper()

    def _refuse(self, problem: str) -> BreachedListError:
        return BreachedListError(f"breached list {self.path}: {problem}")

    def _named(self, error: OSError) -> BreachedListError:
        if isinstance(error, BreachedListError):
            return error
        return self._refuse(error.strerror or type(error).__name__)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(_LINE_BYTES):
        yield line
