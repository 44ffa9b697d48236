"""Links that prove something once: a tenant and 256 random bits, of which only a hash is kept."""

import hashlib
import secrets
from dataclasses import dataclass, field
from uuid import UUID

MAX_TOKEN = 100


@dataclass(frozen=True)
class Token:
    """`text` stands in the link and nowhere else; `hash` is what a row keeps."""

    text: str = field(repr=False)
    hash: bytes


def new_token(tenant: UUID, purpose: str) -> Token:
    """A token of a tenant. One made for another purpose does not fit."""
    secret = secrets.token_urlsafe(32)
    return Token(f"{tenant.hex}.{secret}", token_hash(purpose, secret))


def token_hash(purpose: str, secret: str) -> bytes:
    return hashlib.sha256(purpose.encode() + b"\x1f" + secret.encode()).digest()


def parse_token(text: str, purpose: str) -> tuple[UUID, bytes] | None:
    """Whose token it says it is, and the hash to look for; nothing for what is none."""
    head, dot, secret = text.partition(".")
    if not dot or len(text) > MAX_TOKEN:
        return None
    try:
        return UUID(hex=head), token_hash(purpose, secret)
    except ValueError:
        return None
