"""Setting a device up: a code on one screen, a key made on the other, a first approval in between.

Until it is proved the device is an unconfirmed credential: first it holds nothing and is found by
the hash of its code, then it holds the device's key and waits for the first approval.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction

from tenants.context import tenant_context
from tenants.counters import Count, count_up
from tenants.keys import SealBroken, binding, tenant_keys
from tenants.limits import LIMITS
from tenants.models import Tenant

from ..methods.base import Asked
from ..models import ApprovalRequest, Credential, User, credential_lookup
from .approvals import Asking, find_request, is_open, new_request, number_of
from .devices import (
    METHOD,
    SEED_BYTES,
    Record,
    base32,
    find_record,
    readable_name,
    remove_unproved,
    write_record,
)
from .signing import BadKey, check_key, enrolment_text, from_base64, is_signed

CODE_LIFETIME = timedelta(minutes=10)
MOST_ROUNDS = 3
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without signs that look alike."""
CODE_LENGTH, GROUP = 12, 4
_LOOKUP = "authenticator enrolment"
_SEALED = "enrolment code"


@dataclass(frozen=True)
class Offer:
    """What a device sends to be set up; `key` and `signature` in base64url."""

    code: str = field(repr=False)
    key: str
    signature: str
    name: str


@dataclass(frozen=True)
class Enrolled:
    """What the device gets, once: its name here and the seed of its codes in base32."""

    device: str
    seed: str = field(repr=False)
    person: str
    organisation: str
    color: str


@dataclass(frozen=True)
class Pending:
    """A device that is being set up: its row, and its first approval once it has a key."""

    credential: Credential
    record: Record | None
    request: ApprovalRequest | None

    @property
    def number(self) -> str:
        """The two digits its owner types in the app."""
        return number_of(_asked_of(self.credential, self.record)) if self.record else ""

    @property
    def may_try_again(self) -> bool:
        return self.record is not None and self.record.rounds < MOST_ROUNDS


def new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def shown_code(code: str) -> str:
    """In groups, as people read it: `K7M4-92QX-3FHD`."""
    return "-".join(code[at : at + GROUP] for at in range(0, len(code), GROUP))


def typed_code(text: str) -> str:
    """A code as it was meant: any case, blanks and dashes left out."""
    return "".join(sign for sign in text.upper() if sign.isalnum())[: CODE_LENGTH + 1]


def device_name(tenant: UUID, credential: UUID) -> str:
    """What a device calls itself in its requests: no secret, its key proves it."""
    return f"{tenant.hex}.{credential.hex}"


# --- On the screen of the person -------------------------------------------------------------


def begin_enrolment(user: User, code: str, now: datetime) -> Credential:
    """Waits for a device with this code; an earlier one that was not finished is forgotten.

    In the tenant's context; so are all below but `enrol`.
    """
    remove_unproved(_unproved(user))
    row = Credential(
        user=user,
        method=METHOD,
        lookup=credential_lookup(_LOOKUP, code),
        created_at=now,
        expires_at=now + CODE_LIFETIME,
    )
    row.write("{}")
    row.save(force_insert=True)
    return row


def find_pending(user: User, now: datetime) -> Pending | None:
    """The device this person is setting up, if it is not too late."""
    row = next((row for row in _unproved(user) if row.expires_at and now < row.expires_at), None)
    if row is None:
        return None
    record = find_record(row)
    return Pending(row, record, find_request(record.round) if record else None)


def ask_again(pending: Pending, now: datetime) -> bool:
    """Another first approval after one that failed; False when there were too many."""
    record = pending.record
    if record is None or is_open(pending.request, now) or not pending.may_try_again:
        return False
    _open_round(pending.credential, record, now)
    return True


def sealed_code(user: User, code: str) -> str:
    """The code as a page carries it, so that a reload of the form shows the same one."""
    return tenant_keys().seal(code, binding(_SEALED, user.pk)).hex()


def find_sealed_code(user: User, text: str) -> str | None:
    try:
        return tenant_keys().open_text(bytes.fromhex(text), binding(_SEALED, user.pk)).reveal()
    except (SealBroken, ValueError):
        return None


def is_waited_for(user: User, code: str, now: datetime) -> bool:
    """Whether this code can still be used."""
    rows = Credential.objects.filter(user=user, method=METHOD, confirmed_at=None)
    lookup = credential_lookup(_LOOKUP, code)
    return bool(rows.filter(lookup=lookup, expires_at__gt=now).exists())


# --- On the device ---------------------------------------------------------------------------


def enrol(tenant: UUID, offer: Offer, *, address: str, now: datetime) -> Enrolled | None:
    """Takes a device's key for a code, once. Counted first; nothing for a wrong or old code, for
    a key that is none, and for one whose private half somebody else holds."""
    limit = LIMITS["enrolments_by_address"]
    with transaction.atomic():
        blocked = count_up([Count(limit, address or "none")], now).blocked
    code, key = typed_code(offer.code), from_base64(offer.key)
    try:
        check_key(key)
    except BadKey:
        return None
    text = enrolment_text(code, offer.key)
    if blocked is not None or not is_signed(key, from_base64(offer.signature), text):
        return None
    with tenant_context(tenant):
        return _take_key(code, key, offer.name, now)


def _take_key(code: str, key: bytes, name: str, now: datetime) -> Enrolled | None:
    organisation = Tenant.objects.filter(active=True).first()
    if organisation is None:
        return None
    row = (
        Credential.objects.select_for_update()
        .filter(
            method=METHOD,
            lookup=credential_lookup(_LOOKUP, code),
            confirmed_at=None,
            expires_at__gt=now,
        )
        .first()
    )
    user = User.objects.filter(pk=row.user_id).first() if row is not None else None
    if row is None or user is None or not user.usable:
        return None
    record = Record(key=key, seed=secrets.token_bytes(SEED_BYTES))
    row.lookup, row.name = None, readable_name(name)
    row.expires_at = now + CODE_LIFETIME
    _open_round(row, record, now)
    return Enrolled(
        device=device_name(row.tenant_id, row.pk),
        seed=base32(record.seed),
        person=user.user_id,
        organisation=organisation.name,
        color=organisation.brand_color,
    )


def _open_round(row: Credential, record: Record, now: datetime) -> None:
    fresh = replace(record, round=uuid4(), rounds=record.rounds + 1)
    write_record(row, fresh)
    row.save()
    asking = Asking(row.user, row.pk, ApprovalRequest.Purpose.ENROLMENT.value)
    asked = replace(_asked_of(row, fresh), expires_at=row.expires_at)
    new_request(asked, asking, now).save(force_insert=True)


def _asked_of(row: Credential, record: Record | None) -> Asked:
    round_ = record.round if record is not None and record.round is not None else row.pk
    return Asked(round_.bytes, binding("enrolment", row.tenant_id, row.pk), challenge=round_)


def _unproved(user: User) -> Sequence[Credential]:
    rows = Credential.objects.filter(user=user, method=METHOD, confirmed_at=None)
    return list(rows.select_related("user").order_by("-created_at"))
