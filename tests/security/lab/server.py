"""The product as it runs in production: gunicorn behind a proxy that ends TLS and is trusted.

The proxy is played by the client: it says `X-Forwarded-Proto: https` and who the caller is in
`X-Forwarded-For`, so that cookies carry their prefix and every attacker has an address of their
own. Each worker of a test run starts one server for all cases; a case that kills one starts its
own with `start_server(…)`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.services.server import ServerProcess

SHARED_HOST = "sspr.test"
PROXY = {"X-Forwarded-Proto": "https"}
THREADS = 12


def environment(**more: str) -> dict[str, str]:
    """What the server is told beyond the database, keys and outbox of the test run."""
    return {
        "SSPR_BASE_URL": f"https://{SHARED_HOST}",
        "SSPR_ALLOWED_HOSTS": SHARED_HOST,
        "SSPR_TRUSTED_PROXIES": "127.0.0.1",
        **more,
    }


@contextmanager
def start_server(**more: str) -> Iterator[ServerProcess]:
    """A server with these further environment variables, ended when the block is left."""
    with ServerProcess(environment(**more), threads=THREADS) as server:
        yield server
