"""Recording what happened, in the same transaction as the change itself.

The event waits unsealed; `audit_chain` gives it its place later, so no two people ever queue for
the end of a chain (security rules, audit tamper evidence).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from .audit_progress import progress_reason
from .audit_types import allowed_data, clean_text, get_event_type
from .context import get_current_tenant
from .models import AuditEvent
from .shapes import new_row
from .together import Changes

Kind = Literal["user", "administrator", "system", "operator", "anonymous", "group"]
Result = Literal["success", "failure", "denied"]
LABEL_LENGTH = 120
ADDRESS_LENGTH = 45
REFERENCE_LENGTH = 9


@dataclass(frozen=True)
class Party:
    """Who did something, or whom it happened to. `label` is what people read: a user ID, a name."""

    kind: Kind
    id: UUID | None
    label: str


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened, before it is recorded. `now` is an aware time."""

    event_type: str
    actor: Party
    target: Party | None = None
    result: Result = "success"
    reason: str = ""
    data: Mapping[str, object] | None = field(default=None, repr=False)
    correlation_id: UUID | None = None
    reference: str = ""
    address: str = ""
    now: datetime


def record(  # noqa: PLR0913 - an event has this many sides, all named by the caller
    event_type: str,
    *,
    actor: Party,
    target: Party | None = None,
    result: Result = "success",
    reason: str = "",
    data: Mapping[str, object] | None = None,
    correlation_id: UUID | None = None,
    reference: str = "",
    address: str = "",
    now: datetime,
) -> None:
    """Adds one event to the trail of the tenant in force, in the caller's transaction.

    An empty `reason` becomes the sentence of the step (`audit_progress.progress_reason`). Raises
    UnknownEventType, KeyNotAllowed, NoTenant; ValueError for a reference that is none.
    """
    record_many(
        [
            Event(
                event_type=event_type,
                actor=actor,
                target=target,
                result=result,
                reason=reason,
                data=data,
                correlation_id=correlation_id,
                reference=reference,
                address=address,
                now=now,
            )
        ]
    )


def record_many(events: Sequence[Event], *, into: Changes | None = None) -> None:
    """Adds events like `record`, all of them or none; at once, or with the changes of a step."""
    get_current_tenant()
    rows = [_row(event) for event in events]
    if into is not None:
        into.add(*rows)
    elif rows:
        AuditEvent.objects.bulk_create(rows)


def _row(event: Event) -> AuditEvent:
    kind = get_event_type(event.event_type)
    data = allowed_data(kind, event.data or {})
    if len(event.reference) > REFERENCE_LENGTH:
        raise ValueError("a reference has nine characters")
    target = event.target
    row: AuditEvent = new_row(
        AuditEvent,
        type=kind.key,
        activity=kind.activity,
        result=event.result,
        reason=clean_text(event.reason or _step(kind.key, data), LABEL_LENGTH),
        actor_kind=event.actor.kind,
        actor_id=event.actor.id,
        actor_label=clean_text(event.actor.label, LABEL_LENGTH),
        target_kind=target.kind if target else "",
        target_id=target.id if target else None,
        target_label=clean_text(target.label, LABEL_LENGTH) if target else "",
        correlation_id=event.correlation_id,
        reference=clean_text(event.reference, REFERENCE_LENGTH),
        address=clean_text(event.address, ADDRESS_LENGTH),
        data=data,
        created_at=event.now,
    )
    return row


def _step(event_type: str, data: Mapping[str, object]) -> str:
    method, channel = data.get("method") or "", data.get("channel") or ""
    return progress_reason(event_type, str(method), str(channel))
