"""What the tests of OpenLDAP's connector do with it."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.lab.slapd import (
    ACCOUNT_PASSWORD,
    DEFAULT_POLICY,
    FIRST_PASSWORD,
    PEOPLE,
    ROOT,
    ROOT_PASSWORD,
    WRITEBACK,
    Slapd,
    anchor,
)
from tests.writeback.connectors.opened import connected
from writeback.connectors.base import (
    Change,
    Entry,
)
from writeback.connectors.ldap import LdapConnection, Server
from writeback.connectors.ldap_tls import Transport
from writeback.connectors.openldap import OpenLdap, from_settings
from writeback.connectors.openldap_connection import OpenLdapConnection

NEW, OTHER = "New-Passw0rd-2", "Other-Passw0rd-3"
UNFINISHED = "not waited for"


def settings(server: Slapd, **more: object) -> dict[str, object]:
    return {
        "servers": [server.name],
        "base": PEOPLE,
        "account": WRITEBACK,
        "default_policy": DEFAULT_POLICY,
        "ca_file": str(server.authority.file),
        **more,
    }


def directory(server: Slapd, **more: object) -> OpenLdap:
    return from_settings(settings(server, **more), lambda: ACCOUNT_PASSWORD)


@contextmanager
def working_on(
    server: Slapd, login: str, **more: object
) -> Iterator[tuple[OpenLdapConnection, Entry]]:
    """A connection, and this person as it has them."""
    with directory(server, **more).connect() as connection:
        yield connection, found(connection, login)


@contextmanager
def administrator(server: Slapd) -> Iterator[LdapConnection]:
    """The directory's own administrator, for what no connector does."""
    transport = Transport(ca_file=server.authority.file)
    with connected(Server("127.0.0.1", server.port), transport) as link:
        assert link.bind(ROOT, ROOT_PASSWORD).code == 0
        yield link


def found(connection: OpenLdapConnection, login: str) -> Entry:
    entry = connection.find(anchor(login))
    assert entry is not None
    return entry


def reset(connection: OpenLdapConnection, entry: Entry, new: str = NEW, **more: bool) -> Change:
    return connection.set_password(entry, new, **{"unlock": False, "must_change": False, **more})


def lock(server: Slapd, entry: Entry) -> None:
    """Three wrong passwords."""
    for _ in range(3):
        directory(server).sign_in(entry, "a wrong one")
    assert directory(server).sign_in(entry, FIRST_PASSWORD) == "locked"
