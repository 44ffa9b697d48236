"""The servers of one LDAP directory: the first that answers is taken.

Another one is only tried while nothing was sent that changes anything.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from .base import Trouble, Unreachable
from .breaker import Breaker
from .idle import Held, Idle
from .ldap import LdapConnection, Server, opened
from .ldap_tls import Transport, Trust
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
        self._trust = Trust(transport, clock)
        self._breaker = Breaker(clock)
        self._idle = Idle(clock)

    @contextmanager
    def first(
        self, only: str, prepare: Callable[[LdapConnection], None], *, keeps: bool = False
    ) -> Iterator[LdapConnection]:
        """The first that answers and lets itself be prepared, or `only` this one. keeps: a
        connection that was prepared for an earlier job is as good, and this one is left for the
        next unless something went wrong on it.

        Raises Unreachable: at once for a refused account, because every server would ask the same
        one, and our own attempts would lock it.
        """
        held = self._first(self._worth_asking(only), prepare, keeps=keeps)
        try:
            yield held.link
        except BaseException:
            held.link.close()
            raise
        if keeps:
            self._idle.put(held)
        else:
            held.link.close()

    def _first(
        self, servers: Sequence[Server], prepare: Callable[[LdapConnection], None], *, keeps: bool
    ) -> Held:
        troubles: dict[Trouble, str] = {}
        for server in servers:
            kept = self._idle.take(server.name) if keeps else None
            if kept is not None:
                return kept
            try:
                held = self._prepared(server, prepare)
            except Unreachable as error:
                if error.trouble == "account":
                    raise
                self._breaker.failed(server.name)
                troubles.setdefault(error.trouble, f"{server.name}: {error.detail}")
            else:
                self._breaker.answered(server.name)
                return held
        worst = next(trouble for trouble in _GRAVEST_FIRST if trouble in troubles)
        raise Unreachable(worst, troubles[worst])

    def _prepared(self, server: Server, prepare: Callable[[LdapConnection], None]) -> Held:
        link = opened(server, self._transport, self._trust.context())
        try:
            prepare(link)
        except BaseException:
            link.close()
            raise
        return self._idle.begin(link)

    def failed(self, name: str) -> None:
        """This one did not answer a request."""
        self._breaker.failed(name)
        self._idle.drop(name)

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
