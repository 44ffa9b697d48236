"""A step that is not open to this browser, tried all the same: nothing changes but the trail."""

from datetime import datetime

from django.db.models import Subquery

from accounts.models import User
from tenants import audit
from tenants.audit import Party
from tenants.context import tenant_reading
from tenants.models import AuditEvent
from tenants.together import Changes, Given, Reading

from ..models import Flow
from .common import Handle, Origin, Result, actor_of, record, step_in

EVENT = "flow.denied"
MOST = 10
"""How many such events a journey gets: a flood must not fill the trail."""


_NAMED = Reading(
    lambda: (
        Flow.objects.filter(pk=Given("flow")),
        User.objects.filter(pk=Subquery(Flow.objects.filter(pk=Given("flow")).values("user"))),
    )
)


def deny(flow: Flow, step: str, now: datetime, changes: Changes, *, field: str = "") -> Result:
    """A step out of order, tried by the browser that holds the journey."""
    if _has_room(flow):
        record(flow, EVENT, now, changes, result="denied", data={"step": step})
    return Result("denied", field=field)


def deny_stranger(handle: Handle, step: str, *, origin: Origin, now: datetime) -> None:
    """Records a step of a journey whose secret this browser does not hold, if there is one."""
    with tenant_reading(handle.tenant):
        flows, users = _NAMED.rows(flow=handle.flow)
    if not flows:
        # An id that somebody made up costs no transaction.
        return
    flow: Flow = flows[0]
    flow.user = next(iter(users), None)
    with step_in(handle.tenant) as changes:
        if not _has_room(flow):
            return
        denied = audit.Event(
            event_type=EVENT,
            actor=Party("anonymous", None, ""),
            target=actor_of(flow) if flow.user is not None else None,
            result="denied",
            data={"step": step},
            correlation_id=flow.pk,
            reference=flow.reference,
            address=origin.address,
            now=now,
        )
        audit.record_many([denied], into=changes)


def _has_room(flow: Flow) -> bool:
    """Whether one more is recorded; the tenant of `flow` is in force."""
    earlier = AuditEvent.objects.filter(correlation_id=flow.pk, type=EVENT)
    return earlier.count() < MOST
