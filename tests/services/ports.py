"""Loopback ports and the wait for a server to listen on one."""

import socket
import time
from collections.abc import Callable
from secrets import randbelow

# Below the range the kernel hands out for outgoing connections, so that a port chosen now is not
# somebody's source port by the time its server starts.
FIRST, COUNT = 20_000, 12_000


class NotReady(RuntimeError):
    """A server did not come up in time, or ended while starting."""


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    for _ in range(200):
        port = FIRST + randbelow(COUNT)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise NotReady("no free loopback port found")


def wait_until(ready: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Asks `ready` every 50 ms; raises NotReady after `seconds`."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise NotReady(f"{what} was not ready within {seconds:.0f} s")
        time.sleep(0.05)
