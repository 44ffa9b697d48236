"""A web server on loopback that records requests and answers as told, for provider tests."""

import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from threading import Lock
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from tests.services.loopback import LoopbackService


class Request(NamedTuple):
    """One request as it arrived; header names in lower case."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.body.decode())


@dataclass(frozen=True)
class Answer:
    """What a path answers; `delay` in seconds, cut short when the sink stops."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    delay: float = 0


class HttpSink(LoopbackService):
    """Every path answers 200 with an empty JSON object until `answer` says otherwise."""

    def __init__(self) -> None:
        super().__init__(_Recorder)
        self.requests: list[Request] = []
        self._answers: dict[str, list[Answer]] = {}
        self._lock = Lock()

    def answer(self, path: str, *answers: Answer) -> None:
        """What `path` answers: one after the other, the last one for good."""
        with self._lock:
            self._answers[path] = list(answers)

    def take(self, request: Request) -> Answer:
        """Records the request and says how to answer it."""
        with self._lock:
            self.requests.append(request)
            answers = self._answers.get(request.path, [Answer()])
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        self._stopping.wait(answer.delay)
        return answer


class _Recorder(BaseHTTPRequestHandler):
    service: HttpSink
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.service.take(
            Request(self.command, parts.path, parse_qs(parts.query), headers, body)
        )
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: the requests are in the sink."""
