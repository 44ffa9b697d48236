"""What operators read across tenants: through named functions that answer only while the
installation's own row is in force, each with no more than its page needs (R-3).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.dateparse import parse_date, parse_datetime

from ..context import tenant_context
from ..models import Subscription
from ..services import get_platform
from .embedded import STATEMENTS

PAGE = 50
MANY = 10_000
"""People are counted no further than this in the list."""


@dataclass(frozen=True)
class Listed:
    """One organisation as the list shows it. `people` beyond MANY means "more than MANY"."""

    id: UUID
    slug: str
    name: str
    active: bool
    created_at: datetime
    plan: str
    trial_started: date | None
    people: int

    @property
    def plan_label(self) -> str:
        return str(dict(Subscription.Plan.choices).get(self.plan, "–"))


@dataclass(frozen=True)
class Page:
    """Up to PAGE organisations in the order of their short names, and where to go on."""

    rows: tuple[Listed, ...]
    has_previous: bool
    has_next: bool


@dataclass(frozen=True)
class Backlog:
    """What waits in one queue over all tenants. `oldest` is since when."""

    queue: str
    waiting: int
    oldest: datetime | None


@dataclass(frozen=True)
class Numbers:
    """Sizes of one organisation; people are counted up to 100,000."""

    people: int
    disabled: int
    messages: int
    unsealed: int


@dataclass(frozen=True)
class OpenJobs:
    """Jobs for directories in one state. `oldest` is since when."""

    waiting: int
    oldest: datetime | None


@dataclass(frozen=True)
class DirectoryNumbers:
    """Directories of all tenants, counted. all: whether passwords are written there or not; states:
    those where they are, by the state that was seen last; jobs: open ones by state; outcomes: of
    the jobs that ended lately."""

    all: int
    states: Mapping[str, int]
    jobs: Mapping[str, OpenJobs]
    outcomes: Mapping[str, int]


def page_of(beginning: str, *, after: str = "", before: str = "") -> Page:
    """Organisations whose short name, name or a domain begins so, after or before a short name."""
    found = _listed(beginning=beginning.strip().lower(), after=after, before=before, size=PAGE + 1)
    more = len(found) > PAGE
    if before:
        return Page(tuple(found[-PAGE:]), has_previous=more, has_next=True)
    return Page(tuple(found[:PAGE]), has_previous=bool(after), has_next=more)


def find_listed(tenant: UUID) -> Listed | None:
    found = _listed(wanted=tenant, size=1)
    return found[0] if found else None


def find_owner(kind: str, value: str) -> tuple[UUID, str] | None:
    """Id and short name of the tenant with this slug, domain or host; suspended ones too."""
    rows = _rows("sspr_operator_owner", {"kind": kind, "value": value.lower()})
    return (_uuid(rows[0][0]), rows[0][1]) if rows else None


def backlog(now: datetime) -> list[Backlog]:
    """The queues: messages that are due, events without a seal, counters whose time is over."""
    rows = _rows("sspr_operator_backlog", {"moment": _moment(now)})
    return [Backlog(queue, waiting, _aware(oldest)) for queue, waiting, oldest in rows]


def numbers_of(tenant: UUID) -> Numbers:
    [row] = _rows("sspr_operator_numbers", {"wanted": _id(tenant)})
    return Numbers(*row)


def directory_numbers(since: datetime) -> DirectoryNumbers:
    """How the directories stand, and what became of the jobs that ended after `since`."""
    rows = _rows("sspr_operator_directories", {"since": _moment(since)})
    return DirectoryNumbers(
        all=sum(number for kind, _, number, _ in rows if kind == "all"),
        states={name: number for kind, name, number, _ in rows if kind == "directory"},
        jobs={
            name: OpenJobs(number, _aware(oldest))
            for kind, name, number, oldest in rows
            if kind == "open"
        },
        outcomes={name: number for kind, name, number, _ in rows if kind == "ended"},
    )


def _listed(
    *, wanted: UUID | None = None, beginning: str = "", after: str = "", before: str = "", size: int
) -> list[Listed]:
    values = {
        "wanted": _id(wanted),
        "beginning": beginning,
        "after": after,
        "before": before,
        "size": size,
    }
    return [
        Listed(
            _uuid(tenant),
            slug,
            name,
            bool(active),
            _aware(created) or datetime.min.replace(tzinfo=UTC),
            plan or "",
            parse_date(trial) if isinstance(trial, str) else trial,
            people,
        )
        for tenant, slug, name, active, created, plan, trial, people in _rows(
            "sspr_operator_tenants", values
        )
    ]


def _rows(function: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with tenant_context(get_platform()), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            marks = ", ".join(f"%({name})s" for name in values)
            cursor.execute(f"SELECT * FROM {function}({marks})", values)  # noqa: S608 - fixed names
        else:
            cursor.execute(STATEMENTS[function], values)
        return list(cursor.fetchall())


def _id(value: UUID | None) -> Any:
    return value if value is None or connection.vendor == "postgresql" else value.hex


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _moment(value: datetime) -> Any:
    if connection.vendor == "postgresql":
        return value
    return connection.ops.adapt_datetimefield_value(value)


def _aware(value: Any) -> datetime | None:
    """SQLite keeps times in UTC and without a zone, some of them as text."""
    found: datetime | None = parse_datetime(value) if isinstance(value, str) else value
    return found.replace(tzinfo=found.tzinfo or UTC) if found is not None else None
