"""A directory's web service: verified TLS, no redirects, bounded waits and answers.

What a service says is a return value, whatever its status. What failed is told by what is known of
the request: a change that may have left is Unanswered, and nothing else is.
"""

import ipaddress
import json
import logging
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

import httpx

from .base import Trouble, Unanswered, Unreachable
from .settings import SettingWrong, Written

LONGEST_ANSWER = 1024 * 1024
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

# Its line for each request quotes the address, which names the person.
logging.getLogger("httpx").setLevel(logging.WARNING)

_NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
)


@dataclass(frozen=True)
class Transport:
    """How a service is reached. ca_file, ca_pem: whose signature on its certificate counts, the
    system's list where both are nothing. Timeouts are seconds: for the connection, and for an
    answer."""

    ca_file: Path | None = None
    connect_timeout: float = 3.0
    receive_timeout: float = 10.0
    ca_pem: str = field(default="", repr=False)


@dataclass(frozen=True)
class Request:
    """What is asked. path: after the base address, with its query; content: the body."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Answer:
    """What came back. body: the JSON object, or an empty one for anything else."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def text(self, name: str) -> str:
        """A value of the body, "" where it is no text."""
        value = self.body.get(name)
        return value if isinstance(value, str) else ""

    @property
    def comes_again(self) -> bool:
        """Whether it says when to ask again."""
        return "retry-after" in self.headers

    def seconds(self, default: float) -> float:
        """How long to wait before asking again, where it says so in seconds."""
        written = self.headers.get("retry-after", "")
        return float(written) if written.isdecimal() and len(written) < 6 else default


@dataclass(frozen=True)
class _Fault:
    trouble: Trouble
    detail: str
    has_left: bool


def base_address(written: Written, name: str, default: str | None, *, is_test: bool) -> str:
    """A service's address, without a slash at its end. https only; http to this machine itself for
    a test that says it is one. Raises SettingWrong."""
    text = written.text(name, default).rstrip("/")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or not text.isascii() or not text.isprintable() or " " in text:
        raise SettingWrong(name, "Write a full address, such as https://directory.example/scim.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise SettingWrong(name, "Leave user name, password, ? and # out of the address.")
    if parts.scheme != "https" and not (is_test and parts.scheme == "http" and _is_loopback(host)):
        raise SettingWrong(name, "Use an address that starts with https://.")
    return text


def transport(written: Written) -> Transport:
    """The settings that every web service has."""
    return Transport(
        ca_file=written.file("ca_file"),
        connect_timeout=written.seconds("connect_timeout", Transport.connect_timeout),
        receive_timeout=written.seconds("receive_timeout", Transport.receive_timeout),
        ca_pem=written.certificates("ca_pem"),
    )


def address_of(base: str) -> tuple[str, int]:
    """Host and port, read as they are when it is connected to."""
    url = httpx.URL(base)
    return url.host, url.port or (443 if url.scheme == "https" else 80)


def as_json(value: Mapping[str, object]) -> bytes:
    """Every character beyond ASCII is escaped, so that none is normalised on its way."""
    return json.dumps(value).encode()


def as_form(value: Mapping[str, str]) -> bytes:
    return urlencode(value).encode()


def fits_header(text: str) -> bool:
    """Whether this can be the value of a header as it is."""
    return bool(text) and text.isascii() and text.isprintable()


def moment(value: object) -> datetime | None:
    """An ISO 8601 time with its zone; nothing for anything else."""
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def version_of(at: datetime) -> int:
    """Microseconds since 1970: a number that grows with time."""
    return round(at.timestamp() * 1_000_000)


class WebService:
    """One service, for as long as the `with` block lasts. Raises Unreachable when it is entered
    with a `ca_file` that holds no certificates."""

    def __init__(self, base: str, way: Transport) -> None:
        self.base = base
        self.controller = urlsplit(base).netloc
        self._way = way
        # A connection that was kept could be closed just when a change leaves on it.
        self._client = httpx.Client(
            verify=_context(way.ca_file, way.ca_pem),
            timeout=httpx.Timeout(way.receive_timeout, connect=way.connect_timeout),
            limits=httpx.Limits(max_keepalive_connections=0),
            headers={"Accept-Encoding": "identity", "User-Agent": "sspr"},
            follow_redirects=False,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.close()

    def read(self, request: Request) -> Answer:
        """Raises Unreachable when there is no answer."""
        found = self._asked(request)
        if isinstance(found, _Fault):
            raise Unreachable(found.trouble, found.detail)
        return found

    def change(self, request: Request) -> Answer:
        """Raises Unanswered when the request may have left, Unreachable when it has not."""
        found = self._asked(request)
        if isinstance(found, _Fault) and found.has_left:
            raise Unanswered(self.controller)
        if isinstance(found, _Fault):
            raise Unreachable(found.trouble, found.detail)
        return found

    def find(self, path: str, headers: Mapping[str, str]) -> Mapping[str, Any] | None:
        """What stands there; nothing for what does not exist. Raises Unreachable, also when the
        service does not show it."""
        answer = self.read(Request("GET", path, headers))
        if answer.status == 404:
            return None
        if answer.status in {401, 403}:
            raise Unreachable("account", str(answer.status))
        if answer.status == 429 or answer.status >= 500:
            raise Unreachable("unreachable", str(answer.status))
        if answer.status != 200:
            raise Unreachable("configuration", str(answer.status))
        return answer.body

    def _asked(self, request: Request) -> Answer | _Fault:
        """What an exception knows of the request, a password among it, ends here."""
        ends_at = time.monotonic() + self._way.connect_timeout + self._way.receive_timeout
        try:
            with self._client.stream(
                request.method,
                self.base + request.path,
                headers=dict(request.headers),
                content=request.content,
            ) as response:
                body = _body(response, lambda: time.monotonic() < ends_at)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return _fault(error)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, body)


def _body(response: httpx.Response, has_time: Callable[[], bool]) -> Mapping[str, Any]:
    """Raises httpx.ReadTimeout for one that drips, httpx.ReadError for one that does not end."""
    taken = b""
    for chunk in response.iter_raw():
        taken += chunk
        if not has_time():
            raise httpx.ReadTimeout("too slow")
        if len(taken) > LONGEST_ANSWER:
            raise httpx.ReadError("too long")
    try:
        found = json.loads(taken)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _fault(error: Exception) -> _Fault:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    is_lie = isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError)
    if isinstance(error, httpx.ConnectError) and is_lie:
        return _Fault("untrusted", _words(cause), False)
    return _Fault("unreachable", type(error).__name__, not isinstance(error, _NOTHING_SENT))


def _words(fault: object) -> str:
    if isinstance(fault, ssl.SSLCertVerificationError):
        return fault.verify_message
    return str(getattr(fault, "reason", "")) or type(fault).__name__


def _context(ca_file: Path | None, ca_pem: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file, cadata=ca_pem or None)
    except (OSError, ssl.SSLError) as error:
        raise Unreachable("configuration", f"ca_file: {type(error).__name__}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
