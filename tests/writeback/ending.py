"""Accounts as they were last seen, and what reminds their people."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from accounts.models import User
from notifications.models import Message
from notifications.queue import outgoing
from notifications.sealing import opened
from tenants.models import Tenant
from tests.cast import Acme
from tests.writeback.field import FieldAgent
from writeback.models import Connector, DirectoryLink, ExpiryReminders, Reminder

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
"""A Friday."""


def december(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 12, day, hour, tzinfo=UTC)


def november(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def wake(agent: FieldAgent) -> None:
    """A sign of life, with the key of a new day."""
    agent.key = X25519PrivateKey.generate()
    assert agent.beat().status == 200


def seen(
    acme: Acme,
    user: User,
    connector: Connector,
    ends: datetime | None,
    *,
    at: datetime = NOW,
    enabled: bool = True,
) -> DirectoryLink:
    """The person's account as an agent saw it at that time, its password ending then."""
    with acme.inside():
        User.objects.filter(pk=user.pk, source="cloud").update(source="password_hash_sync")
        known = DirectoryLink.objects.filter(user=user, connector=connector).first()
        row: DirectoryLink = known or DirectoryLink(
            user=user, connector=connector, anchor=str(uuid4())
        )
        row.described = {"rules": None, "person": {"enabled": enabled}}
        row.described_at, row.password_ends = at, ends
        row.save()
        return row


def switch_on(acme: Acme, **values: Any) -> None:
    """Reminders as they are by default, and as the values say. The week's work is done."""
    wanted = {"days": [14, 7, 3, 1], "week_done": november(16).date(), **values}
    with acme.inside():
        ExpiryReminders.objects.all().delete()
        ExpiryReminders.objects.create(**wanted)


def told(acme: Acme, kind: str = "password_ends_soon") -> list[tuple[str, str]]:
    """Channel and address of each message that waits, in order of the address."""
    with acme.inside():
        rows = Message.objects.filter(kind=kind)
        return sorted((row.channel, str(opened(row, "recipient")["address"])) for row in rows)


def words(acme: Acme, kind: str = "password_ends_soon") -> Mapping[str, Any]:
    """Channel → the message as it goes out; the newest of each."""
    with acme.inside():
        rows = Message.objects.filter(kind=kind).order_by("created_at")
        return {row.channel: outgoing(row, Tenant.objects.get()) for row in rows}


def marks(acme: Acme) -> list[tuple[str, int]]:
    """User ID and mark of every reminder."""
    with acme.inside():
        rows = Reminder.objects.values_list("link__user__user_id", "day")
        return sorted(rows)
