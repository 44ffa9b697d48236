"""PURE. Whether a person stands in one of the places an agent may touch (A-112).

A distinguished name is compared part by part and never as text: `OU=Staff` in an escaped comma, in
a quoted value or at the end of another name is no place. What can't be read is nowhere. In doubt
two parts differ, because a difference only refuses.
"""

import re
from collections.abc import Iterable

Part = frozenset[tuple[str, str]]
Place = tuple[Part, ...]
"""From the root down, so that what lies in a place begins with it."""

_ROOT: Part = frozenset({("", "/")})
_CHARACTER = re.compile(
    r"""
    (?P<bytes> (?: \\ [0-9A-Fa-f]{2} )+ )
    | \\ (?P<escaped> [ "\#+,;<=>\\] )
    | (?P<plain> [^\\"<>;\0] )
    """,
    re.VERBOSE | re.DOTALL,
)
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)*")
_Characters = list[tuple[str, bool]]


class NotAPlace(ValueError):
    """A text that is neither a distinguished name nor a path."""


def read_place(text: str) -> Place:
    """A distinguished name (RFC 4514), or a path that begins with a slash. Raises NotAPlace."""
    if text.startswith("/"):
        return (_ROOT, *_path(text))
    parts = [_part(characters) for characters in _split(_characters(text), ",")]
    return tuple(reversed(parts))


def is_within(text: str, places: Iterable[Place]) -> bool:
    """Whether something with this name lies in one of the places, or is one."""
    try:
        found = read_place(text)
    except NotAPlace:
        return False
    return any(place and found[: len(place)] == place for place in places)


def _path(text: str) -> Iterable[Part]:
    for name in text.strip("/").split("/"):
        if name in {"", ".", ".."} or "\0" in name:
            raise NotAPlace(text)
        yield frozenset({("", _folded(name))})


def _characters(text: str) -> _Characters:
    """Every character, and whether an escape took its meaning away."""
    found: _Characters = []
    at = 0
    while at < len(text):
        match = _CHARACTER.match(text, at)
        if match is None:
            raise NotAPlace(text)
        if match["bytes"]:
            found += [(character, True) for character in _decoded(match["bytes"])]
        else:
            found.append((match["escaped"] or match["plain"], match["escaped"] is not None))
        at = match.end()
    return found


def _decoded(pairs: str) -> str:
    try:
        return bytes.fromhex(pairs.replace("\\", "")).decode()
    except UnicodeDecodeError:
        raise NotAPlace(pairs) from None


def _split(characters: _Characters, separator: str) -> list[_Characters]:
    found: list[_Characters] = [[]]
    for character in characters:
        if character == (separator, False):
            found.append([])
        else:
            found[-1].append(character)
    return found


def _part(characters: _Characters) -> Part:
    """One part of a name, which may have several values joined by a plus."""
    return frozenset(_pair(pair) for pair in _split(characters, "+"))


def _pair(characters: _Characters) -> tuple[str, str]:
    if ("=", False) not in characters:
        raise NotAPlace("no value")
    at = characters.index(("=", False))
    kind = "".join(character for character, _ in characters[:at]).strip(" ")
    value = _stripped(characters[at + 1 :])
    if not _TYPE.fullmatch(kind) or not value:
        raise NotAPlace("no value")
    text = "".join(character for character, _ in value)
    # A value that begins with a plain # is written in hexadecimal: the same only as itself.
    is_encoded = value[0] == ("#", False)
    return kind.lower(), f"#{text.lower()}" if is_encoded else f"={_folded(text)}"


def _stripped(characters: _Characters) -> _Characters:
    """Without the spaces around a value, except escaped ones."""
    blank = (" ", False)
    first, last = 0, len(characters)
    while first < last and characters[first] == blank:
        first += 1
    while last > first and characters[last - 1] == blank:
        last -= 1
    return characters[first:last]


def _folded(text: str) -> str:
    """Small letters where that loses nothing: a Kelvin sign is no k."""
    return "".join(
        small if len(small := one.lower()) == 1 and small.upper() == one else one for one in text
    )
