"""Serving the demo: Django's own threaded server, with the worker beside it in one process."""

import errno
import threading
import warnings
from typing import Any

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application

from sspr_project.worker import Stop, run_until

ADDRESS = "127.0.0.1"


class PortTaken(Exception):
    """Somebody listens on this port already."""


class _Quiet(WSGIRequestHandler):
    """No line for each request; the demo's window shows addresses and sign-ins."""

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


def open_server(port: int) -> ThreadedWSGIServer:
    """Listens on this computer alone, so early that a taken port is told first. Raises PortTaken,
    and OSError where the port is not allowed."""
    try:
        return ThreadedWSGIServer((ADDRESS, port), _Quiet)
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            raise PortTaken from None
        raise


def serve(server: ThreadedWSGIServer, stop: Stop) -> None:
    """Answers requests and sends messages until asked to stop; the work in hand is finished."""
    with warnings.catch_warnings():
        # Collected static files exist in an installation; the demo serves the sources.
        warnings.filterwarnings("ignore", "No directory at", UserWarning)
        server.set_app(get_wsgi_application())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        run_until(stop)
    finally:
        server.shutdown()
        thread.join()
