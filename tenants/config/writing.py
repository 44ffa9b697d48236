"""PURE. Data as TOML, the same bytes for the same data."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

WIDTH = 100


def to_toml(document: Mapping[str, Any]) -> str:
    """Tables and lists of tables at the top level, everything deeper in one line where it fits."""
    parts = []
    for name, value in document.items():
        rows = value if isinstance(value, list) else [value]
        heading = f"[[{name}]]" if isinstance(value, list) else f"[{name}]"
        parts += [_table(heading, row) for row in rows]
    return "\n".join(parts)


def _table(heading: str, row: Mapping[str, Any]) -> str:
    lines = [heading, *(f"{name} = {_broken(name, value)}" for name, value in row.items())]
    return "\n".join(lines) + "\n"


def _broken(name: str, value: Any) -> str:
    """A list that is too long for a line gets one for each element."""
    line = _value(value)
    if not isinstance(value, list) or len(name) + 3 + len(line) <= WIDTH:
        return line
    return "\n".join(["[", *(f"    {_value(item)}," for item in value), "]"])


def _value(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{name} = {_value(item)}" for name, item in value.items())
        return "{ " + pairs + " }"
    if isinstance(value, date):
        return value.isoformat()
    # Texts, numbers and flags are written as in JSON, but for one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
