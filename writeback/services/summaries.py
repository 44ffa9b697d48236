"""Once a week: managers hear whose passwords end soon, each of their own people only."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import translation

from accounts.contacts import primary_addresses
from accounts.models import User
from accounts.telling import language_of
from notifications.rendering import clock_time, one_line, supported_language
from notifications.services import Fact, Recipient, notify_each
from tenants.models import Tenant

from ..expiry import summary_ends
from ..models import ExpiryReminders, Reminder
from .reminded import (
    Ending,
    endings,
    one_a_person,
    watched,
    zone_of_installation,
)

KIND = "passwords_end_soon"
MOST_LISTED = 50
LONGEST_NAME = 60
REMEMBERED_FOR = timedelta(days=30)
"""After a password ended, how long its reminders are remembered."""


def summarise(wanted: ExpiryReminders, tenant: Tenant, now: datetime) -> int:
    """The week's work in the tenant in force; how many messages. What was over long ago is
    forgotten."""
    Reminder.objects.filter(password_ends__lt=now - REMEMBERED_FOR).delete()
    if not wanted.managers_summary:
        return 0
    people = _people_of(wanted, now)
    managers = User.objects.filter(pk__in=people, is_active=True, frozen_at=None)
    addresses = primary_addresses(managers)
    told = []
    for manager, address in addresses.items():
        language = language_of(manager, tenant)
        facts = _facts(manager, people[manager.pk], language, now)
        told.append((Recipient(address, language, manager.display_name), facts))
    return notify_each(KIND, told, now=now)


def _people_of(wanted: ExpiryReminders, now: datetime) -> dict[UUID, list[Ending]]:
    """By manager, the accounts whose password ends within the week, the first one first."""
    soon = watched(wanted, now).filter(
        password_ends__gt=now,
        password_ends__lt=summary_ends(now, zone_of_installation()),
    )
    found: dict[UUID, list[Ending]] = {}
    for ending in one_a_person(endings(soon)):
        manager = ending.link.user.manager_id
        if manager is not None:
            found.setdefault(manager, []).append(ending)
    return found


def _facts(
    manager: User, found: Sequence[Ending], language: str, now: datetime
) -> Mapping[str, Fact]:
    with translation.override(supported_language(language)):
        lines = [
            f"{_name_of(ending.link.user)}: {clock_time(ending.ends)}"
            for ending in found[:MOST_LISTED]
        ]
    return {
        "name": manager.display_name,
        "when": now.isoformat(),
        "count": len(found),
        "people": "\n".join(lines),
        "more": max(0, len(found) - MOST_LISTED),
    }


def _name_of(user: User) -> str:
    return one_line(user.display_name or user.user_id)[:LONGEST_NAME]
