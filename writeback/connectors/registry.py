"""The kinds of directories. One module each; what a kind needs is imported when it is used."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Final, cast

from .base import Reaching

Factory = Callable[[Mapping[str, object], Callable[[], str]], Reaching]

CONNECTORS: Final[Mapping[str, str]] = {
    "active_directory": "writeback.connectors.active_directory",
    "openldap": "writeback.connectors.openldap",
    "entra_id": "writeback.connectors.entra_id",
    "scim": "writeback.connectors.scim",
}


class NoSuchKind(LookupError):
    """No connector has this name."""


def make_directory(
    kind: str, settings: Mapping[str, object], secret: Callable[[], str]
) -> Reaching:
    """A directory as it was set up. secret: gives the password or token of the connector's own
    account. Raises NoSuchKind, and `settings.SettingWrong` for what was set up wrongly."""
    if kind not in CONNECTORS:
        raise NoSuchKind(kind)
    factory = cast(Factory, import_module(CONNECTORS[kind]).from_settings)
    return factory(settings, secret)
