"""PURE. What makes an answer of an identity provider good (OpenID Connect Core, 3.1.3.7)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
"""How an ID token may be signed. `none` and shared secrets are not among them."""
LEEWAY = timedelta(seconds=60)
AWAY_FOR = timedelta(minutes=10)
"""How long somebody may take at the provider, and over going on after the return."""
FRESH_FOR = timedelta(minutes=5)
"""How old the sign-in there may be that proves who somebody is."""
OLDEST_TOKEN = timedelta(minutes=10)
MAX_SUBJECT = 255
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")


@dataclass(frozen=True)
class Expected:
    """What an ID token has to say. is_proof: the sign-in itself has to be fresh."""

    issuer: str
    client_id: str
    nonce: str
    is_proof: bool


def claims_problem(claims: Mapping[str, Any], expected: Expected, now: datetime) -> str:
    """Why the claims of a correctly signed ID token prove nothing here, as a word; empty when they
    do. The same issuer and client have to be named letter by letter."""
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    azp = claims.get("azp")
    checks = (
        ("issuer", claims.get("iss") == expected.issuer),
        ("audience", expected.client_id in audiences),
        ("audience", azp == expected.client_id or (azp is None and len(audiences) == 1)),
        ("nonce", bool(expected.nonce) and claims.get("nonce") == expected.nonce),
        ("subject", _is_subject(claims.get("sub"))),
        ("expired", _is_after(claims.get("exp"), now - LEEWAY)),
        ("issued", _is_after(claims.get("iat"), now - OLDEST_TOKEN)),
        ("issued", not _is_after(claims.get("iat"), now + LEEWAY)),
        ("not_yet", "nbf" not in claims or not _is_after(claims["nbf"], now + LEEWAY)),
        ("not_fresh", not expected.is_proof or _is_fresh(claims.get("auth_time"), now)),
    )
    return next((word for word, holds in checks if not holds), "")


def endpoints_problem(document: Mapping[str, Any], issuer: str) -> str:
    """Why a provider's document can't be used, as a word; empty when it can."""
    if document.get("issuer") != issuer:
        return "issuer"
    needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    if not all(isinstance(document.get(name), str) for name in needed):
        return "incomplete"
    responses = document.get("response_types_supported", ["code"])
    return "" if isinstance(responses, list) and "code" in responses else "no_code"


def _is_subject(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_SUBJECT and value.isprintable()


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**40


def _is_after(value: Any, moment: datetime) -> bool:
    return _is_number(value) and bool(value > moment.timestamp())


def _is_fresh(value: Any, now: datetime) -> bool:
    return _is_after(value, now - FRESH_FOR - LEEWAY) and not _is_after(value, now + LEEWAY)
