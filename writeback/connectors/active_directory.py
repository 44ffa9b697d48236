"""Active Directory, over LDAPS or StartTLS and never over a plain connection.

Servers are asked in the configured order. Another one is only tried while nothing was sent that
changes anything; what was found out on one server is believed of that server alone.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Final

from .active_directory_connection import ActiveDirectoryConnection, ServerFacts
from .answers import INVALID_CREDENTIALS, SignIn, answer_of_bind
from .base import Entry, Trouble, Unanswered, Unreachable
from .breaker import Breaker
from .ldap import Answer, LdapConnection, Server, Transport, connected

_BUSY: Final = frozenset({51, 52})
_GRAVEST_FIRST: Final[tuple[Trouble, ...]] = ("untrusted", "configuration", "unreachable")


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


class ActiveDirectory:
    """clock: seconds, for how long a server that failed is left alone."""

    kind = "active_directory"

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._breaker = Breaker(clock)
        self._facts: dict[str, ServerFacts] = {}

    @contextmanager
    def connect(self, controller: str = "") -> Iterator[ActiveDirectoryConnection]:
        """See `base.Directory`. A refused account is not tried elsewhere: every server would ask
        the same one, and the account would be locked by our own attempts."""
        with ExitStack() as stack:
            link = self._first(stack, controller, self._begin)
            try:
                yield self._connection(link)
            except Unanswered:
                self._breaker.failed(link.controller)
                raise
            except Unreachable as error:
                if error.trouble == "unreachable":
                    self._breaker.failed(link.controller)
                raise

    def sign_in(self, entry: Entry, password: str, controller: str = "") -> SignIn:
        """See `base.Directory`. It counts as an attempt, so it is made on one server only. Without
        a password nothing is sent: a server would take it for anonymous and say yes."""
        if not password:
            return "wrong"
        with ExitStack() as stack:
            link = self._first(stack, controller, lambda link: None)
            try:
                answer = link.bind(entry.place, password)
            except Unreachable:
                self._breaker.failed(link.controller)
                raise
        if answer.code in _BUSY:
            raise Unreachable("unreachable", f"result {answer.code}")
        return answer_of_bind(answer.code, answer.message)

    def _first(
        self, stack: ExitStack, controller: str, prepare: Callable[[LdapConnection], None]
    ) -> LdapConnection:
        """The first server that answers and lets itself be prepared, or this one alone."""
        troubles: dict[Trouble, str] = {}
        for server in self._servers(controller):
            attempt = stack.enter_context(ExitStack())
            try:
                link = attempt.enter_context(connected(server, self._settings.transport))
                prepare(link)
            except Unreachable as error:
                attempt.close()
                if error.trouble == "account":
                    raise
                self._breaker.failed(server.name)
                troubles.setdefault(error.trouble, f"{server.name}: {error.detail}")
            else:
                self._breaker.answered(server.name)
                return link
        worst = next(trouble for trouble in _GRAVEST_FIRST if trouble in troubles)
        raise Unreachable(worst, troubles[worst])

    def _servers(self, controller: str) -> list[Server]:
        known = {server.name: server for server in self._settings.controllers}
        if controller:
            if controller not in known:
                raise Unreachable("configuration", f"no server {controller} is configured")
            return [known[controller]]
        return [known[name] for name in self._breaker.worth_asking(list(known))]

    def _begin(self, link: LdapConnection) -> None:
        """What a server is asked before it is relied on, so that another may be asked instead."""
        self._sign_in_account(link)
        self._connection(link).facts()

    def _connection(self, link: LdapConnection) -> ActiveDirectoryConnection:
        return ActiveDirectoryConnection(
            link, self._settings.base, self._facts, self._breaker.failed
        )

    def _sign_in_account(self, link: LdapConnection) -> None:
        try:
            password = self._settings.password()
        except OSError as error:
            raise Unreachable("configuration", f"password: {type(error).__name__}") from None
        if not password:
            raise Unreachable("account", "it has no password")
        _check_account(link.bind(self._settings.account, password))


def _check_account(answer: Answer) -> None:
    if answer.code == 0:
        return
    if answer.code == INVALID_CREDENTIALS:
        raise Unreachable("account", answer_of_bind(answer.code, answer.message))
    busy = answer.code in _BUSY
    raise Unreachable("unreachable" if busy else "configuration", f"result {answer.code}")
