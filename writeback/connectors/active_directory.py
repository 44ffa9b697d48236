"""Active Directory, over LDAPS or StartTLS and never over a plain connection.

Servers are asked in the configured order. Another one is only tried while nothing was sent that
changes anything; what was found out on one server is believed of that server alone.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from .active_directory_connection import ActiveDirectoryConnection, ServerFacts
from .answers import INVALID_CREDENTIALS, SignIn, answer_of_bind
from .base import Entry, Unanswered, Unreachable
from .ldap import LDAPS, Answer, LdapConnection, Server
from .ldap_tls import Transport
from .servers import Servers, servers_read
from .settings import Written, is_sendable

LDAP: Final = 389
_BUSY: Final = frozenset({51, 52})


@dataclass(frozen=True)
class Settings:
    """One Active Directory domain as it was configured.

    controllers: in the order in which they are asked, best the PDC emulator first; base: below
    which people are looked for; account: as `name@domain` or a distinguished name; password: asked
    for at each connection, so that a rotated one needs no restart.
    """

    controllers: tuple[Server, ...]
    base: str
    account: str
    password: Callable[[], str] = field(repr=False)
    transport: Transport = field(default_factory=Transport)

    def __post_init__(self) -> None:
        if not self.controllers or not self.base or not self.account:
            raise ValueError("a directory needs a controller, a base and an account")


def from_settings(settings: Mapping[str, object], secret: Callable[[], str]) -> "ActiveDirectory":
    """secret: gives the account's password, each time anew. Raises SettingWrong."""
    written = Written(settings)
    starttls = written.flag("starttls")
    found = Settings(
        controllers=servers_read(written.texts("servers"), LDAP if starttls else LDAPS),
        base=written.text("base"),
        account=written.text("account"),
        password=secret,
        transport=Transport(
            ca_file=written.file("ca_file"),
            starttls=starttls,
            connect_timeout=written.seconds("connect_timeout", Transport.connect_timeout),
            receive_timeout=written.seconds("receive_timeout", Transport.receive_timeout),
            ca_pem=written.certificates("ca_pem"),
        ),
    )
    written.end()
    return ActiveDirectory(found)


class ActiveDirectory:
    """clock: seconds, for how long a server that failed is left alone."""

    kind = "active_directory"

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._servers = Servers(settings.controllers, settings.transport, clock)
        self._facts: dict[str, ServerFacts] = {}

    @property
    def addresses(self) -> list[tuple[str, int]]:
        return [(server.host, server.port) for server in self._settings.controllers]

    @contextmanager
    def connect(self, controller: str = "") -> Iterator[ActiveDirectoryConnection]:
        """See `base.Directory`."""
        with self._servers.first(controller, self._begin, keeps=True) as link:
            try:
                yield self._connection(link)
            except Unanswered:
                self._servers.failed(link.controller)
                raise
            except Unreachable as error:
                if error.trouble == "unreachable":
                    self._servers.failed(link.controller)
                raise

    def sign_in(self, entry: Entry, password: str, controller: str = "") -> SignIn:
        """See `base.Directory`. It counts as an attempt, so it is made on one server only. Without
        a password nothing is sent: a server would take it for anonymous and say yes. Nor is one
        that can't be written down, because it can't have been set."""
        if not is_sendable(password):
            return "wrong"
        with self._servers.first(controller, lambda link: None) as link:
            try:
                answer = link.bind(entry.place, password)
            except Unreachable:
                self._servers.failed(link.controller)
                raise
        if answer.code in _BUSY:
            raise Unreachable("unreachable", f"result {answer.code}")
        return answer_of_bind(answer.code, answer.message)

    def _begin(self, link: LdapConnection) -> None:
        """What a server is asked before it is relied on, so that another may be asked instead."""
        self._sign_in_account(link)
        self._connection(link).facts()

    def _connection(self, link: LdapConnection) -> ActiveDirectoryConnection:
        return ActiveDirectoryConnection(
            link, self._settings.base, self._facts, self._servers.failed
        )

    def _sign_in_account(self, link: LdapConnection) -> None:
        try:
            password = self._settings.password()
        except OSError as error:
            raise Unreachable("configuration", f"password: {type(error).__name__}") from None
        if not is_sendable(password):
            raise Unreachable("account", "it has no password")
        _check_account(link.bind(self._settings.account, password))


def _check_account(answer: Answer) -> None:
    if answer.code == 0:
        return
    if answer.code == INVALID_CREDENTIALS:
        raise Unreachable("account", answer_of_bind(answer.code, answer.message))
    busy = answer.code in _BUSY
    raise Unreachable("unreachable" if busy else "configuration", f"result {answer.code}")
