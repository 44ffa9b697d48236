"""How a directory that the product reaches itself is set up, and where it may be.

Who administers a tenant writes the settings, so they may not lead to whatever the installation can
reach: only to hosts that its operator named, and to Microsoft's own for Entra ID. Nothing in them
names a file.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .agent.cap import Cap
from .connectors.base import Directory
from .connectors.registry import make_directory
from .connectors.settings import SettingWrong
from .places import NotAPlace, Place, read_place

USUAL_PORTS: Final = (389, 443, 636)
"""What a host that is allowed without a port may be reached on."""
MICROSOFT: Final = frozenset(
    (host, 443)
    for host in (
        "graph.microsoft.com",
        "graph.microsoft.us",
        "dod-graph.microsoft.us",
        "microsoftgraph.chinacloudapi.cn",
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.partner.microsoftonline.cn",
    )
)
LONGEST: Final = 20_000
MOST_SERVERS: Final = 4
LONGEST_WAITS: Final = {"connect_timeout": 5, "receive_timeout": 10, "operation_timeout": 60}
NOT_ALLOWED: Final = (
    "This host may not be reached from here. The people who run this service can allow it; else "
    "use an agent."
)
Hosts = frozenset[tuple[str, int]]


@dataclass(frozen=True)
class Allowed:
    """Where directories may be. is_test: whether a service may be plain http on this machine."""

    hosts: Hosts = frozenset()
    is_test: bool = False


@dataclass(frozen=True)
class DirectSettings:
    """settings: TOML, as below `[directory.settings]` of an agent; places: distinguished names or
    paths below which people may be touched; per_hour, burst: of the cap."""

    settings: str
    places: tuple[str, ...]
    per_hour: int = Cap.per_hour
    burst: int = Cap.burst

    def stored(self) -> dict[str, Any]:
        return {
            "settings": self.settings,
            "places": list(self.places),
            "per_hour": self.per_hour,
            "burst": self.burst,
        }

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> "DirectSettings":
        """Raises SettingWrong for what another version wrote."""
        try:
            return cls(
                str(stored["settings"]),
                tuple(map(str, stored["places"])),
                int(stored["per_hour"]),
                int(stored["burst"]),
            )
        except (KeyError, TypeError, ValueError):
            raise SettingWrong("settings", "Set them anew.") from None

    @property
    def cap(self) -> Cap:
        return Cap(self.per_hour, self.burst)


def hosts_read(texts: Iterable[str]) -> Hosts:
    """`host` or `host:port`, an IPv6 address in brackets. Raises ValueError."""
    return frozenset(pair for text in texts for pair in _host_read(text.lower()))


def _host_read(text: str) -> list[tuple[str, int]]:
    host, colon, number = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, number = text, ""
    bare = host.removeprefix("[").removesuffix("]")
    if not bare or (":" in bare) != host.startswith("[") or not set(bare).isdisjoint(" /@*?#"):
        raise ValueError(text)
    if not colon or text.endswith("]"):
        return [(bare, port) for port in USUAL_PORTS]
    if not (number.isascii() and number.isdecimal() and 0 < int(number) < 65536):
        raise ValueError(text)
    return [(bare, int(number))]


def directory_from(kind: str, text: str, secret: Callable[[], str], allowed: Allowed) -> Directory:
    """The directory of these settings, if it may be reached. Asked whenever it is used, so that a
    host that is not allowed any more is not reached any more. Raises SettingWrong."""
    settings = _settings_read(text)
    _refuse_here(settings, allowed)
    directory = make_directory(kind, settings, secret)
    hosts = allowed.hosts | (MICROSOFT if kind == "entra_id" else frozenset())
    for host, port in directory.addresses:
        if (host.lower(), port) not in hosts:
            raise SettingWrong(f"{host}:{port}", NOT_ALLOWED)
    return directory


def places_read(texts: Sequence[str]) -> tuple[Place, ...]:
    """At least one place. Raises SettingWrong."""
    if not texts:
        raise SettingWrong("places", "Write at least one place.")
    try:
        return tuple(read_place(text) for text in texts)
    except NotAPlace:
        raise SettingWrong("places", "Write a distinguished name or a path on each line.") from None


def _settings_read(text: str) -> dict[str, object]:
    if len(text) > LONGEST:
        raise SettingWrong("settings", f"Write at most {LONGEST} characters.")
    try:
        return tomllib.loads(text.replace("\r\n", "\n"))
    except tomllib.TOMLDecodeError as error:
        raise SettingWrong("settings", f"This is not TOML: {error}.") from None
    except RecursionError:
        raise SettingWrong("settings", "This is not TOML.") from None


def _refuse_here(settings: Mapping[str, object], allowed: Allowed) -> None:
    """What an agent may be told, and the product not."""
    if "ca_file" in settings:
        raise SettingWrong("ca_file", "Write the certificates themselves, as ca_pem.")
    if "is_test" in settings and not allowed.is_test:
        raise SettingWrong("is_test", "There is no such setting.")
    servers = settings.get("servers")
    if isinstance(servers, list) and len(servers) > MOST_SERVERS:
        raise SettingWrong("servers", f"Write at most {MOST_SERVERS}.")
    for name, most in LONGEST_WAITS.items():
        value = settings.get(name)
        if isinstance(value, int | float) and value > most:
            raise SettingWrong(name, f"Write seconds, at most {most}.")
