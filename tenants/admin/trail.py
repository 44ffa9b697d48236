"""The audit trail, to be read: by reference, by person, by type, by result."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db import models
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from ..audit_types import EVENT_TYPES
from ..models import AuditEvent
from ..reference import find_reference
from .base import ReadOnlyAdmin, Section, as_words, choice_filter, field_choices, row_link
from .paging import KeysetAdmin
from .search import journey_link, named_by, possible_user_ids
from .site import tenant_site

RESULTS = {"success": "Success", "failure": "Failure", "denied": "Denied"}
MAX_STEPS = 500
_PERIODS = {"1": "Last 24 hours", "7": "Last 7 days", "30": "Last 30 days"}


class SinceFilter(SimpleListFilter):
    """Events of the last days."""

    title = "time"
    parameter_name = "days"
    column = "created_at"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(_PERIODS.items())

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> Any:
        value = self.value()
        if value is None:
            return queryset
        if value not in _PERIODS:
            return queryset.none()
        since = timezone.now() - timedelta(days=int(value))
        return queryset.filter(**{f"{self.column}__gte": since})


@admin.register(AuditEvent, site=tenant_site)
class AuditEventAdmin(KeysetAdmin, ReadOnlyAdmin):
    """What happened, newest first."""

    heading = "Audit trail"
    area, place = "Recovery", 30
    list_per_page = 50
    list_display = ("time", "activity", "result", "reason", "actor", "target", "journey")
    list_filter = (
        SinceFilter,
        choice_filter("result", "result", field_choices("result", RESULTS)),
        choice_filter(
            "type",
            "type",
            field_choices(
                "type",
                {key: as_words(key.replace(".", ": ")) for key in EVENT_TYPES},
            ),
        ),
    )
    search_fields = ("reference",)
    search_help_text = "A reference code such as K7M4-92QX, or a whole user ID (actor or target)."
    fields = (
        "time",
        "activity",
        "type",
        "result",
        "reason",
        "actor",
        "actor_kind",
        "target",
        "address",
        "journey",
        "number",
        "id",
    )

    def search_branches(self, text: str) -> Sequence[Q]:
        reference = find_reference(text)
        if reference is not None:
            return [Q(reference=reference)]
        return [way for user_id in possible_user_ids(text) for way in named_by(user_id)]

    def filter_branches(self, chosen: Mapping[str, str]) -> Sequence[Q]:
        if "type" in chosen and "result" not in chosen:
            return [Q(result=result) for result in RESULTS]
        return (Q(),)

    @admin.display(description="Time")
    def time(self, event: AuditEvent) -> str:
        return clock(event.created_at)

    @admin.display(description="Actor")
    def actor(self, event: AuditEvent) -> str:
        return event.actor_label or as_words(event.actor_kind)

    @admin.display(description="Target")
    def target(self, event: AuditEvent) -> str:
        return event.target_label or as_words(event.target_kind)

    @admin.display(description="Journey")
    def journey(self, event: AuditEvent) -> str:
        return journey_link(event.reference)

    @admin.display(description="Number in the chain")
    def number(self, event: AuditEvent) -> str:
        seal: Any = getattr(event, "seal", None)
        return str(seal.sequence) if seal is not None else "not sealed yet"

    def sections(self, obj: AuditEvent) -> Sequence[Section]:
        rows = [(as_words(key), plain(value)) for key, value in sorted(obj.data.items())]
        found = [Section("Data", ("Key", "Value"), rows)]
        if obj.correlation_id is not None:
            found.append(Section("The whole journey", STEP_COLUMNS, steps_of(obj.correlation_id)))
        return found


STEP_COLUMNS = ("Time", "After", "What happened", "Result", "Details")


def steps_of(correlation_id: Any) -> list[tuple[Any, ...]]:
    """One journey, step by step, as rows of `STEP_COLUMNS`."""
    rows = AuditEvent.objects.filter(correlation_id=correlation_id)
    events = list(rows.order_by("created_at", "id")[:MAX_STEPS])
    earlier = [None, *(event.created_at for event in events)]
    return [
        (
            row_link(event, clock(event.created_at)),
            gap(event.created_at - before) if before is not None else "–",
            _what(event),
            event.result,
            details(event.data),
        )
        for event, before in zip(events, earlier, strict=False)
    ]


def gap(span: timedelta) -> str:
    """How long something took, to the second: `+ 1:05:09`, `+ 0:20`."""
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"+ {hours}:{minutes:02}:{seconds:02}" if hours else f"+ {minutes}:{seconds:02}"


_TELLERS: dict[str, Callable[[AuditEvent], str]] = {}


def tell_with(event_type: str, teller: Callable[[AuditEvent], str]) -> None:
    """How events of this type are told in a journey; an app above knows what its codes mean."""
    _TELLERS[event_type] = teller


def _what(event: AuditEvent) -> str:
    teller = _TELLERS.get(event.type)
    if teller is not None:
        return teller(event)
    return as_words(event.reason) if event.reason else event.activity


def details(data: Mapping[str, Any]) -> str:
    return "; ".join(f"{key.replace('_', ' ')}: {plain(value)}" for key, value in data.items())


def plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(plain(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None or value == "" else str(value)


def clock(moment: Any) -> str:
    """A moment to the second, with its zone: order and gaps matter in a trail."""
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S %Z}"
