"""PURE. What is wrong with a file: every problem, each at its line, none with a value in it."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

Path = tuple[str | int, ...]
"""A place in the file: `("users", 3, "mobile_phone")`. Lists count from 0."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST_NAME = 60


def key_text(path: Path) -> str:
    """`users[3].mobile_phone`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            name = part if _BARE.fullmatch(part) else json.dumps(part, ensure_ascii=False)
            text += f".{name[:_LONGEST_NAME]}" if text else name[:_LONGEST_NAME]
    return text


@dataclass(frozen=True)
class Problem:
    """One thing to mend. Lines and columns count from 1; nothing where the file can't be read."""

    line: int | None
    column: int | None
    key: str
    message: str

    def as_json(self) -> dict[str, object]:
        return {
            "line": self.line,
            "column": self.column,
            "key": self.key,
            "message": self.message,
        }


class Report:
    """Collects problems. The first one at a place counts, because the next ones follow from it."""

    def __init__(self) -> None:
        self._found: dict[Path, str] = {}
        self._touched: set[Path] = set()

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, path: Path, message: str) -> None:
        if path in self._found:
            return
        self._found[path] = message
        for length in range(len(path) + 1):
            self._touched.add(path[:length])

    def touches(self, *paths: Path) -> bool:
        """Whether there is a problem at or below one of these places."""
        return any(path in self._touched for path in paths)

    def problems(self, locate: Callable[[Path], tuple[int, int]]) -> list[Problem]:
        """All problems in the order of the file; `locate` answers line and column of a place."""
        placed = [
            Problem(*locate(path), key_text(path), message) for path, message in self._found.items()
        ]
        return sorted(placed, key=lambda problem: (problem.line or 0, problem.column or 0))
