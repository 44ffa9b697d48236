"""The audit trail, to be read: by reference, by person, by type, by result."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db import models
from django.http import HttpRequest
from django.utils import timezone

from ..audit_types import EVENT_TYPES
from ..models import AuditEvent
from ..reference import find_reference
from .base import ReadOnlyAdmin, Section, as_words, choice_filter, field_choices, row_link
from .site import tenant_site

RESULTS = {"success": "Success", "failure": "Failure", "denied": "Denied"}
MAX_STEPS = 500
_PERIODS = {"1": "Last 24 hours", "7": "Last 7 days", "30": "Last 30 days"}


class SinceFilter(SimpleListFilter):
    """Events of the last days."""

    title = "time"
    parameter_name = "days"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(_PERIODS.items())

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> Any:
        value = self.value()
        if value is None:
            return queryset
        if value not in _PERIODS:
            return queryset.none()
        return queryset.filter(created_at__gte=timezone.now() - timedelta(days=int(value)))


@admin.register(AuditEvent, site=tenant_site)
class AuditEventAdmin(ReadOnlyAdmin):
    """What happened, newest first."""

    heading = "Audit trail"
    area, place = "Recovery", 30
    ordering = ("-created_at", "-id")
    list_display = ("time", "activity", "result", "reason", "actor", "target", "reference")
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
    search_help_text = "A reference code such as K7M4-92QX, or a whole user ID."
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
        "reference",
        "number",
        "id",
    )

    def search_rows(self, queryset: models.QuerySet[Any], text: str) -> models.QuerySet[Any]:
        reference = find_reference(text)
        if reference is not None:
            return queryset.filter(reference=reference)
        user_id = text.lower()
        return queryset.filter(models.Q(actor_label=user_id) | models.Q(target_label=user_id))

    @admin.display(description="Time")
    def time(self, event: AuditEvent) -> str:
        return clock(event.created_at)

    @admin.display(description="Actor")
    def actor(self, event: AuditEvent) -> str:
        return event.actor_label or as_words(event.actor_kind)

    @admin.display(description="Target")
    def target(self, event: AuditEvent) -> str:
        return event.target_label or as_words(event.target_kind)

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


STEP_COLUMNS = ("Time", "What happened", "Result", "Details")


def steps_of(correlation_id: Any) -> list[tuple[Any, ...]]:
    """One journey, step by step, as rows of `STEP_COLUMNS`."""
    events = AuditEvent.objects.filter(correlation_id=correlation_id)
    return [
        (row_link(event, clock(event.created_at)), _what(event), event.result, details(event.data))
        for event in events.order_by("created_at", "id")[:MAX_STEPS]
    ]


def _what(event: AuditEvent) -> str:
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
