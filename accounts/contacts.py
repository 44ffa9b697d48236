"""Addresses and numbers of a person: comparing what was typed, and where notices go."""

import hmac
from collections.abc import Iterable

import structlog

from tenants.keys import SealBroken
from tenants.roles import holds_administrator_role

from .identifiers import canonical_mailbox, find_domain
from .models import ContactPoint, User
from .numbers import find_e164

log = structlog.get_logger(__name__)

EMAILS = (ContactPoint.Kind.PRIMARY_EMAIL.value, ContactPoint.Kind.ALTERNATE_EMAIL.value)
_PHONES = (ContactPoint.Kind.MOBILE_PHONE.value, ContactPoint.Kind.OFFICE_PHONE.value)
MAX_TYPED = 320


def find_value(contact: ContactPoint) -> str | None:
    """The address or number of a row; nothing, and a word to the operator, when it was tampered
    with: such a row proves nothing and is written to by nobody."""
    try:
        return contact.read().reveal()
    except SealBroken:
        log.error("contact_unreadable", contact=str(contact.pk))
        return None


def same_contact(kind: str, stored: str, typed: str) -> bool:
    """Whether what was typed in full is what is on file; case and writing do not matter."""
    if len(typed) > MAX_TYPED:
        return False
    if kind in _PHONES:
        ours, theirs = find_e164(stored) or "", find_e164(typed) or ""
    else:
        ours, theirs = stored.strip().casefold(), typed.strip().casefold()
    return bool(ours) and hmac.compare_digest(ours.encode(), theirs.encode())


def notice_addresses(user: User, contacts: Iterable[ContactPoint]) -> list[str]:
    """Where a person is told: primary and alternate mailbox; with neither, the user ID itself."""
    by_kind = {row.kind: row for row in contacts}
    found: dict[str, str] = {}
    for kind in EMAILS:
        if kind in by_kind:
            address = find_value(by_kind[kind])
            if address is not None:
                found.setdefault(canonical_mailbox(address), address)
    if not found and "#ext#" not in user.user_id and find_domain(user.user_id):
        return [user.user_id]
    return list(found.values())


def administrators(*, excluding: User | None = None) -> list[User]:
    """Everybody usable who holds an administrator's role in the tenant in force, by user ID."""
    rows = User.objects.exclude(roles=[]).filter(is_active=True, frozen_at=None)
    return [
        user
        for user in rows.order_by("user_id")
        if holds_administrator_role(user.roles) and (excluding is None or user.pk != excluding.pk)
    ]


def primary_addresses(users: Iterable[User]) -> dict[User, str]:
    """The mailbox each of these people reads as a colleague: the primary one, else the user ID."""
    people = {user.pk: user for user in users}
    rows = ContactPoint.objects.filter(user_id__in=people, kind=EMAILS[0])
    by_user = {row.user_id: find_value(row) for row in rows}
    return {user: by_user.get(pk) or user.user_id for pk, user in people.items()}
