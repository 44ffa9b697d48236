"""A person's set of backup codes: made, counted, spent. Only keyed hashes are kept.

The row's `counter` is a mask, one bit a code; a bit is set by one conditional statement, so that
of many who type the same code at once one is right.
"""

import hmac
import json
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog
from django.db.models import F

from tenants.keys import SealBroken, tenant_keys
from tenants.secret import Secret

from .methods.own_codes import new_code, typed_own_code
from .models import Credential, User

log = structlog.get_logger(__name__)

METHOD = "backup_codes"
CODES = 10
LOW = 3
"""Codes left at which their owner is told."""
_NOBODYS = UUID(int=0)


def count_left(row: Credential) -> int:
    """How many codes of the set were not used."""
    return CODES - max(0, row.counter).bit_count()


def new_set(user: User, *, now: datetime) -> tuple[Credential, Sequence[Secret[str]]]:
    """A new set, which voids the one before at once. In the caller's transaction, with the person
    locked. The codes are shown once and can't be read again."""
    row = Credential.objects.filter(user=user, method=METHOD).first()
    if row is None:
        row = Credential(user=user, method=METHOD, created_at=now)
    else:
        row.version += 1
    codes = _different_codes()
    row.counter, row.confirmed_at, row.used_at = 0, now, None
    row.created_at = now
    row.write(json.dumps([_hash_of(row, code).hex() for code in codes]))
    row.save()
    return row, [Secret(code) for code in codes]


def spend(row: Credential | None, typed: str, *, now: datetime) -> bool:
    """Whether this is a code of the set that was not used before; it is used now. Without a set
    it costs as much and is never right."""
    code = typed_own_code(typed)
    kept = _find_hashes(row) if row is not None else None
    given = _hash_of(row, code)
    place = None
    for index, each in enumerate(kept or [bytes(32)] * CODES):
        if hmac.compare_digest(each, given):
            place = index
    if row is None or not kept or not code or place is None:
        return False
    bit = 1 << place
    unused = Credential.objects.filter(pk=row.pk, version=row.version).annotate(
        taken=F("counter").bitand(bit)
    )
    done = unused.filter(taken=0).update(counter=F("counter").bitor(bit), used_at=now)
    if done:
        row.counter, row.used_at = row.counter | bit, now
    return bool(done)


def _different_codes() -> Sequence[str]:
    codes: dict[str, None] = {}
    while len(codes) < CODES:
        codes[new_code()] = None
    return list(codes)


def _hash_of(row: Credential | None, code: str) -> bytes:
    pk, version = (row.pk, row.version) if row is not None else (_NOBODYS, 0)
    return tenant_keys().mac("backup code", pk, version, code)


def _find_hashes(row: Credential) -> list[bytes] | None:
    try:
        return [bytes.fromhex(each) for each in json.loads(row.read().reveal())]
    except SealBroken:
        log.error("credential_unreadable", credential=str(row.pk))
        return None
