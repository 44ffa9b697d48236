"""TLS to an LDAP server by the standard library, and sockets whose every wait ends."""

import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ldap3

from .base import Unreachable

READ_ANEW = 3600.0


@dataclass(frozen=True)
class Transport:
    """How a server is reached. ca_file, ca_pem: whose signature on its certificate counts, the
    system's list where both are nothing; starttls: TLS begins on the plain port, before anything is
    said there.

    Timeouts are seconds: for the connection and for the handshake each, and for each answer as a
    whole, however slowly its bytes come.
    """

    ca_file: Path | None = None
    starttls: bool = False
    connect_timeout: float = 2.0
    receive_timeout: float = 5.0
    ca_pem: str = field(default="", repr=False)


class Trust:
    """Whose signature on a server's certificate counts, read anew when its file was replaced and
    once an hour: the system's list takes longer to read than a whole reset.

    clock: seconds, of which only differences count.
    """

    def __init__(self, transport: Transport, clock: Callable[[], float]) -> None:
        self._transport = transport
        self._clock = clock
        self._read: tuple[object, float, ssl.SSLContext] | None = None

    def context(self) -> ssl.SSLContext:
        """Raises Unreachable for a file that holds no certificates."""
        stamp, now = self._stamp(), self._clock()
        if self._read is not None and self._read[0] == stamp and now < self._read[1]:
            return self._read[2]
        context = _context(self._transport)
        self._read = (stamp, now + READ_ANEW, context)
        return context

    def _stamp(self) -> object:
        path = self._transport.ca_file
        try:
            found = path.stat() if path is not None else None
        except OSError:
            return "unreadable"
        return found and (found.st_mtime_ns, found.st_size, found.st_ino)


def _context(transport: Transport) -> ssl.SSLContext:
    """Raises Unreachable for a file that holds no certificates."""
    try:
        pem = transport.ca_pem or None
        context = ssl.create_default_context(cafile=transport.ca_file, cadata=pem)
    except (OSError, ssl.SSLError) as error:
        raise Unreachable("configuration", f"ca_file: {type(error).__name__}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = TlsSocket
    return context


class Tls(ldap3.Tls):
    """TLS by the standard library, which knows names, addresses and SNI on every Python."""

    def __init__(self, context: ssl.SSLContext, timeout: float) -> None:
        """timeout: seconds, for the handshake."""
        super().__init__(validate=ssl.CERT_REQUIRED, version=ssl.PROTOCOL_TLS_CLIENT)
        self._context = context
        self._timeout = timeout
        self.fault: Exception | None = None

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        raw = connection.socket
        raw.settimeout(self._timeout)
        # Without it every small request waits 40 ms for the one before to be acknowledged.
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            connection.socket = self._context.wrap_socket(
                raw, server_hostname=connection.server.host
            )
        except Exception as error:
            self.fault = error
            raise


class _Bounded:
    """A socket that takes an answer as a whole until a moment, and knows whether it sent."""

    has_sent = False
    _ends_at = 0.0

    def allow(self, seconds: float) -> None:
        """A request begins and may take this long."""
        self.has_sent = False
        self._ends_at = time.monotonic() + seconds

    def sendall(self, data: Any, flags: int = 0) -> None:
        self.has_sent = True
        self._wait()
        super().sendall(data, flags)  # type: ignore[misc]

    def recv(self, size: int = 1024, flags: int = 0) -> bytes:
        self._wait()
        received: bytes = super().recv(size, flags)  # type: ignore[misc]
        return received

    def _wait(self) -> None:
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("no answer in time")
        self.settimeout(left)  # type: ignore[attr-defined]


class TlsSocket(_Bounded, ssl.SSLSocket):
    pass


class PlainSocket(_Bounded, socket.socket):
    """Before StartTLS; nothing but the request for it is ever sent here."""
