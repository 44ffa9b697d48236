"""Waking whoever waits for a row, without asking the database again and again.

The database is the truth: a bell that is not heard costs time and nothing else, because everybody
who waits looks for himself now and then. On PostgreSQL it is NOTIFY, sent with the transaction that
makes the row; the embedded database has none, so there everybody just looks more often.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import UUID

import psycopg
import structlog
from django.db import connection

from .statements import is_embedded

T = TypeVar("T")
Woken = Callable[[str], None]
"""Takes what a bell says behind its name: nothing if it says no more, or may have been missed."""
log = structlog.get_logger(__name__)
CHANNEL = "sspr"
MESSAGES = "messages"
"""Rung by the database itself whenever a message is queued, with its tenant behind the name
(`ops.RingForTenants`)."""
UNSIGNED = "unsigned"
DIRECT = "direct"
"""For the product's own agents, who look after many directories at once."""
LOOKS_EVERY = 5.0
"""Seconds after which somebody who waits looks without having heard anything."""
LOOKS_EMBEDDED = 0.25
RETRIES_AFTER = 2.0


def ring(name: str | UUID) -> None:
    """Wakes whoever waits for `name`, when the transaction that is open commits."""
    if is_embedded():
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(name)])


class _Ear:
    """One connection a process that hears every bell, and the threads that wait for one."""

    def __init__(self) -> None:
        self._rung = threading.Condition()
        self._counts: dict[str, int] = {}
        self._all = 0
        self._heard: list[tuple[str, Woken]] = []
        self._thread: threading.Thread | None = None

    def count(self, name: str) -> int:
        """How often it rang for this name; also when anything may have been missed."""
        self._listen()
        with self._rung:
            return self._counts.get(name, 0) + self._all

    def wait(self, name: str, since: int, seconds: float) -> None:
        """Until it rings for `name` again after `since`, or the time is over."""
        with self._rung:
            self._rung.wait_for(lambda: self._counts.get(name, 0) + self._all != since, seconds)

    @contextmanager
    def telling(self, name: str, woken: Woken) -> Iterator[None]:
        """Calls `woken`, in a thread of its own, at each bell for this name."""
        self._listen()
        entry = (name, woken)
        with self._rung:
            self._heard.append(entry)
        try:
            yield
        finally:
            with self._rung:
                self._heard.remove(entry)

    def _listen(self) -> None:
        with self._rung:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._hear, name="bell", daemon=True)
                self._thread.start()

    def _hear(self) -> None:
        while True:
            try:
                with psycopg.connect(**_parameters(), autocommit=True) as line:
                    line.execute(f"LISTEN {CHANNEL}")
                    self._ring_all()
                    for heard in line.notifies():
                        self._ring(heard.payload)
            except psycopg.Error as error:
                log.warning("bell_lost", cause=type(error).__name__)
            time.sleep(RETRIES_AFTER)

    def _ring(self, payload: str) -> None:
        name, _, more = payload.partition(" ")
        with self._rung:
            self._counts[name] = self._counts.get(name, 0) + 1
            self._tell([woken for known, woken in self._heard if known == name], more)

    def _ring_all(self) -> None:
        with self._rung:
            self._all += 1
            self._tell([woken for _, woken in self._heard], "")

    def _tell(self, wanted: Iterable[Woken], more: str) -> None:
        self._rung.notify_all()
        for woken in wanted:
            woken(more)


def _parameters() -> dict[str, Any]:
    found = connection.get_connection_params()
    kept = ("host", "port", "user", "password", "dbname", "sslmode", "sslrootcert", "service")
    return {name: found[name] for name in kept if found.get(name)}


_ear = _Ear()


def wait_for(name: str | UUID, look: Callable[[], T | None], seconds: float) -> T | None:
    """What `look` finds, at once or after a bell for `name`; nothing when the time is over.

    No connection of the database is in a transaction while it waits.
    """
    ends = time.monotonic() + seconds
    if seconds <= 0:
        return look()
    while True:
        heard = 0 if is_embedded() else _ear.count(str(name))
        found = look()
        left = ends - time.monotonic()
        if found is not None or left <= 0:
            return found
        if is_embedded():
            time.sleep(min(LOOKS_EMBEDDED, left))
        else:
            _ear.wait(str(name), heard, min(LOOKS_EVERY, left))


@contextmanager
def hearing(name: str, woken: Woken) -> Iterator[None]:
    """Calls `woken` at each bell for `name`, and when one may have been missed. It is called from
    another thread and must not take long; on the embedded database it never is."""
    if is_embedded():
        yield
        return
    with _ear.telling(name, woken):
        yield


_places = threading.BoundedSemaphore(4)


@contextmanager
def place_to_wait() -> Iterator[bool]:
    """Whether this request may wait: a process keeps most of its threads for people."""
    free = _places.acquire(blocking=False)
    try:
        yield free
    finally:
        if free:
            _places.release()
