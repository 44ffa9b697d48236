"""Contacts that messages come back from: marked, so that their owner is asked when they sign in.
They count all the same until then."""

from datetime import datetime

from notifications.unreachable import WATCHERS

from .contacts import EMAILS
from .identifiers import canonical_mailbox
from .models import ContactPoint, contact_lookup
from .numbers import find_e164


def mark_stale(channel: str, address: str, now: datetime) -> None:
    """Marks whoever's address or number it is, in the tenant in force."""
    rows = ContactPoint.objects.filter(stale_at=None)
    if channel == "email":
        found = rows.filter(kind__in=EMAILS, lookup=contact_lookup(canonical_mailbox(address)))
        found.update(stale_at=now)
        return
    number = find_e164(address.partition(";")[0])
    if number is not None:
        rows.exclude(kind__in=EMAILS).filter(lookup=contact_lookup(number)).update(stale_at=now)


WATCHERS.append(mark_stale)
