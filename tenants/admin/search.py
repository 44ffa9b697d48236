"""What searches on the site share: references, persons in the trail, the first of many matches."""

from collections.abc import Iterable, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.html import format_html

from ..models import AuditEvent, Domain
from ..reference import find_reference

SHORTEST = 2
TOO_SHORT = f"Type at least {SHORTEST} characters."
_RECENT = 500
_DOMAINS = 5


def first_matches(
    queryset: models.QuerySet[Any], ways: Sequence[tuple[Q, Sequence[Any]]], *, most: int
) -> tuple[list[Any], bool]:
    """At most `most` rows that one of the ways finds, in the queryset's own order; and whether
    there are more. Each way, a condition and the order of its index, is read no further than
    needed, however many rows it would find; the database is asked once for all of them."""
    parts = [queryset.filter(way).order_by(*order)[: most + 1] for way, order in ways]
    found = {row.pk: row for row in _all_of(parts)}
    rows = list(found.values())[:most]
    for name in reversed(queryset.query.order_by):
        rows.sort(key=attrgetter(str(name).lstrip("-")), reverse=str(name).startswith("-"))
    return rows, len(found) > most


def _all_of(parts: Sequence[models.QuerySet[Any]]) -> Iterable[Any]:
    """The rows of each part; SQLite unites no parts that end early, so it is asked for each."""
    if len(parts) < 2 or not connection.features.supports_slicing_ordering_in_compound:
        return chain.from_iterable(parts)
    return parts[0].union(*parts[1:], all=True)


def named_by(user_id: str) -> list[Q]:
    """Events about a person, by the whole user ID; as actor, and as the target of somebody else."""
    by_target = Q(target_label=user_id) & ~Q(target_label=F("actor_label"))
    return [Q(actor_label=user_id), by_target]


def possible_user_ids(text: str) -> list[str]:
    """Whole user IDs that somebody may have meant: without a domain, one in each domain."""
    typed = text.lower()
    if "@" in typed or not typed:
        return [typed]
    names = Domain.objects.order_by("name").values_list("name", flat=True)[:_DOMAINS]
    return [f"{typed}@{name}" for name in names]


def find_person_of_reference(text: str) -> tuple[str, UUID | None] | None:
    """(reference, id of its person if known), or nothing where no journey has this reference."""
    reference = find_reference(text)
    if reference is None:
        return None
    events = AuditEvent.objects.filter(reference=reference).order_by("created_at", "id")
    first = events.values_list("target_id", flat=True)[:1]
    return (reference, first[0]) if first else None


def recent_journeys_of(text: str) -> list[UUID]:
    """The journeys in a person's newest events, found by the whole user ID."""
    found: dict[UUID, None] = {}
    for user_id in possible_user_ids(text):
        for way in named_by(user_id):
            events = AuditEvent.objects.filter(way).order_by("-created_at", "-id")
            ids = events.values_list("correlation_id", flat=True)[:_RECENT]
            found.update(dict.fromkeys(each for each in ids if each is not None))
    return list(found)


def journey_link(reference: str, text: object = "") -> str:
    """A link to the journey of this reference; the text alone where there is none."""
    if not reference:
        return "–"
    url = reverse("admin:resets_flow_reference", args=[reference])
    return format_html('<a href="{}">{}</a>', url, text or reference)
