"""A web service on loopback that does what it is for, except when a test says otherwise.

The services of the directories stand on it: what they answer is theirs, what goes wrong is here.
"""

import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from threading import Lock
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from tests.services.loopback import LoopbackService


class Asked(NamedTuple):
    """One request; header names in lower case, the path decoded and without its query."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


@dataclass(frozen=True)
class Said:
    """An answer. body: a JSON object, bytes as they are, or nothing."""

    status: int
    body: Mapping[str, Any] | bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fault:
    """What happens instead of the answer. status: answered with it; hang: no answer until the
    service stops; drop: the connection is cut; drip: an answer that does not end. after: what was
    asked is done all the same."""

    kind: Literal["status", "hang", "drop", "drip"]
    status: int = 500
    body: Mapping[str, Any] | bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    after: bool = False


class FaultyService(LoopbackService):
    """tls: what it shows, plain HTTP without."""

    content_type = "application/json"

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(_Requests, tls)
        self.asked: list[Asked] = []
        self.lock = Lock()
        self._faults: list[tuple[str, re.Pattern[str], Fault]] = []

    def fail(self, method: str, path: str, *faults: Fault) -> None:
        """The next requests of this kind, one fault each. path: a pattern of the whole path."""
        with self.lock:
            self._faults += [(method, re.compile(path), fault) for fault in faults]

    def of(self, method: str) -> list[Asked]:
        """The requests of this kind so far."""
        with self.lock:
            return [asked for asked in self.asked if asked.method == method]

    def answer(self, asked: Asked) -> Said:
        """What the service is for. Called by one request at a time."""
        raise NotImplementedError

    def take(self, asked: Asked) -> Said | Fault:
        with self.lock:
            self.asked.append(asked)
            fault = self._next_fault(asked)
            if fault is not None and not fault.after:
                return fault
            said = self.answer(asked)
            return said if fault is None else fault

    def is_stopping(self, seconds: float | None = None) -> bool:
        """Whether it ends, within so many seconds or at all."""
        return self._stopping.wait(seconds)

    def _next_fault(self, asked: Asked) -> Fault | None:
        for number, (method, path, fault) in enumerate(self._faults):
            if method == asked.method and path.fullmatch(asked.path):
                del self._faults[number]
                return fault
        return None


class _Requests(BaseHTTPRequestHandler):
    service: FaultyService
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, unquote(parts.path), parse_qs(parts.query), headers, body)
        found = self.service.take(asked)
        if isinstance(found, Said) or found.kind == "status":
            self._send(found.status, found.body, found.headers)
        else:
            self._fail(found)

    def _send(
        self, status: int, body: Mapping[str, Any] | bytes | None, headers: Mapping[str, str]
    ) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        content = b"" if body is None else content
        self.send_response(status)
        for name, value in {"Content-Type": self.service.content_type, **headers}.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _fail(self, fault: Fault) -> None:
        self.close_connection = True
        if fault.kind == "hang":
            self.service.is_stopping()
        if fault.kind == "drip":
            self.send_response(200)
            self.send_header("Content-Length", "9999999")
            self.end_headers()
            while not self.service.is_stopping(0.05):
                self.wfile.write(b" ")

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the requests are in the service."""
