"""YubiKeys of people: whose secret key we hold, and those a validation server knows.

The row's `counter` is the position of the last touch (sessions and uses); it only rises, by a
conditional update. Of a key that a server validates it stays -1, because the server counts.
"""

import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from tenants.keys import SealBroken

from .models import Credential, MethodSettings, credential_lookup
from .validation import Server, Told, ask, open_server
from .yubikey import KEY_BYTES, Touch, find_opened

log = structlog.get_logger(__name__)

METHOD = "yubikey_otp"
_DECOY_KEY = bytes(KEY_BYTES)


@dataclass(frozen=True)
class Inside:
    """What we know of a key: its secrets, or nothing where a server validates it."""

    key: bytes = field(default=b"", repr=False)
    private_id: bytes = field(default=b"", repr=False)

    @property
    def is_ours(self) -> bool:
        return bool(self.key)

    def to_json(self) -> str:
        return json.dumps({"key": self.key.hex(), "private_id": self.private_id.hex()})


def find_inside(row: Credential) -> Inside | None:
    """Nothing, and a word to the operator, when the row was tampered with."""
    try:
        found: Any = json.loads(row.read().reveal())
    except SealBroken:
        log.error("credential_unreadable", credential=str(row.pk))
        return None
    return Inside(bytes.fromhex(found["key"]), bytes.fromhex(found["private_id"]))


def lookup_of(public_id: str) -> bytes:
    return credential_lookup(METHOD, public_id)


def find_key(public_id: str) -> Credential | None:
    """The key of that public ID in the tenant in force, whoever has it."""
    row: Credential | None = Credential.objects.filter(
        method=METHOD, lookup=lookup_of(public_id)
    ).first()
    return row


def find_server_for(touch: Touch) -> Server | None:
    """The server to ask about this touch; nothing where none is needed or there is none.

    It depends on the key alone and never on the person.
    """
    row = find_key(touch.public_id)
    inside = find_inside(row) if row is not None else None
    if row is None or inside is None or inside.is_ours:
        return None
    return open_server(MethodSettings.objects.first())


def told_of(touch: Touch, server: Server | None) -> str:
    """What the server says, "" where nobody is asked."""
    told: Told | None = ask(server, touch) if server is not None else None
    return told or ""


def is_ours_and_right(row: Credential | None, touch: Touch | None, *, now: datetime) -> bool:
    """Whether this key, whose secret we hold, was touched just now. The touch is used then."""
    inside = find_inside(row) if row is not None else None
    block = touch.block if touch is not None else bytes(16)
    ours = inside is not None and inside.is_ours
    opened = find_opened(inside.key if inside is not None and ours else _DECOY_KEY, block)
    if row is None or touch is None or inside is None or not ours or opened is None:
        return False
    if not hmac.compare_digest(opened.private_id, inside.private_id):
        return False
    rows = Credential.objects.filter(pk=row.pk, version=row.version, counter__lt=opened.position)
    return bool(rows.update(counter=opened.position, used_at=now))
