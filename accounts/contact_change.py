"""Addresses and numbers as administrators set them: never as if the person had confirmed them.

A confirmed one is replaced only on purpose, and the person is told at the addresses that were on
file before, so that nobody takes an account over in silence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from notifications.services import Recipient, notify
from tenants import audit
from tenants.audit import Party
from tenants.config.shapes import faults
from tenants.invalid import Invalid
from tenants.models import Domain, Tenant
from tenants.policy import Problem

from .config_plan import OWN_DOMAIN
from .config_rows import anchor_of
from .config_shapes import USER
from .contact_checks import contact_problem as written_problem
from .contacts import find_value, notice_addresses
from .identifiers import mailbox_domain
from .models import ContactPoint, User
from .people import guest_lookup
from .services import party_of

ALTERNATE = ContactPoint.Kind.ALTERNATE_EMAIL.value
REMOVED = ""
CONFIRMED = (
    "What is on file was confirmed by the person. Tick the box below to replace or remove it; "
    "the person is told."
)
OTHER_GUEST = "Another guest is registered with this address."
GUEST_NEEDS_EMAIL = "A guest is found by this address: replace it, or remove the guest."


@dataclass(frozen=True)
class ContactsChanged:
    """kinds that changed, and how many addresses were told of it."""

    kinds: tuple[str, ...] = ()
    told: int = 0


def contact_problem(kind: str, value: str) -> str | None:
    """Why this can't be a contact of that kind, as a sentence."""
    for _, fix in faults(USER.keys[kind.removeprefix("primary_")].shape, value):
        return fix
    return written_problem(kind, value)


def contact_warnings(values: Mapping[str, str]) -> list[str]:
    """What is allowed and proves nothing: an alternate mailbox behind the forgotten password."""
    address = values.get(ALTERNATE)
    if address and Domain.objects.filter(name=mailbox_domain(address)).exists():
        return [OWN_DOMAIN]
    return []


def change_contacts(
    user: User,
    values: Mapping[str, str],
    *,
    replace_confirmed: bool,
    by: Party,
    now: datetime,
) -> ContactsChanged:
    """Sets (or with "" removes) the contacts in `values`, kind → value, unconfirmed.

    Raises Invalid for what is no address or number, and for a confirmed contact that would be
    overwritten without `replace_confirmed`.
    """
    locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    rows = {row.kind: row for row in ContactPoint.objects.filter(user=locked)}
    changing = {kind: value for kind, value in values.items() if _differs(rows.get(kind), value)}
    replaced = [kind for kind in changing if kind in rows and rows[kind].confirmed_at is not None]
    found = list(_problems(locked, changing))
    if not replace_confirmed:
        found += [Problem(kind, "confirmed", CONFIRMED) for kind in replaced]
    if found:
        raise Invalid(found)
    if not changing:
        return ContactsChanged()
    before = notice_addresses(locked, rows.values()) if rows else []
    for kind, value in changing.items():
        _write(locked, kind, value, rows.get(kind))
    if locked.kind == User.Kind.GUEST and ALTERNATE in changing:
        locked.guest_lookup = guest_lookup(changing[ALTERNATE])
        locked.save(update_fields=["guest_lookup"])
    _tell(locked, before, now)
    data = {"fields": sorted(changing), "replaced": sorted(replaced), "told": len(before)}
    audit.record("user.contacts_changed", actor=by, target=party_of(locked), data=data, now=now)
    return ContactsChanged(tuple(changing), len(before))


def _differs(row: ContactPoint | None, value: str) -> bool:
    if row is None:
        return bool(value)
    return find_value(row) != value


def _problems(user: User, changing: Mapping[str, str]) -> list[Problem]:
    found = []
    for kind, value in changing.items():
        fix = contact_problem(kind, value) if value else None
        if fix is not None:
            found.append(Problem(kind, "shape", fix))
    if user.kind == User.Kind.GUEST and ALTERNATE in changing:
        address = changing[ALTERNATE]
        if not address:
            found.append(Problem(ALTERNATE, "guest", GUEST_NEEDS_EMAIL))
        elif _is_other_guests(user, address):
            found.append(Problem(ALTERNATE, "taken", OTHER_GUEST))
    return found


def _is_other_guests(user: User, address: str) -> bool:
    others = User.objects.filter(guest_lookup=guest_lookup(address)).exclude(pk=user.pk)
    return bool(others.exists())


def _write(user: User, kind: str, value: str, row: ContactPoint | None) -> None:
    if value == REMOVED:
        if row is not None:
            row.delete()
        return
    contact = row if row is not None else ContactPoint(user=user, kind=kind)
    if row is not None:
        # Gates that were passed with the old one are void.
        contact.version += 1
    contact.confirmed_at = None
    contact.write(value, anchor_of(kind, value))
    contact.save()


def _tell(user: User, addresses: list[str], now: datetime) -> None:
    first = next(iter(Tenant.objects.get().languages), settings.LANGUAGE_CODE)
    for address in addresses:
        notify(
            "contact_changed",
            "email",
            Recipient(address, user.language or first, user.display_name),
            {"name": user.display_name, "when": now.isoformat()},
            now=now,
        )
