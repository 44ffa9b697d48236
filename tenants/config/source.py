"""PURE. The text of a file: its data, and the line of every key in it.

The standard library's parser gives data without places. Once it has accepted the text, a scanner
over the same text notes where each key and each element of a list begins. It only runs when a place
is asked for.
"""

import re
import tomllib
from bisect import bisect_right
from functools import cached_property
from typing import Any

from .report import Path

_AT = re.compile(r"\s*\(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
_GAP = re.compile(r"(?:[ \t\n]+|#[^\n]*)*")
_NAME = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_TEXT = re.compile(
    r'''"""(?:[^"\\]+|\\.|"{1,2}(?!"))*"{3,5}|"(?:[^"\\\n]|\\.)*"'''
    r"""|'''(?:[^']+|'{1,2}(?!'))*'{3,5}|'[^'\n]*'""",
    re.DOTALL,
)
_PLAIN = re.compile(r"[^,\]}#\n]*")


class SyntaxBroken(ValueError):
    """The text is not TOML. Line and column count from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line, self.column = line, column


class Source:
    """A file that was read. `data` is what TOML makes of it."""

    def __init__(self, content: bytes) -> None:
        """Raises SyntaxBroken."""
        self.text = _decode(content)
        self.data: dict[str, Any] = _parse(self.text)

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    @cached_property
    def _offsets(self) -> dict[Path, int]:
        return _Scanner(self.text).scan()

    def locate(self, path: Path) -> tuple[int, int]:
        """Line and column of a key or element, or of the nearest thing around it that stands."""
        while path and path not in self._offsets:
            path = path[:-1]
        return self._place(self._offsets.get(path, 0))

    def _place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as broken:
        before = content[: broken.start]
        line = before.count(b"\n") + 1
        column = len(before) - (before.rfind(b"\n") + 1) + 1
        raise SyntaxBroken("Save the file as UTF-8: this byte is not.", line, column) from None


def _parse(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as broken:
        message = str(broken)
        found = _AT.search(message)
        end = text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1
        line, column = end
        if found and found["line"]:
            line, column = int(found["line"]), int(found["column"])
        reason = _AT.sub("", message)
        raise SyntaxBroken(f"This is not TOML: {reason}.", line, column) from None
    except (RecursionError, ValueError):
        # Lists inside lists without end, or a number of thousands of digits.
        raise SyntaxBroken("A value in this file is too deep or too long.", 1, 1) from None


class _Scanner:
    """Walks over text that is known to be TOML."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.found: dict[Path, int] = {}
        self.elements: dict[Path, int] = {}

    def scan(self) -> dict[Path, int]:
        table: Path = ()
        self._skip_gap()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip_gap()
        return self.found

    def _skip_gap(self) -> None:
        match = _GAP.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def _skip(self, expression: re.Pattern[str]) -> str:
        match = expression.match(self.text, self.at)
        if match is None or match.end() == self.at:
            # Never met after the parser said yes; without progress the walk would not end.
            self.at += 1
            return ""
        self.at = match.end()
        return match[0]

    def _names(self) -> list[str]:
        names = []
        while True:
            self._skip_gap()
            names.append(_unquoted(self._skip(_NAME)))
            self._skip_gap()
            if not self.text.startswith(".", self.at):
                return names
            self.at += 1

    def _note(self, path: Path, offset: int, known: int) -> None:
        for length in range(known + 1, len(path) + 1):
            self.found.setdefault(path[:length], offset)

    def _header(self) -> Path:
        start = self.at
        brackets = 2 if self.text.startswith("[[", start) else 1
        self.at += brackets
        names = self._names()
        self.at += brackets
        path: Path = ()
        for name in names[:-1]:
            path = self._inside((*path, name))
        path = (*path, names[-1])
        if brackets == 2:
            index = self.elements.get(path, 0)
            self.elements[path] = index + 1
            self._note(path, start, 0)
            path = (*path, index)
        else:
            path = self._inside(path)
        self._note(path, start, 0)
        return path

    def _inside(self, path: Path) -> Path:
        """A name that stands for a list of tables means its newest table."""
        count = self.elements.get(path)
        return path if count is None else (*path, count - 1)

    def _pair(self, table: Path) -> None:
        start = self.at
        path = (*table, *self._names())
        self._note(path, start, len(table))
        self.at += 1
        self._skip_gap()
        self._value(path)

    def _value(self, path: Path) -> None:
        opening = self.text[self.at : self.at + 1]
        if opening == "[":
            self._list(path)
        elif opening == "{":
            self._inline(path)
        else:
            self._skip(_TEXT if opening in {'"', "'"} else _PLAIN)

    def _list(self, path: Path) -> None:
        self.at += 1
        index = 0
        while self._more("]"):
            self.found.setdefault((*path, index), self.at)
            self._value((*path, index))
            index += 1

    def _inline(self, path: Path) -> None:
        self.at += 1
        while self._more("}"):
            self._pair(path)

    def _more(self, closing: str) -> bool:
        """Goes to the next element; at `closing` goes behind it and says no."""
        self._skip_gap()
        while self.text.startswith(",", self.at):
            self.at += 1
            self._skip_gap()
        if self.at >= len(self.text) or self.text.startswith(closing, self.at):
            self.at += 1
            return False
        return True


def _unquoted(name: str) -> str:
    if name[:1] not in {'"', "'"}:
        return name
    key: str = next(iter(tomllib.loads(f"{name} = 0")))
    return key
