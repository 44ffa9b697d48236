"""Sending a browser away to a provider and taking its answer: each is good once, for the browser
that went, for what it was sent for.

The answer is handed on as a value in a form of that browser alone. Whoever lures somebody else to
sign in for them gets nothing: the value is in the other browser, the journey in theirs.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from tenants.keys import tenant_keys
from tenants.secret import Secret

from ..models import IdentityProvider, Redirection, credential_lookup
from .exchange import redeem, subject_in
from .metadata import Metadata, ProviderFailed, metadata_of
from .rules import AWAY_FOR, FRESH_FOR, Expected

METHOD = "external_identity"
SEPARATOR = "."


@dataclass(frozen=True)
class Trip:
    """What somebody goes to a provider for. bound_to: the person or challenge it is for; goes_on:
    where the answer is handed on to; callback: where the provider sends the browser back to; done:
    where to go when all is done."""

    purpose: str
    bound_to: bytes
    goes_on: str
    callback: str
    done: str = ""


@dataclass(frozen=True)
class Away:
    """On the way: the address at the provider, and what the browser keeps meanwhile."""

    url: str
    redirection: UUID
    kept: str = field(repr=False)


@dataclass(frozen=True)
class Returned:
    """Back again. value: what the browser hands on in a form; good once."""

    redirection: Redirection
    goes_on: str
    value: str = field(repr=False)


def bound_to_challenge(challenge: UUID | None) -> bytes:
    """What a proof's trip is bound to."""
    return tenant_keys().mac("redirection", "challenge", challenge)


def bound_to_person(user_id: UUID, session_key: str | None) -> bytes:
    """What the trip of somebody is bound to who connects an account, in one session."""
    return tenant_keys().mac("redirection", "person", user_id, session_key)


def identity_lookup(issuer: str, subject: str) -> bytes:
    """The blind index of an identity: issuer and subject, nothing else (R-26)."""
    return credential_lookup(METHOD, json.dumps([issuer, subject]))


def depart(provider: IdentityProvider, metadata: Metadata, trip: Trip, now: datetime) -> Away:
    """Remembers the trip and says where to go."""
    kept, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    row = Redirection(
        provider=provider,
        purpose=trip.purpose,
        bound_to=trip.bound_to,
        browser_hash=_hash(kept),
        expires_at=now + AWAY_FOR,
        created_at=now,
    )
    asked = {"nonce": nonce, "verifier": verifier, "callback": trip.callback}
    row.write(json.dumps({**asked, "to": trip.goes_on, "done": trip.done}))
    row.save()
    is_proof = trip.purpose == Redirection.Purpose.PROOF
    fresh = {"prompt": "login", "max_age": int(FRESH_FOR.total_seconds())} if is_proof else {}
    url = prepare_grant_uri(
        metadata.authorization_endpoint,
        client_id=provider.client_id,
        response_type="code",
        redirect_uri=trip.callback,
        scope=provider.scopes,
        state=f"{row.tenant_id.hex}{SEPARATOR}{row.pk.hex}",
        nonce=nonce,
        code_challenge=create_s256_code_challenge(verifier),
        code_challenge_method="S256",
        **fresh,
    )
    return Away(str(url), row.pk, kept)


def take_return(
    slug: str, redirection: UUID, kept: str, now: datetime
) -> tuple[Redirection, dict[str, str]] | None:
    """The trip this browser comes back from, spent by this; nothing when it is none of its own.

    Of two returns at once one is refused.
    """
    rows = Redirection.objects.select_related("provider", "tenant")
    row: Redirection | None = rows.filter(pk=redirection, provider__slug=slug).first()
    if row is None or not row.is_open(now) or not row.provider.is_enabled:
        return None
    if not hmac.compare_digest(bytes(row.browser_hash), _hash(kept)):
        return None
    if not Redirection.objects.filter(pk=row.pk, answered_at=None).update(answered_at=now):
        return None
    return row, remembered(row)


def remembered(row: Redirection) -> dict[str, str]:
    """What was remembered when the trip began. Raises SealBroken."""
    found: dict[str, str] = json.loads(row.read().reveal())
    return found


def subject_of_answer(
    row: Redirection,
    asked: Mapping[str, str],
    secret: Secret[str] | None,
    answer: Mapping[str, str],
    now: datetime,
) -> str:
    """Whose identity the provider's answer proves: its subject. Talks to the provider, outside any
    transaction. Raises ProviderFailed."""
    provider = row.provider
    metadata = metadata_of(provider.issuer)
    named = answer.get("iss", "")
    if named != provider.issuer and (named or metadata.names_issuer):
        raise ProviderFailed("mixed_up")
    if answer.get("error") or not answer.get("code"):
        raise ProviderFailed("not_signed_in")
    form = {
        "code": answer["code"],
        "redirect_uri": asked["callback"],
        "code_verifier": asked["verifier"],
    }
    token = redeem(metadata, provider.client_id, secret, form)
    is_proof = row.purpose == Redirection.Purpose.PROOF
    expected = Expected(provider.issuer, provider.client_id, asked["nonce"], is_proof)
    return subject_in(metadata, token, expected, now)


def keep_answer(
    row: Redirection, asked: Mapping[str, str], subject: str, now: datetime
) -> Returned:
    """Keeps whose identity it was for the next step of this browser."""
    value = secrets.token_urlsafe(32)
    row.subject_lookup = identity_lookup(row.provider.issuer, subject)
    row.write_subject(subject)
    row.browser_hash = _hash(value)
    row.expires_at = now + AWAY_FOR
    row.save(update_fields=["subject_lookup", "sealed_subject", "browser_hash", "expires_at"])
    return Returned(row, asked["to"], f"{row.pk.hex}{SEPARATOR}{value}")


def take_answer(purpose: str, bound_to: bytes, value: str, now: datetime) -> Redirection | None:
    """The answer a browser hands on, spent by this whatever comes of it; nothing when it is not for
    this, not answered, too old or spent before."""
    head, _, secret = value.partition(SEPARATOR)
    try:
        pk = UUID(hex=head)
    except ValueError:
        pk = UUID(int=0)
    rows = Redirection.objects.select_related("provider")
    row: Redirection | None = rows.filter(pk=pk, purpose=purpose, taken_at=None).first()
    known = bytes(row.browser_hash) if row is not None else bytes(32)
    same = hmac.compare_digest(known, _hash(secret))
    if row is None or not same or not hmac.compare_digest(bytes(row.bound_to), bound_to):
        return None
    if not Redirection.objects.filter(pk=row.pk, taken_at=None).update(taken_at=now):
        return None
    good = row.subject_lookup is not None and now < row.expires_at and row.provider.is_enabled
    return row if good else None


def purge_redirections(now: datetime) -> int:
    """Removes trips that are over, of the tenant in force."""
    old: Any = Redirection.objects.filter(expires_at__lte=now - AWAY_FOR)
    return int(old.delete()[0])


def _hash(value: str) -> bytes:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()
