"""HTTP/1.1 on kept-alive sockets: one write for a request, one clock around it."""

import asyncio
import io
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self
from urllib.parse import urlencode


@dataclass(frozen=True)
class Request:
    """`fields` make a posted form; without them it is a GET."""

    path: str
    host: str
    headers: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] | None = None

    @property
    def method(self) -> str:
        return "GET" if self.fields is None else "POST"

    @property
    def body(self) -> bytes:
        return b"" if self.fields is None else urlencode(self.fields).encode()

    def raw(self) -> bytes:
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {self.host}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        body = self.body
        if self.fields is not None:
            lines += ["Content-Type: application/x-www-form-urlencoded"]
            lines += [f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


@dataclass(frozen=True)
class Reply:
    """What came back, and how long it took from the first byte sent to the last one read."""

    status: int
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    body: bytes
    seconds: float

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", errors="replace")


class Transport(Protocol):
    """Whatever answers a request: a socket, or the application itself in this process."""

    def ask(self, request: Request) -> Reply: ...


class Connection:
    """One kept-alive connection. Opens again by itself when the server closed it between two
    requests, which no clock sees."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._file: Any = None

    def ask(self, request: Request) -> Reply:
        if self._socket is None:
            self._open()
        raw = request.raw()
        began = time.perf_counter()
        try:
            self._write(raw)
            head = _head(iter(self._file.readline, b""))
        except (ConnectionError, EOFError):
            self._open()
            began = time.perf_counter()
            self._write(raw)
            head = _head(iter(self._file.readline, b""))
        body = self._body(head)
        ended = time.perf_counter()
        if head.closes:
            self.close()
        return head.reply(body, ended - began)

    def _write(self, raw: bytes) -> None:
        if self._socket is None:
            raise ConnectionError
        self._socket.sendall(raw)

    def _open(self) -> None:
        self.close()
        self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")

    def _body(self, head: "_Head") -> bytes:
        if head.length is not None:
            return bytes(self._file.read(head.length))
        parts = []
        while size := int(self._file.readline(), 16):
            parts.append(self._file.read(size))
            self._file.readline()
        self._file.readline()
        return b"".join(parts)

    def close(self) -> None:
        if self._socket is not None:
            self._file.close()
            self._socket.close()
            self._socket = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncConnection:
    """The same for many at once in one thread."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: Request) -> Reply:
        """Raises ConnectionError when the server closed a fresh connection."""
        began = time.perf_counter()
        for fresh in (False, True):
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            try:
                writer.write(request.raw())
                lines = (await reader.readuntil(b"\r\n\r\n")).splitlines(keepends=True)
                break
            except (ConnectionError, asyncio.IncompleteReadError):
                self.close()
                if fresh:
                    raise
        head = _head(iter(lines))
        body = await self._body(reader, head)
        if head.closes:
            self.close()
        return head.reply(body, time.perf_counter() - began)

    @staticmethod
    async def _body(reader: asyncio.StreamReader, head: "_Head") -> bytes:
        if head.length is not None:
            return await reader.readexactly(head.length)
        parts = []
        while size := int(await reader.readline(), 16):
            parts.append(await reader.readexactly(size))
            await reader.readline()
        await reader.readline()
        return b"".join(parts)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


class InProcess:
    """The application called directly, for profiles. `around` is entered for each request."""

    def __init__(self, application: Any, around: Callable[[Callable[[], Any]], Any]) -> None:
        self._application = application
        self._around = around

    def ask(self, request: Request) -> Reply:
        found: dict[str, Any] = {}

        def answer(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            found.update(status=int(status.split(maxsplit=1)[0]), headers=headers)

        def call() -> bytes:
            response = self._application(_environ(request), answer)
            body = b"".join(response)
            response.close()
            return body

        began = time.perf_counter()
        body = self._around(call)
        seconds = time.perf_counter() - began
        head = _Head(found["status"], found["headers"])
        return head.reply(body, seconds)


def _environ(request: Request) -> dict[str, Any]:
    path, _, query = request.path.partition("?")
    return {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": request.host,
        "CONTENT_TYPE": "application/x-www-form-urlencoded" if request.fields is not None else "",
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **{f"HTTP_{k.upper().replace('-', '_')}": v for k, v in request.headers.items()},
    }


class _Head:
    """Status and headers of an answer."""

    def __init__(self, status: int, headers: list[tuple[str, str]]) -> None:
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.cookies = {}
        for name, value in headers:
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0].strip('"')

    @property
    def length(self) -> int | None:
        """Bytes of the body; nothing when it comes in chunks."""
        if "chunked" in self.headers.get("transfer-encoding", ""):
            return None
        if self.status in {204, 304}:
            return 0
        return int(self.headers.get("content-length", 0))

    @property
    def closes(self) -> bool:
        return self.headers.get("connection", "").lower() == "close"

    def reply(self, body: bytes, seconds: float) -> Reply:
        return Reply(self.status, self.headers, self.cookies, body, seconds)


def _head(lines: Iterator[bytes]) -> _Head:
    """Raises EOFError where there is nothing to read."""
    first = next(lines, b"")
    if not first:
        raise EOFError
    headers = []
    for line in lines:
        text = line.decode("latin-1").strip()
        if not text:
            break
        name, _, value = text.partition(":")
        headers.append((name.strip(), value.strip()))
    return _Head(int(first.split()[1]), headers)
