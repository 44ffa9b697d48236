"""The validation protocol for YubiKeys, version 2.0: asking a server whether a touch is good.

Request and answer are signed with HMAC-SHA1 under the client's key, over the parameters sorted by
name; the answer repeats our nonce and the touch. Nothing else of the answer is believed.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import structlog

from notifications.outbound import OutboundFailed, OutboundRefused, check_url, get
from tenants.keys import SealBroken

from .models import MethodSettings
from .yubikey import Touch

log = structlog.get_logger(__name__)

TIMEOUT = 5.0
Told = Literal["ok", "refused", "unavailable"]
_REFUSED = frozenset({"BAD_OTP", "REPLAYED_OTP", "REPLAYED_REQUEST"})


@dataclass(frozen=True)
class Server:
    """Where touches are checked, and as whom we ask."""

    url: str
    client: str
    key: bytes = field(repr=False)


def open_server(settings: MethodSettings | None) -> Server | None:
    """The tenant's server with its key open, in the tenant's context; nothing where there is none
    or its row was tampered with."""
    if settings is None or not settings.has_server:
        return None
    try:
        key = base64.b64decode(settings.read_key().reveal())
    except SealBroken:
        log.error("validation_server_unreadable")
        return None
    return Server(settings.validation_url, settings.validation_client, key)


def key_problem(key: str) -> str | None:
    """Why this can't be a client's key, as a sentence."""
    try:
        found = base64.b64decode(key, validate=True)
    except ValueError:
        found = b""
    return None if len(found) >= 16 else "Copy the whole key of the client, in base 64."


def url_problem(url: str) -> str | None:
    """Why the server can't be there, as a sentence; where the name leads is checked at each use."""
    try:
        check_url(url)
    except OutboundRefused as refused:
        return refused.fix
    return "Leave everything from the ? out of the address." if "?" in url else None


def signature(parameters: Mapping[str, str], key: bytes) -> str:
    text = "&".join(f"{name}={parameters[name]}" for name in sorted(parameters))
    return base64.b64encode(hmac.new(key, text.encode(), hashlib.sha1).digest()).decode()


def ask(server: Server, touch: Touch) -> Told:
    """What the server says of a touch; `unavailable` where it says nothing that can be believed.

    Takes up to five seconds and belongs into no transaction.
    """
    query = {"id": server.client, "otp": touch.text, "nonce": secrets.token_hex(16)}
    try:
        answer = get(
            server.url,
            query={**query, "h": signature(query, server.key)},
            timeout=TIMEOUT,
        )
    except OutboundFailed as failed:
        log.warning("validation_server_failed", cause=failed.cause)
        return "unavailable"
    except OutboundRefused:
        log.error("validation_server_refused")
        return "unavailable"
    if answer.status != 200:
        log.warning("validation_server_failed", cause=f"status_{answer.status}")
        return "unavailable"
    return judge(answer.body, query, server.key)


def judge(body: bytes, asked: Mapping[str, str], key: bytes) -> Told:
    """What an answer to this request comes to."""
    found = _parameters(body)
    status = found.get("status", "")
    given = found.pop("h", "")
    if not hmac.compare_digest(given.encode(), signature(found, key).encode()):
        log.error("validation_server_failed", cause="signature")
        return "unavailable"
    if status in _REFUSED:
        return "refused"
    echoed = found.get("otp") == asked["otp"] and found.get("nonce") == asked["nonce"]
    if status != "OK" or not echoed:
        known = status if status.replace("_", "").isalpha() and len(status) < 40 else "unknown"
        log.error("validation_server_failed", cause=known.lower() if echoed else "not_echoed")
        return "unavailable"
    return "ok"


def _parameters(body: bytes) -> dict[str, str]:
    found = {}
    for line in body.decode("ascii", errors="replace").splitlines():
        name, equals, value = line.strip().partition("=")
        if equals:
            found[name] = value
    return found
