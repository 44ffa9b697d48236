"""What gunicorn says by itself: nothing about what it is, and refusals like all other answers.

A request that can't be read never reaches the product, so the headers of its answers have to be
written here; gunicorn's own page quotes what it was sent and says what it expected.
"""

import gc
import socket
from collections.abc import Mapping
from http import HTTPStatus

from gunicorn import util  # type: ignore[import-untyped]  # it ships no types
from gunicorn.http import wsgi  # type: ignore[import-untyped]  # it ships no types

from .http import common_headers

NOTHING_LOADED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
UNREADABLE = HTTPStatus.BAD_REQUEST


class NamelessResponse(wsgi.Response):
    """An answer that does not name the server."""

    def default_headers(self) -> list[str]:
        lines: list[str] = super().default_headers()
        return [line for line in lines if not line.lower().startswith("server:")]


def refusal(status: int, headers: Mapping[str, str]) -> bytes:
    """The whole answer to a request that could not be read, or that broke the server."""
    known = HTTPStatus(status)
    # A client that asks for what nobody speaks is wrong; the server is not.
    shown = UNREADABLE if known is HTTPStatus.NOT_IMPLEMENTED else known
    body = f"{shown.phrase}\n".encode()
    own = {
        "Connection": "close",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "Content-Security-Policy": NOTHING_LOADED,
    }
    lines = [f"HTTP/1.1 {shown.value} {shown.phrase}"]
    lines += [f"{name}: {value}" for name, value in {**own, **headers}.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def refuse(connection: socket.socket, status: int, reason: str, message: str) -> None:
    """In place of gunicorn's own page, called by it with its words, which are not repeated."""
    util.write_nonblock(connection, refusal(status, common_headers()))


def keep_quiet() -> None:
    """From now on this worker answers so."""
    wsgi.Response = NamelessResponse
    util.write_error = refuse


def leave_code_alone() -> None:
    """What is loaded by now stays for good: the search for garbage need not walk through it."""
    gc.collect()
    gc.freeze()
