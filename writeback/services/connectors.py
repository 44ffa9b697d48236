"""Adding a directory, changing what is set about it, and removing it."""

from dataclasses import dataclass, fields
from datetime import datetime

from tenants import audit
from tenants.audit import Party
from tenants.invalid import refusal
from tenants.scoping import claim_for_current_tenant

from ..jobs import State
from ..models import Connector, DirectoryOrder, WritebackJob
from .drills import CANARY_FIELDS, set_canary

KIND_STAYS = "Stop reaching this directory directly first: what is set up is for its kind."
TAKEN = "There is a directory of this name already."
AT_WORK = (
    "Jobs are under way in this directory. Switch “Passwords are written” off, wait a minute, then "
    "remove it."
)


@dataclass(frozen=True)
class ConnectorSettings:
    """What administrators set. canary: the permanent id of the account for drills."""

    name: str
    kind: str
    canary: str = ""
    enabled: bool = True


def add_connector(settings: ConnectorSettings, *, by: Party, now: datetime) -> Connector:
    """A directory that no agent reaches yet. Raises Invalid."""
    _refuse_taken(settings.name)
    row = Connector(name=settings.name, kind=settings.kind, enabled=settings.enabled)
    claim_for_current_tenant(row)
    set_canary(row, settings.canary)
    row.save()
    data = {"connector": row.name, "kind": row.kind}
    audit.record("connector.added", actor=by, data=data, now=now)
    return row


def change_connector(
    connector: Connector, settings: ConnectorSettings, *, by: Party, now: datetime
) -> tuple[str, ...]:
    """Stores what differs; returns the names of the fields. Raises Invalid."""
    row = Connector.objects.select_for_update().get(pk=connector.pk)
    if settings.name != row.name:
        _refuse_taken(settings.name)
    if row.direct and settings.kind != row.kind:
        raise refusal("kind", "direct", KIND_STAYS)
    changed = [
        each.name
        for each in fields(settings)
        if getattr(row, each.name) != getattr(settings, each.name)
    ]
    stored = {*changed, *(CANARY_FIELDS if "canary" in changed else ())}
    for name in changed:
        if name == "canary":
            set_canary(row, settings.canary)
        else:
            setattr(row, name, getattr(settings, name))
    if changed:
        row.save(update_fields=stored)
        data = {"connector": row.name, "fields": changed}
        audit.record("connector.changed", actor=by, data=data, now=now)
    return tuple(changed)


def remove_connector(connector: Connector, reason: str, *, by: Party, now: datetime) -> None:
    """Removes it with its agents, the directory accounts of people in it, and its jobs. Raises
    Invalid while a job has no outcome: somebody waits for it."""
    row = Connector.objects.select_for_update().get(pk=connector.pk)
    jobs = WritebackJob.objects.filter(connector=row)
    if jobs.exclude(state=State.DONE).exists():
        raise refusal("", "at_work", AT_WORK)
    orders = DirectoryOrder.objects.filter(pk__in=jobs.filter(purpose="order").values("origin"))
    orders.update(sealed=None)
    data = {"connector": row.name}
    row.delete()
    audit.record("connector.removed", actor=by, reason=reason, data=data, now=now)


def _refuse_taken(name: str) -> None:
    if Connector.objects.filter(name=name).exists():
        raise refusal("name", "taken", TAKEN)
