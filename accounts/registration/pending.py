"""What waits for its proof. It belongs to one person in one session, and its tries are counted
before they are judged, in a transaction of their own (R-9)."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F
from django.http import HttpRequest

from tenants.context import tenant_context
from tenants.keys import SealBroken, tenant_keys
from tenants.limits import RESEND_GAPS, SENDS_PER_CHALLENGE, TRIES_PER_CHALLENGE

from ..methods.base import typed_code
from ..models import PendingRegistration
from ..signin.person import SignedIn

LIFETIME = timedelta(minutes=10)
NONCE_BYTES = 16


def begin_pending(
    request: HttpRequest,
    person: SignedIn,
    method: str,
    value: Mapping[str, Any],
    *,
    channel: str = "",
    now: datetime,
) -> PendingRegistration:
    """Keeps what would be registered until it is proved; what waited before is given up.

    In the tenant's context.
    """
    PendingRegistration.objects.filter(user=person.user, method=method).delete()
    PendingRegistration.objects.filter(expires_at__lte=now).delete()
    row = PendingRegistration(
        user=person.user,
        method=method,
        channel=channel,
        nonce=secrets.token_bytes(NONCE_BYTES),
        session_hash=_session_hash(request),
        expires_at=now + LIFETIME,
        created_at=now,
    )
    row.write(json.dumps(value))
    row.save(force_insert=True)
    return row


def find_pending(
    request: HttpRequest, person: SignedIn, method: str, given: str, now: datetime
) -> PendingRegistration | None:
    """What waits under this id, for this person in this session; nothing for anybody else."""
    try:
        pk = UUID(given)
    except ValueError:
        return None
    with tenant_context(person.tenant.pk):
        found: PendingRegistration | None = _alive(request, person, method, now, pk).first()
        return found


def count_try(
    request: HttpRequest, person: SignedIn, pending: PendingRegistration, now: datetime
) -> bool:
    """Counts one try; false when there is none left. Committed before anything is compared."""
    with tenant_context(person.tenant.pk):
        rows = _alive(request, person, pending.method, now, pending.pk)
        return bool(rows.filter(tries__lt=TRIES_PER_CHALLENGE).update(tries=F("tries") + 1))


def count_send(pending: PendingRegistration, now: datetime) -> bool:
    """Counts one code that is sent; false when it is too early or there were too many."""
    rows = PendingRegistration.objects.filter(pk=pending.pk, sends=pending.sends)
    if pending.sends >= SENDS_PER_CHALLENGE or not is_resend_due(pending, now):
        return False
    return bool(rows.update(sends=F("sends") + 1, sent_at=now))


def resend_at(pending: PendingRegistration) -> datetime | None:
    """When the next code can be asked for; nothing once all are used up."""
    if pending.sends >= SENDS_PER_CHALLENGE or pending.sent_at is None:
        return None
    return pending.sent_at + RESEND_GAPS[min(pending.sends, len(RESEND_GAPS)) - 1]


def is_resend_due(pending: PendingRegistration, now: datetime) -> bool:
    at = resend_at(pending)
    return pending.sends == 0 or (at is not None and now >= at)


def tries_left(pending: PendingRegistration) -> int:
    return max(0, TRIES_PER_CHALLENGE - pending.tries)


def take_pending(
    request: HttpRequest, person: SignedIn, method: str, pk: UUID, now: datetime
) -> dict[str, Any] | None:
    """Uses it up: what is to be registered, for whoever comes first; nothing for anybody after.

    In the tenant's context, with the person locked.
    """
    row = _alive(request, person, method, now, pk).select_for_update().first()
    if row is None:
        return None
    try:
        value: dict[str, Any] = json.loads(row.read().reveal())
    except SealBroken:
        return None
    row.delete()
    return value


def read_pending(pending: PendingRegistration) -> dict[str, Any]:
    """What would be registered. Raises SealBroken."""
    found: dict[str, Any] = json.loads(pending.read().reveal())
    return found


def is_code(pending: PendingRegistration, typed: str) -> bool:
    """Whether this is the code that was sent for it."""
    expected = tenant_keys().code(bytes(pending.nonce), pending.bound_to).reveal()
    return hmac.compare_digest(typed_code(typed).encode(), expected.encode())


def _alive(request: HttpRequest, person: SignedIn, method: str, now: datetime, pk: UUID) -> Any:
    return PendingRegistration.objects.filter(
        pk=pk,
        user=person.user,
        method=method,
        session_hash=_session_hash(request),
        expires_at__gt=now,
    )


def _session_hash(request: HttpRequest) -> bytes:
    key = request.session.session_key or ""
    return hashlib.sha256(b"registration\x1f" + key.encode()).digest()
