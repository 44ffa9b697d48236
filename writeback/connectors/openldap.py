"""OpenLDAP with its password policy, over LDAPS or StartTLS and never over a plain connection.

The connector's account needs `write` on `userPassword`, and on `pwdAccountLockedTime` and
`pwdReset` for what belongs to them. With `manage` on passwords it would be what the policy calls a
password administrator, for whom neither quality nor history hold; settings say so where that is so.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from .answers import SignIn
from .base import Entry, Unanswered, Unreachable
from .ldap import LDAP, LDAPS, LdapConnection, Server
from .ldap_tls import Transport
from .openldap_answers import PASSWORD_POLICY, Policy, answer_of_bind, code_for_log, policy_read
from .openldap_connection import BUSY, CONTROLS, OpenLdapConnection, Scope
from .servers import Servers, servers_read
from .settings import SettingWrong, Written, is_sendable

KIND: Final = "openldap"


def wall_clock() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


@dataclass(frozen=True)
class OpenLdapSettings:
    """servers: in the order in which they are asked; account: the connector's own distinguished
    name; scope: where people are and what is known of them."""

    servers: tuple[Server, ...]
    account: str
    scope: Scope
    transport: Transport = field(default_factory=Transport)


def from_settings(settings: Mapping[str, object], secret: Callable[[], str]) -> "OpenLdap":
    """secret: gives the account's password, each time anew. Raises SettingWrong."""
    written = Written(settings)
    starttls = written.flag("starttls")
    found = OpenLdapSettings(
        servers=servers_read(written.texts("servers"), LDAP if starttls else LDAPS),
        account=written.text("account"),
        scope=Scope(
            base=written.text("base"),
            default_policy=written.text("default_policy", ""),
            login_attribute=written.text("login_attribute", "uid"),
            protected_filter=written.text("protected_filter", ""),
            is_password_administrator=written.flag("password_administrator"),
        ),
        transport=Transport(
            ca_file=written.file("ca_file"),
            starttls=starttls,
            connect_timeout=written.seconds("connect_timeout", Transport.connect_timeout),
            receive_timeout=written.seconds("receive_timeout", Transport.receive_timeout),
            ca_pem=written.certificates("ca_pem"),
        ),
    )
    written.end()
    protected = found.scope.protected_filter
    if protected and not (protected.startswith("(") and protected.endswith(")")):
        raise SettingWrong("protected_filter", "Write a filter in parentheses.")
    return OpenLdap(found, secret)


class OpenLdap:
    """One directory as it was configured. now: the time that locks and ages are held against."""

    kind = KIND

    def __init__(
        self,
        settings: OpenLdapSettings,
        secret: Callable[[], str],
        now: Callable[[], datetime] = wall_clock,
    ) -> None:
        self._settings = settings
        self._secret = secret
        self._now = now
        self._servers = Servers(settings.servers, settings.transport, time.monotonic)

    def __repr__(self) -> str:
        return f"OpenLdap({self._settings!r})"

    @property
    def addresses(self) -> list[tuple[str, int]]:
        return [(server.host, server.port) for server in self._settings.servers]

    @contextmanager
    def connect(self, controller: str = "") -> Iterator[OpenLdapConnection]:
        with self._servers.first(controller, self._sign_in_account, keeps=True) as link:
            try:
                yield OpenLdapConnection(link, self._settings.scope, self._now, self._dial)
            except Unanswered:
                self._servers.failed(link.controller)
                raise
            except Unreachable as error:
                if error.trouble == "unreachable":
                    self._servers.failed(link.controller)
                raise

    def sign_in(self, entry: Entry, password: str, controller: str = "") -> SignIn:
        """It counts as an attempt, so it is made on one server only. Without a password nothing is
        sent: a server would take it for anonymous and say yes."""
        if not is_sendable(password):
            return "wrong"
        with self._dial(controller) as link:
            answer = link.bind(entry.place, password, CONTROLS)
        if answer.code in BUSY:
            raise Unreachable("unreachable", f"result {answer.code}")
        return answer_of_bind(answer.code, policy_read(answer.controls.get(PASSWORD_POLICY)))

    def _dial(self, controller: str) -> AbstractContextManager[LdapConnection]:
        """A connection on which nobody is signed in."""
        return self._servers.first(controller, lambda link: None)

    def _sign_in_account(self, link: LdapConnection) -> None:
        try:
            password = self._secret()
        except OSError as error:
            raise Unreachable("configuration", f"password: {type(error).__name__}") from None
        if not is_sendable(password):
            raise Unreachable("account", "it has no password")
        answer = link.bind(self._settings.account, password, CONTROLS)
        policy: Policy = policy_read(answer.controls.get(PASSWORD_POLICY))
        said = answer_of_bind(answer.code, policy)
        if answer.code in BUSY:
            raise Unreachable("unreachable", f"result {answer.code}")
        # Who has to change the password may do nothing else.
        if said in {"wrong", "locked", "expired", "must_change"}:
            raise Unreachable("account", said)
        if said != "right":
            raise Unreachable("configuration", f"result {code_for_log(answer.code, policy)}")
