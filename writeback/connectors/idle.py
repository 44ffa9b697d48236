"""Signed-in LDAP connections between two jobs.

A handshake and a sign-in cost a directory more than a reset does. A connection that waits here is
used again within seconds or not at all: what its account may do, and whose certificate it showed,
was found out when it began.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Lock
from weakref import finalize

from .ldap import LdapConnection

WAITS = 15.0
LASTS = 60.0
"""Seconds, since the last job and since the first."""


@dataclass(frozen=True)
class Held:
    """A connection and when it was begun."""

    link: LdapConnection
    begun: float


@dataclass(frozen=True)
class _Waiting:
    held: Held
    since: float

    def is_late(self, now: float) -> bool:
        return now - self.since >= WAITS or now - self.held.begun >= LASTS


class Idle:
    """For several threads. clock: seconds, of which only differences count."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._waiting: list[_Waiting] = []
        finalize(self, _close, self._waiting)

    def begin(self, link: LdapConnection) -> Held:
        return Held(link, self._clock())

    def take(self, server: str) -> Held | None:
        """The one that was used last, as long as nothing has come on it since; nothing when there
        is none."""
        self._drop_late()
        while (held := self._popped(server)) is not None:
            if held.link.is_quiet:
                return held
            held.link.close()
        return None

    def put(self, held: Held) -> None:
        """Leaves it for the next job."""
        with self._lock:
            self._waiting.append(_Waiting(held, self._clock()))
        self._drop_late()

    def drop(self, server: str) -> None:
        """Of a server that did not answer, no connection is waited on again."""
        while (held := self._popped(server)) is not None:
            held.link.close()

    def _popped(self, server: str) -> Held | None:
        with self._lock:
            mine = [one for one in self._waiting if one.held.link.controller == server]
            if not mine:
                return None
            self._waiting.remove(mine[-1])
            return mine[-1].held

    def _drop_late(self) -> None:
        with self._lock:
            now = self._clock()
            late = [one for one in self._waiting if one.is_late(now)]
            for one in late:
                self._waiting.remove(one)
        _close(late)


def _close(waiting: Iterable[_Waiting]) -> None:
    for one in waiting:
        one.held.link.close()
