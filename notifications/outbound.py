"""Requests to addresses that a tenant's administrator may choose (R-28).

https only, the name is resolved once and that very address is connected to, nothing inside our own
network, no redirects, a bounded answer. In development loopback is allowed too, without TLS.
"""

import ipaddress
import logging
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
from django.conf import settings

TIMEOUT = 10.0
LONGEST_ANSWER = 1024 * 1024

# Its line for each request quotes the address, which may hold a credential.
logging.getLogger("httpx").setLevel(logging.WARNING)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class OutboundRefused(ValueError):
    """We do not go there. `fix` is a sentence for whoever set the address."""

    def __init__(self, fix: str) -> None:
        super().__init__(fix)
        self.fix = fix


class OutboundFailed(Exception):
    """No answer came. `cause` is a word: `timeout`, `unreachable`, `name_not_found`."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@dataclass(frozen=True)
class Answer:
    """What came back; at most 1 MiB of body."""

    status: int
    body: bytes = field(repr=False)


def check_url(url: str) -> None:
    """What can be seen without asking the network. Raises OutboundRefused."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise OutboundRefused("Write a full address, such as https://sms.example/send.") from None
    if not host or not url.isprintable() or " " in url:
        raise OutboundRefused("Write a full address, such as https://sms.example/send.")
    if parts.username or parts.password or parts.fragment:
        raise OutboundRefused("Leave user name, password and # out of the address.")
    local = _is_development() and _is_loopback_name(host)
    if parts.scheme != "https" and not (local and parts.scheme == "http"):
        raise OutboundRefused("Use an address that starts with https://.")
    literal = _find_address(host)
    if literal is not None and not allowed(literal):
        raise OutboundRefused("Use an address outside the private network.")


def allowed(address: Address) -> bool:
    """Whether we may connect there: public unicast, also after unwrapping IPv4 inside IPv6."""
    inner = _embedded(address)
    if inner is not None:
        return allowed(inner)
    if address.is_loopback and _is_development():
        return True
    return address.is_global and not address.is_multicast and not address.is_reserved


def post(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    json: Mapping[str, Any] | None = None,
    content: bytes | None = None,
    basic_auth: tuple[str, str] | None = None,
    timeout: float = TIMEOUT,
) -> Answer:
    """One POST. Raises OutboundRefused or OutboundFailed; neither text names the address."""
    parts = {"headers": headers, "data": form, "json": json, "content": content}
    return _asked("POST", url, parts, basic_auth=basic_auth, timeout=timeout)


def get(url: str, *, query: Mapping[str, str] | None = None, timeout: float = TIMEOUT) -> Answer:
    """One GET, whole within `timeout` seconds. Raises like `post`."""
    return _asked("GET", url, {"params": query}, basic_auth=None, timeout=timeout)


def _asked(
    verb: str,
    url: str,
    parts: Mapping[str, Any],
    *,
    basic_auth: tuple[str, str] | None,
    timeout: float,
) -> Answer:
    check_url(url)
    target = httpx.URL(url)
    address = _resolve(target.host, target.port or (443 if target.scheme == "https" else 80))
    started = time.monotonic()
    try:
        with httpx.Client(timeout=timeout, follow_redirects=False, trust_env=False) as client:
            request = client.build_request(
                verb,
                target.copy_with(host=str(address)),
                headers={**(parts.get("headers") or {}), "Host": target.netloc.decode("ascii")},
                **{name: value for name, value in parts.items() if name != "headers"},
                extensions={
                    "sni_hostname": target.host,
                    "timeout": httpx.Timeout(timeout).as_dict(),
                },
            )
            response = client.send(request, auth=basic_auth, stream=True)
            try:
                longest = 2 * timeout if verb == "POST" else timeout
                return Answer(response.status_code, _body(response, started + longest))
            finally:
                response.close()
    except httpx.TimeoutException:
        raise OutboundFailed("timeout") from None
    except (httpx.HTTPError, httpx.InvalidURL):
        raise OutboundFailed("unreachable") from None


def _body(response: httpx.Response, until: float) -> bytes:
    body = b""
    for block in response.iter_bytes():
        body += block
        if len(body) > LONGEST_ANSWER:
            raise OutboundFailed("answer_too_long")
        if time.monotonic() > until:
            raise OutboundFailed("timeout")
    return body


def _resolve(host: str, port: int) -> Address:
    """The first address of a name, when we may go to every one of them."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise OutboundFailed("name_not_found") from None
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not addresses or not all(map(allowed, addresses)):
        raise OutboundRefused("Use an address outside the private network.")
    return addresses[0]


def _embedded(address: Address) -> Address | None:
    """The IPv4 address that an IPv6 one stands for (mapped, 6to4, Teredo, NAT64)."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in ipaddress.IPv6Network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


def _find_address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_loopback_name(host: str) -> bool:
    literal = _find_address(host)
    return host == "localhost" or (literal is not None and literal.is_loopback)


def _is_development() -> bool:
    return bool(settings.SSPR_ENV == "development")
