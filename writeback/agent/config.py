"""The agent's configuration: one TOML file without a secret in it.

Whatever is missing, unknown or can't be right stops the agent with one line that names the key, its
line in the file and what to write there.
"""

import re
import socket
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from ..places import NotAPlace, Place, read_place
from .cap import Cap
from .files import NotPrivate, read_private

KEYS: Final[Mapping[str, frozenset[str]]] = {
    "": frozenset(
        {"product", "ca_file", "proxy", "state", "name", "allow_loopback_http", "directory"}
        | {"limits"}
    ),
    "directory": frozenset({"kind", "secret_file", "canary", "settings"}),
    "limits": frozenset({"places", "protected", "per_hour", "burst", "at_once"}),
}
LONGEST_NAME = 100


class ConfigError(Exception):
    """One line about what to mend."""


@dataclass(frozen=True)
class Config:
    """canary: the permanent id of a person on whom the connector's rights are tried out; at_once:
    how many jobs are at the directory at the same time."""

    product: str
    state: Path
    name: str
    kind: str
    settings: Mapping[str, Any]
    secret_file: Path | None
    places: Sequence[Place]
    ca_file: Path | None = None
    proxy: str = ""
    canary: str = ""
    may_touch_protected: bool = False
    cap: Cap = field(default_factory=Cap)
    at_once: int = 8

    def get_secret(self) -> str:
        """The password of the connector's account: the file's text without its last line end.
        Raises ConfigError for a file that others can read."""
        if self.secret_file is None:
            return ""
        try:
            return read_private(self.secret_file).decode().removesuffix("\n").removesuffix("\r")
        except NotPrivate:
            raise ConfigError(
                f"{self.secret_file}: others can read this secret; chmod 600 {self.secret_file}"
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise ConfigError(f"{self.secret_file}: {reason}") from None


def read_config(path: Path) -> Config:
    """Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ConfigError(f"{path}: {reason}") from None
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: this is not TOML: {error}") from None
    return _Reader(path, text, data).config()


class _Reader:
    """Reads key by key, and says of each what is wrong with it."""

    def __init__(self, path: Path, text: str, data: Mapping[str, Any]) -> None:
        self._path = path
        self._text = text
        self._data = data

    def config(self) -> Config:
        self._refuse_unknown()
        kind = self._text_of("directory", "kind")
        if not kind:
            raise self._wrong("directory", "kind", 'is missing; for example "active_directory"')
        secret = self._text_of("directory", "secret_file")
        ca_file = self._text_of("", "ca_file")
        return Config(
            product=self._product(),
            state=self._state(),
            name=self._name(),
            kind=kind,
            settings=self._table("directory").get("settings", {}),
            secret_file=Path(secret) if secret else None,
            places=self._places(),
            ca_file=Path(ca_file) if ca_file else None,
            proxy=self._text_of("", "proxy"),
            canary=self._text_of("directory", "canary"),
            may_touch_protected=self._protected() == "allow",
            cap=Cap(self._number("per_hour", 60, 10_000), self._number("burst", 10, 1_000)),
            at_once=self._number("at_once", 8, 64),
        )

    def _refuse_unknown(self) -> None:
        for table, names in KEYS.items():
            for key in self._table(table):
                if key not in names:
                    known = ", ".join(sorted(names))
                    raise self._wrong(table, key, f"is no key here; known are {known}")
        if not isinstance(self._table("directory").get("settings", {}), dict):
            raise self._wrong("directory", "settings", "is a table: [directory.settings]")

    def _product(self) -> str:
        address = self._text_of("", "product")
        parts = urlsplit(address)
        if not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
            raise self._wrong("", "product", 'is an address like "https://reset.example.com"')
        if parts.username is not None or parts.password is not None:
            raise self._wrong("", "product", "holds no name or password")
        if parts.scheme == "https":
            return f"https://{parts.netloc}"
        if parts.scheme == "http" and self._mark("allow_loopback_http"):
            if _is_loopback(parts.hostname):
                return f"http://{parts.netloc}"
            raise self._wrong("", "product", "may be http only on this machine itself")
        raise self._wrong("", "product", "begins with https://")

    def _state(self) -> Path:
        state = self._text_of("", "state")
        if not Path(state).is_absolute():
            raise self._wrong("", "state", 'is a whole path, for example "/var/lib/sspr-agent"')
        return Path(state)

    def _name(self) -> str:
        name = self._text_of("", "name") or socket.gethostname()
        if len(name) > LONGEST_NAME or not name.isprintable():
            raise self._wrong("", "name", f"is one line of at most {LONGEST_NAME} characters")
        return name

    def _places(self) -> tuple[Place, ...]:
        texts = self._table("limits").get("places")
        if not isinstance(texts, list) or not texts:
            example = 'places = ["OU=Staff,DC=example,DC=com"]'
            raise self._wrong("limits", "places", f"is missing; for example {example}")
        found = []
        for text in texts:
            try:
                found.append(read_place(str(text)))
            except NotAPlace:
                raise self._wrong(
                    "limits",
                    "places",
                    f"holds no distinguished name: {text!r}; a comma in a name is written \\\\,",
                ) from None
        return tuple(found)

    def _protected(self) -> str:
        policy = self._text_of("limits", "protected") or "refuse"
        if policy not in {"refuse", "allow"}:
            raise self._wrong("limits", "protected", 'is "refuse" or "allow"')
        return policy

    def _table(self, name: str) -> Mapping[str, Any]:
        found = self._data if not name else self._data.get(name, {})
        if not isinstance(found, dict):
            raise self._wrong("", name, f"is a table: [{name}]")
        return found

    def _text_of(self, table: str, key: str) -> str:
        value = self._table(table).get(key, "")
        if not isinstance(value, str):
            raise self._wrong(table, key, "is a text in quotes")
        return value

    def _mark(self, key: str) -> bool:
        value = self._table("").get(key, False)
        if not isinstance(value, bool):
            raise self._wrong("", key, "is true or false")
        return value

    def _number(self, key: str, default: int, largest: int) -> int:
        value: object = self._table("limits").get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= largest:
            raise self._wrong("limits", key, f"is a number from 1 to {largest}")
        return value

    def _wrong(self, table: str, key: str, what: str) -> ConfigError:
        """The line of a key is found in the text, because the parser does not tell it."""
        place = f"{self._path}:{self._line(table, key)}"
        return ConfigError(f"{place}: {f'{table}.{key}' if table else key} {what}")

    def _line(self, table: str, key: str) -> int:
        """Of the key, else of its table, else the first."""
        inside, found = "", 1
        for number, line in enumerate(self._text.splitlines(), 1):
            if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line):
                inside = header[1]
                if inside == table or f"{table}.{key}".strip(".") == inside:
                    found = number
            elif inside == table and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*[=.]""", line):
                return number
        return found


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
