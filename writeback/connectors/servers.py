"""The servers of one LDAP directory: the first that answers is taken.

Another one is only tried while nothing was sent that changes anything.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from .base import Trouble, Unreachable
from .breaker import Breaker
from .ldap import LdapConnection, Server, Transport, connected
from .settings import SettingWrong

_GRAVEST_FIRST: tuple[Trouble, ...] = ("untrusted", "configuration", "unreachable")


def servers_read(texts: Sequence[str], port: int) -> tuple[Server, ...]:
    """`host` or `host:port`, an IPv6 address in brackets. Raises SettingWrong."""
    return tuple(_server(text, port) for text in texts)


class Servers:
    """In the order in which they are asked. clock: seconds, for how long one that failed rests."""

    def __init__(
        self, servers: Sequence[Server], transport: Transport, clock: Callable[[], float]
    ) -> None:
        self._servers = {server.name: server for server in servers}
        self._transport = transport
        self._breaker = Breaker(clock)

    def first(
        self, stack: ExitStack, only: str, prepare: Callable[[LdapConnection], None]
    ) -> LdapConnection:
        """The first that answers and lets itself be prepared, or `only` this one.

        Raises Unreachable: at once for a refused account, because every server would ask the same
        one, and our own attempts would lock it.
        """
        troubles: dict[Trouble, str] = {}
        for server in self._worth_asking(only):
            attempt = stack.enter_context(ExitStack())
            try:
                link = attempt.enter_context(connected(server, self._transport))
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

    def failed(self, name: str) -> None:
        """This one did not answer a request."""
        self._breaker.failed(name)

    def _worth_asking(self, only: str) -> list[Server]:
        if only and only not in self._servers:
            raise Unreachable("configuration", f"no server {only} is configured")
        names = [only] if only else self._breaker.worth_asking(list(self._servers))
        return [self._servers[name] for name in names]


def _server(text: str, port: int) -> Server:
    host, colon, number = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, number = text, str(port)
    host = host.removeprefix("[").removesuffix("]")
    is_port = number.isascii() and number.isdecimal() and 0 < int(number) < 65536
    if not host or not is_port or not host.isascii() or not set(host).isdisjoint(" /@[]?#"):
        raise SettingWrong("servers", "Write each as host or host:port.")
    return Server(host, int(number))
