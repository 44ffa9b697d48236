"""Telling administrators when a directory can't be reached any more, and when it can again."""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from accounts.contacts import administrators, primary_addresses
from accounts.telling import language_of
from notifications.services import Recipient, notify
from tenants import audit
from tenants.context import tenant_context
from tenants.lookup import tenants_with_connectors

from ..health import State
from ..models import Connector
from ..news import Known, judge
from .outcome import WRITEBACK
from .states import Standing, standings


def watch(now: datetime) -> int:
    """Looks at every directory of every tenant; how many look different from last time."""
    return sum(_watch_tenant(tenant, now) for tenant in tenants_with_connectors())


def _watch_tenant(tenant: UUID, now: datetime) -> int:
    with tenant_context(tenant):
        return sum(_note(each, now) for each in standings(now) if _is_different(each, now))


def _is_different(standing: Standing, now: datetime) -> bool:
    """Asked without a lock: mostly nothing is."""
    row = standing.connector
    known = Known(row.told_state, row.bad_since)
    if standing.state != row.seen_state:
        return True
    return row.enabled and judge(known, standing.state, now) != (known, False)


def _note(standing: Standing, now: datetime) -> int:
    """Judges once more under lock, so that of two workers one tells."""
    rows = Connector.objects.select_for_update(skip_locked=True, of=("self",))
    row: Connector | None = rows.select_related("tenant").filter(pk=standing.connector.pk).first()
    if row is None:
        return 0
    known, state = Known(row.told_state, row.bad_since), standing.state
    after, is_news = known, False
    if row.enabled and row.tenant.active:
        after, is_news = judge(known, state, now)
    if (after, state) == (known, row.seen_state):
        return 0
    row.seen_state, row.told_state, row.bad_since = state, after.told, after.bad_since
    row.save(update_fields=["seen_state", "told_state", "bad_since"])
    if is_news:
        _tell(row, state, known.told, now)
    return 1


def _tell(connector: Connector, state: State, before: str, now: datetime) -> None:
    page = reverse("admin:writeback_connector_change", args=[connector.pk])
    facts = {
        "directory": connector.name,
        "state": state,
        "directory_url": f"{settings.SSPR_BASE_URL}{page}",
        "when": now.isoformat(),
    }
    for user, address in primary_addresses(administrators()).items():
        recipient = Recipient(address, language_of(user, connector.tenant), user.display_name)
        notify("directory_state", "email", recipient, facts, now=now)
    data = {"connector": connector.name, "state": state, "before": before}
    audit.record("writeback.state_changed", actor=WRITEBACK, data=data, now=now)
