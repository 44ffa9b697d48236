"""Challenges that no row is kept for: signed, good for five minutes and for one answer.

The page carries the challenge for the browser and a ticket for us. What was answered is counted, so
that of many answers to one challenge, at once or later, exactly one is judged.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.core import signing
from django.db import transaction

from tenants.counters import Count, count_up
from tenants.limits import LIMITS

from .webauthn import CHALLENGE_BYTES, decoded, encoded

LIFETIME = timedelta(minutes=5)
MAX_TICKET = 1000


@dataclass(frozen=True)
class Issued:
    """A challenge of 32 bytes, and the ticket that comes back with its answer."""

    challenge: bytes = field(repr=False)
    ticket: str = field(repr=False)


def issue(purpose: str, bound_to: str, now: datetime) -> Issued:
    """A challenge for one purpose. `bound_to` names what else it is good for: the site, the person,
    the session."""
    challenge = secrets.token_bytes(CHALLENGE_BYTES)
    content = [encoded(challenge), bound_to, now.timestamp()]
    return Issued(challenge, signing.dumps(content, salt=_salt(purpose)))


def take(ticket: str, purpose: str, bound_to: str, now: datetime) -> bytes | None:
    """The challenge of a ticket, used up from now on; nothing when it is false, late or used."""
    if len(ticket) > MAX_TICKET:
        return None
    try:
        text, bound, issued = signing.loads(ticket, salt=_salt(purpose))
        age = now.timestamp() - float(issued)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    if bound != bound_to or not 0 <= age < LIFETIME.total_seconds():
        return None
    with transaction.atomic():
        once = Count(LIMITS["passkey_challenges"], f"{purpose} {text}")
        used = count_up([once], now).blocked
    return decoded(text) if used is None else None


def _salt(purpose: str) -> str:
    return f"accounts.passkey_challenges.{purpose}"
