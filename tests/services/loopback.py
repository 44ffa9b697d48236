"""A web service on loopback, served by threads of this process."""

import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any


class LoopbackService:
    """requests: handles one request; its `service` is this. tls: what is shown, plain HTTP
    without."""

    def __init__(
        self, requests: type[BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None
    ) -> None:
        self._scheme = "http" if tls is None else "https"
        self._stopping = Event()
        self._server = _Server(("127.0.0.1", 0), type("Requests", (requests,), {"service": self}))
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that was refused or cut is no fault of this server; all else is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)
