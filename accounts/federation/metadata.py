"""What a provider says about itself: its addresses and its keys, kept for an hour.

Every address comes from outside, so each request goes through the rules of `outbound` (R-28).
"""

import json
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from notifications.outbound import OutboundFailed, OutboundRefused, check_url, get

from .rules import endpoints_problem

TIMEOUT = 5.0
KEPT_SECONDS = 3600.0
KEYS_ANEW_AFTER = 60.0
"""Not more often are keys fetched because a token names one that is not known."""
MOST_KEPT = 500
_WELL_KNOWN = "/.well-known/openid-configuration"


class ProviderFailed(Exception):
    """The provider can't be used now. `cause` is a word, never text of the provider's."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


@dataclass(frozen=True)
class Metadata:
    """The addresses of a provider. posts_secret: it takes the secret in the form alone."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    posts_secret: bool
    names_issuer: bool


@dataclass
class _Kept:
    value: Any
    at: float = field(default_factory=time.monotonic)

    def is_younger_than(self, seconds: float) -> bool:
        return 0 <= time.monotonic() - self.at < seconds


_documents: "OrderedDict[str, _Kept]" = OrderedDict()
_lock = Lock()


def metadata_of(issuer: str) -> Metadata:
    """The provider's document. Raises ProviderFailed."""
    found: Metadata = _kept(issuer, KEPT_SECONDS, lambda: _read_metadata(issuer))
    return found


def keys_of(metadata: Metadata, *, anew: bool = False) -> KeySet:
    """The provider's public keys. Raises ProviderFailed."""
    seconds = KEYS_ANEW_AFTER if anew else KEPT_SECONDS
    found: KeySet = _kept(metadata.jwks_uri, seconds, lambda: _read_keys(metadata.jwks_uri))
    return found


def forget_metadata() -> None:
    """Everything is fetched anew."""
    with _lock:
        _documents.clear()


def read_json(body: bytes) -> dict[str, Any]:
    """A document that is one. Raises ProviderFailed."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise ProviderFailed("unreadable") from None
    if not isinstance(found, dict):
        raise ProviderFailed("unreadable")
    return found


def _kept(address: str, seconds: float, read: Any) -> Any:
    with _lock:
        kept = _documents.get(address)
    if kept is not None and kept.is_younger_than(seconds):
        return kept.value
    value = read()
    with _lock:
        _documents[address] = _Kept(value)
        while len(_documents) > MOST_KEPT:
            _documents.popitem(last=False)
    return value


def _fetch(url: str) -> dict[str, Any]:
    try:
        answer = get(url, timeout=TIMEOUT)
    except OutboundRefused:
        raise ProviderFailed("refused_address") from None
    except OutboundFailed as failed:
        raise ProviderFailed(failed.cause) from None
    if answer.status != 200:
        raise ProviderFailed("unavailable")
    return read_json(answer.body)


def _read_metadata(issuer: str) -> Metadata:
    document = _fetch(f"{issuer.rstrip('/')}{_WELL_KNOWN}")
    problem = endpoints_problem(document, issuer)
    if problem:
        raise ProviderFailed(problem)
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        try:
            check_url(document[name])
        except OutboundRefused:
            raise ProviderFailed("refused_address") from None
    ways = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Metadata(
        issuer,
        document["authorization_endpoint"],
        document["token_endpoint"],
        document["jwks_uri"],
        posts_secret=isinstance(ways, list) and "client_secret_basic" not in ways,
        names_issuer=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _read_keys(url: str) -> KeySet:
    document = _fetch(url)
    keys = document.get("keys")
    if not isinstance(keys, list):
        raise ProviderFailed("unreadable")
    # Keys of a kind that is not known here belong to somebody else's software.
    public = [
        key for key in keys if isinstance(key, dict) and key.get("kty") in {"RSA", "EC", "OKP"}
    ]
    try:
        return KeySet.import_key_set({"keys": public})
    except (JoseError, ValueError, TypeError, KeyError):
        raise ProviderFailed("unreadable") from None
