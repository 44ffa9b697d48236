"""OATH tokens of people: what is inside, whether a code is right, where the token stands now.

The row's `counter` is the position used last; it only rises, by a conditional update. How far a
token's clock is off follows from that position and the moment it was used.
"""

from datetime import datetime

import structlog

from tenants.keys import SealBroken

from .models import Credential
from .oath import DECOY, OathToken, drift_of, expected, find_pair, find_position

log = structlog.get_logger(__name__)

METHOD = "hardware_token"
_NEVER = 2**62  # later than any position: no code is right


def find_token(row: Credential) -> OathToken | None:
    """What is inside; nothing, and a word to the operator, when the row was tampered with."""
    try:
        return OathToken.from_json(row.read().reveal().decode())
    except SealBroken:
        log.error("credential_unreadable", credential=str(row.pk))
        return None


def is_right(row: Credential | None, typed: str, *, now: datetime) -> bool:
    """Whether the token shows this code now. It is used then. Without a token it costs as much and
    is never right."""
    token = find_token(row) if row is not None else None
    if row is None or token is None:
        find_position(DECOY, typed, expected(DECOY, -1, 0, now.timestamp()), _NEVER)
        return False
    used = row.used_at.timestamp() if row.used_at is not None else None
    drift = drift_of(token, row.counter, used)
    positions = expected(token, row.counter, drift, now.timestamp())
    position = find_position(token, typed, positions, row.counter)
    return position is not None and _move(row, position, now)


def synchronise(row: Credential, first: str, second: str, *, now: datetime) -> bool:
    """Finds a token whose clock or counter went astray by two codes that follow each other, which
    are used then. False where they are not its codes."""
    token = find_token(row)
    if token is None:
        return False
    position = find_pair(token, first, second, row.counter, now.timestamp())
    return position is not None and _move(row, position, now)


def _move(row: Credential, position: int, now: datetime) -> bool:
    rows = Credential.objects.filter(pk=row.pk, version=row.version, counter__lt=position)
    done = bool(rows.update(counter=position, used_at=now))
    if done:
        row.counter, row.used_at = position, now
    return done
