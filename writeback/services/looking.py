"""Looking at people's accounts once a day without anybody asking: their rules, and when their
password ends. What people wait for is never delayed by it: few at a time, and they come last."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from tenants.context import tenant_context
from tenants.lookup import tenants_with_connectors
from tenants.together import Changes

from ..models import Connector, DirectoryLink, WritebackJob
from ..outcomes import ASKED_FOR
from ..protocol import CHANGES, Passwords
from ..sealing import is_linked
from .orders import Order, place
from .states import WORKING, standings

PER_MINUTE = 60
"""Looks of a tenant in a minute; half of them at once."""
AT_ONCE = PER_MINUTE // 2
MINUTE = timedelta(minutes=1)
LOOKS_AGAIN = timedelta(hours=1)
"""After a look that came to nothing: nobody took it, or the account is not there."""
LOOKS_SOON = timedelta(minutes=1)
"""The same, where the account is to tell what became of a change: somebody waits to hear it."""


def look_around(now: datetime) -> int:
    """Asks directories that work about accounts that were not looked at for a day; how many."""
    return sum(_look_around(tenant, now) for tenant in tenants_with_connectors())


def _look_around(tenant: UUID, now: datetime) -> int:
    with tenant_context(tenant):
        working = [
            standing.connector
            for standing in standings(now)
            if standing.connector.enabled and standing.state in WORKING
        ]
        most = min(AT_ONCE, PER_MINUTE - _looked(now)) if working else 0
        due = list(_due(working, most, now))
        waited_for = _waited_for(due, now)
        changes, looked = Changes(), 0
        for link in due:
            is_waited_for = (link.connector_id, link.anchor) in waited_for
            link.look_at = now + (LOOKS_SOON if is_waited_for else LOOKS_AGAIN)
            changes.update(link, "look_at")
            if is_linked(link):
                place(_order(link), [link], now, changes)
                looked += 1
        changes.write()
        return looked


def _looked(now: datetime) -> int:
    """How many looks there were in the last minute, those of people's journeys counted."""
    recent = WritebackJob.objects.filter(created_at__gt=now - MINUTE)
    return recent.filter(purpose=WritebackJob.Purpose.DESCRIBE).count()


def _due(connectors: list[Connector], most: int, now: datetime) -> Iterator[DirectoryLink]:
    """The accounts that waited longest, locked; another worker's are passed over."""
    for connector in connectors:
        if most <= 0:
            return
        links = DirectoryLink.objects.filter(connector=connector, look_at__lte=now)
        locked = links.select_for_update(skip_locked=True, of=("self",)).select_related("user")
        for link in locked.order_by("look_at")[:most]:
            link.connector = connector
            most -= 1
            yield link


def _waited_for(links: list[DirectoryLink], now: datetime) -> set[tuple[UUID, str]]:
    """Of which accounts, by directory and permanent id, the end of a change is not known."""
    if not links:
        return set()
    left = WritebackJob.objects.filter(
        outcome="unknown",
        operation__in=CHANGES,
        created_at__gt=now - ASKED_FOR,
        anchor__in=[link.anchor for link in links],
    )
    return set(left.values_list("connector", "anchor"))


def _order(link: DirectoryLink) -> Order:
    return Order(
        purpose=WritebackJob.Purpose.DESCRIBE,
        operation="describe",
        origin=uuid4(),
        user=link.user,
        passwords=Passwords(),
    )
