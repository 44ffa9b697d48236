"""PURE. What a key may hold, as data: one declaration checks files and makes the JSON Schema."""

import difflib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from .report import Path, Report, key_text

INVALID: Any = None
"""Stands where a value was refused. Lists keep their places, so that later checks find theirs."""


class Shape(Protocol):
    """One kind of value."""

    def clean(self, value: Any, path: Path, report: Report) -> Any:
        """The value as later checks take it, or INVALID with a problem in the report."""

    def json_schema(self) -> dict[str, Any]:
        """The same in JSON Schema, draft 2020-12."""


def near(word: str, known: Sequence[str]) -> str:
    """A hint for a slip of the pen, or nothing."""
    found = difflib.get_close_matches(word[:60], known, n=1)
    return f' Did you mean "{found[0]}"?' if found else ""


def faults(shape: Shape, value: Any) -> list[tuple[str, str]]:
    """(place, sentence) for what is wrong with one value that comes from no file; the place is ""
    or, in a list, `[3]`, counted from 0."""
    report = Report()
    shape.clean(list(value) if isinstance(value, tuple) else value, (), report)
    return [(each.key, each.message) for each in report.problems(lambda path: (0, 0))]


@dataclass(frozen=True)
class Text:
    """A text of one line. `secret` ones are never shown, and checked where their meaning is known.

    `choices` are the only values allowed; where they are too many to list, `listed` says where
    they are written down.
    """

    longest: int = 200
    shortest: int = 0
    choices: tuple[str, ...] = ()
    listed: str = ""
    secret: bool = False

    def clean(self, value: Any, path: Path, report: Report) -> Any:
        if not isinstance(value, str):
            report.add(path, "Write a text in quotes.")
        elif self.choices and value not in self.choices:
            known = self.listed or f"Use one of: {', '.join(self.choices)}."
            report.add(path, known + near(value, self.choices))
        elif not self.secret and any(unicodedata.category(char) == "Cc" for char in value):
            report.add(path, "Remove line breaks and control characters from this text.")
        elif not self.secret and len(value.strip()) < self.shortest:
            report.add(path, f"Write at least {self.shortest} characters.")
        elif len(value) > self.longest:
            report.add(path, f"Write at most {self.longest} characters.")
        else:
            return value
        return INVALID

    def json_schema(self) -> dict[str, Any]:
        if self.choices:
            return {"type": "string", "enum": list(self.choices)}
        schema: dict[str, Any] = {"type": "string", "maxLength": self.longest}
        if self.shortest:
            schema["minLength"] = self.shortest
        return schema


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def clean(self, value: Any, path: Path, report: Report) -> Any:
        if isinstance(value, bool):
            return value
        report.add(path, "Write true or false, without quotes.")
        return INVALID

    def json_schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Whole:
    """A whole number, both ends allowed."""

    lowest: int
    highest: int

    def clean(self, value: Any, path: Path, report: Report) -> Any:
        counts = isinstance(value, int) and not isinstance(value, bool)
        if counts and self.lowest <= value <= self.highest:
            return value
        report.add(path, f"Write a whole number from {self.lowest} to {self.highest}.")
        return INVALID

    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.lowest, "maximum": self.highest}


@dataclass(frozen=True)
class Day:
    """A date of the calendar."""

    def clean(self, value: Any, path: Path, report: Report) -> Any:
        if type(value) is date:
            return value
        report.add(path, "Write a date without quotes and without a time, like 2026-11-01.")
        return INVALID

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date"}


@dataclass(frozen=True)
class Listing:
    """A list of values of one shape."""

    of: Shape

    def clean(self, value: Any, path: Path, report: Report) -> Any:
        if not isinstance(value, list):
            report.add(path, "Write a list in square brackets.")
            return INVALID
        return [self.of.clean(item, (*path, index), report) for index, item in enumerate(value)]

    def json_schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.of.json_schema()}


@dataclass(frozen=True)
class Key:
    """One key of a table. `default` holds where it does not stand; `about` is one line of help."""

    shape: Shape
    about: str
    default: Any = ""
    required: bool = False


@dataclass(frozen=True)
class Table:
    """Named keys; any other key is a problem. Cleaned, it holds the valid keys that stand."""

    keys: Mapping[str, Key]

    def clean(self, value: Any, path: Path, report: Report) -> Any:
        if not isinstance(value, dict):
            report.add(path, f"Write a table here, for example [{key_text(path)}].")
            return INVALID
        for name in value.keys() - self.keys.keys():
            report.add((*path, name), f"There is no such key.{near(name, list(self.keys))}")
        for name, key in self.keys.items():
            if key.required and name not in value:
                report.add((*path, name), f"Add this key: {key.about}")
        cleaned = {
            name: key.shape.clean(value[name], (*path, name), report)
            for name, key in self.keys.items()
            if name in value
        }
        return {name: found for name, found in cleaned.items() if found is not INVALID}

    def json_schema(self) -> dict[str, Any]:
        properties = {}
        for name, key in self.keys.items():
            properties[name] = {**key.shape.json_schema(), "description": key.about}
        schema: dict[str, Any] = {
            "type": "object",
            "properties": properties,
            "additionalProperties": False,
        }
        required = [name for name, key in self.keys.items() if key.required]
        return {**schema, "required": required} if required else schema

    def filled(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Every key: as it stands, else its default."""
        return {name: given.get(name, key.default) for name, key in self.keys.items()}
