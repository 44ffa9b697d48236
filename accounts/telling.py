"""Telling a person something at the mailboxes on file."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.conf import settings

from notifications.services import Fact, Recipient, notify
from tenants.models import Tenant
from tenants.rules import rules_of

from .contacts import notice_addresses
from .models import ContactPoint, User


def language_of(user: User, tenant: Tenant | None = None) -> str:
    """Their own language, else the tenant's first one. tenant: the row, where it was read."""
    if user.language:
        return user.language
    known = tenant if tenant is not None else rules_of(None).tenant
    return next(iter(known.languages), settings.LANGUAGE_CODE)


def tell(
    kind: str,
    user: User,
    contacts: Iterable[ContactPoint],
    facts: Mapping[str, Fact],
    *,
    now: datetime,
) -> int:
    """One mail to each mailbox of `contacts`; how many. In the caller's transaction."""
    addresses = notice_addresses(user, contacts)
    known = {"name": user.display_name, "when": now.isoformat(), **facts}
    for address in addresses:
        notify(
            kind, "email", Recipient(address, language_of(user), user.display_name), known, now=now
        )
    return len(addresses)
