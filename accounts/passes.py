"""Temporary access passes: issued by the help desk, shown once, good for an hour at most.

Only a keyed hash is kept. `counter` is -1 until the pass was used; one that works more than once
counts its uses.
"""

import hmac
import json
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db.models import F

from tenants import audit
from tenants.audit import Party
from tenants.invalid import refusal
from tenants.keys import SealBroken, tenant_keys
from tenants.secret import Secret

from .methods.own_codes import new_code, typed_own_code
from .models import ContactPoint, Credential, User
from .services import NOT_YOURSELF, party_of
from .telling import tell

log = structlog.get_logger(__name__)

METHOD = "temporary_access_pass"
SHORTEST, LONGEST = timedelta(minutes=10), timedelta(minutes=60)
_NOBODYS = UUID(int=0)
NOT_USABLE = "This person is disabled or stopped: let them in again first."


def issue_pass(
    user: User, *, lifetime: timedelta, once: bool, reason: str, by: Party, now: datetime
) -> Secret[str]:
    """A new pass, which voids the one before; the person is told. Raises Invalid.

    Whether the administrator may do this to this person is asked before; nobody does it to
    themselves, because a pass proves what somebody else made sure of.
    """
    if by.id == user.pk:
        raise refusal("", "self", NOT_YOURSELF)
    if not SHORTEST <= lifetime <= LONGEST:
        raise refusal("minutes", "out_of_range", "A pass works for 10 to 60 minutes.")
    locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if not locked.usable:
        raise refusal("", "not_usable", NOT_USABLE)
    void_passes(locked)
    code = new_code()
    until = now + lifetime
    row = Credential(user=locked, method=METHOD, created_at=now, confirmed_at=now, expires_at=until)
    row.write(json.dumps({"hash": _hash_of(row.pk, code).hex(), "once": once}))
    row.save(force_insert=True)
    minutes = int(lifetime.total_seconds()) // 60
    audit.record(
        "pass.issued",
        actor=by,
        target=party_of(locked),
        reason=reason,
        data={"minutes": minutes, "once": once},
        now=now,
    )
    contacts = ContactPoint.objects.filter(user=locked)
    tell("pass_issued", locked, contacts, {"until": until.isoformat()}, now=now)
    return Secret(code)


def void_passes(user: User) -> int:
    """No pass of this person works any more; how many there were."""
    rows: int = Credential.objects.filter(user=user, method=METHOD).delete()[0]
    return rows


def is_unused(row: Credential, now: datetime) -> bool:
    """Whether it can be right now: in its time, and not the one use of a pass for one use."""
    kept = find_kept(row)
    return kept is not None and row.is_usable(now) and (row.counter < 0 or not kept["once"])


def spend(row: Credential | None, typed: str, *, now: datetime) -> bool:
    """Whether this is the pass; where it is for one use it is used now. Without a pass it costs as
    much and is never right."""
    code = typed_own_code(typed)
    kept = find_kept(row) if row is not None else None
    given = _hash_of(row.pk if row is not None else _NOBODYS, code)
    same = hmac.compare_digest(bytes.fromhex(kept["hash"]) if kept else bytes(32), given)
    if row is None or kept is None or not same or not code or not row.is_usable(now):
        return False
    rows = Credential.objects.filter(pk=row.pk, expires_at__gt=now)
    if kept["once"]:
        rows = rows.filter(counter=-1)
    return bool(rows.update(counter=F("counter") + 1, used_at=now))


def find_kept(row: Credential) -> dict[str, str] | None:
    """The hash and whether it works once; nothing where the row was tampered with."""
    try:
        found: dict[str, str] = json.loads(row.read().reveal())
    except SealBroken:
        log.error("credential_unreadable", credential=str(row.pk))
        return None
    return found


def _hash_of(row: UUID, code: str) -> bytes:
    return tenant_keys().mac("access pass", row, code)
