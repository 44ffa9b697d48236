"""Counting tries: one atomic statement, committed before anything is compared (R-9).

All counters of a try are raised in one statement and in a fixed order, so that concurrent requests
queue up instead of waiting for each other in a circle.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import F
from django.db.models.functions import Collate

from .context import get_current_tenant
from .keys import installation_mac, tenant_keys
from .limits import Limit
from .models import Counter, SharedCounter


@dataclass(frozen=True)
class Count:
    """One thing to count: a limit and its subject (a user ID, an address, a number)."""

    limit: Limit
    subject: str


@dataclass(frozen=True)
class Blocked:
    """A limit that is used up, and when the block ends."""

    limit: Limit
    until: datetime


@dataclass(frozen=True)
class Counted:
    """What counting one try showed.

    blocked: a limit was used up before; this try is not allowed. used_up: this try was the last
    one allowed. Of several limits the one that ends last is named.
    """

    blocked: Blocked | None = None
    used_up: Blocked | None = None


def count_up(counts: Iterable[Count], now: datetime) -> Counted:
    """Counts one try for each. The caller's transaction must commit before the try is judged."""
    found = list(counts)
    own = [count for count in found if not count.limit.shared]
    shared = [count for count in found if count.limit.shared]
    over: list[Blocked] = []
    last: list[Blocked] = []
    for model, some in ((Counter, own), (SharedCounter, shared)):
        for limit, total, ends_at in _raise(model, some, now):
            if total >= limit.count:
                (over if total > limit.count else last).append(Blocked(limit, ends_at))
    return Counted(blocked=_longest(over), used_up=_longest(last))


def _longest(blocks: Iterable[Blocked]) -> Blocked | None:
    return max(blocks, key=lambda block: block.until, default=None)


def count_down(counts: Iterable[Count]) -> None:
    """Takes one try back for each: it turned out not to be a failure."""
    for model, rows in _by_table(counts):
        model.objects.filter(pk__in=_locked(model, rows), count__gt=0).update(
            count=F("count") - 1, ends_at=F("window_ends")
        )


def find_block(counts: Iterable[Count], now: datetime) -> Blocked | None:
    """The used-up limit among these that ends last, without counting anything."""
    blocks: list[Blocked] = []
    for model, rows in _by_table(counts):
        limits = {(key["limit"], key["subject"]): count.limit for key, count in rows}
        found = model.objects.filter(
            limit__in=[key["limit"] for key, _ in rows],
            subject__in=[key["subject"] for key, _ in rows],
            ends_at__gt=now,
        )
        for row in found:
            limit = limits.get((row.limit, bytes(row.subject)))
            if limit is not None and row.count >= limit.count:
                blocks.append(Blocked(limit, row.ends_at))
    return _longest(blocks)


def forget(counts: Iterable[Count]) -> None:
    """Starts these counters afresh, as a successful reset does."""
    for model, rows in _by_table(counts):
        model.objects.filter(pk__in=_locked(model, rows)).delete()


def _locked(model: Any, rows: Sequence[tuple[dict[str, Any], Count]]) -> list[Any]:
    """The rows that are there, locked in the order of `count_up`, or two people wait for each
    other."""
    name: Any = Collate("limit", "C") if connection.vendor == "postgresql" else "limit"
    found = model.objects.filter(
        limit__in=[key["limit"] for key, _ in rows],
        subject__in=[key["subject"] for key, _ in rows],
    )
    return list(found.order_by(name, "subject").select_for_update().values_list("pk", flat=True))


def _key(count: Count) -> dict[str, Any]:
    if count.limit.shared:
        subject = installation_mac("counter", count.limit.name, count.subject)
    else:
        subject = tenant_keys().mac("counter", count.limit.name, count.subject)
    return {"limit": count.limit.name, "subject": subject}


def _by_table(counts: Iterable[Count]) -> Iterable[tuple[Any, list[tuple[dict[str, Any], Count]]]]:
    """The tables and rows in the order in which `count_up` locks them."""
    found = list(counts)
    for model, shared in ((Counter, False), (SharedCounter, True)):
        rows = [(_key(count), count) for count in found if count.limit.shared is shared]
        rows.sort(key=lambda row: (row[0]["limit"], row[0]["subject"]))
        if rows:
            yield model, rows


_UPSERT = """
INSERT INTO {table} ({own_columns}"limit", subject, count, allowed, counted_at, window_ends,
                     block_ends, ends_at)
VALUES {rows}
ON CONFLICT ({own_key}"limit", subject) DO UPDATE SET
    count = CASE WHEN {table}.ends_at <= EXCLUDED.counted_at THEN 1
                 ELSE {table}.count + 1 END,
    window_ends = CASE WHEN {table}.ends_at <= EXCLUDED.counted_at THEN EXCLUDED.window_ends
                       ELSE {table}.window_ends END,
    ends_at = CASE WHEN {table}.ends_at <= EXCLUDED.counted_at THEN EXCLUDED.ends_at
                   WHEN {table}.count < {table}.allowed
                    AND {table}.count + 1 >= EXCLUDED.allowed
                   THEN COALESCE(EXCLUDED.block_ends, {table}.ends_at)
                   ELSE {table}.ends_at END,
    allowed = EXCLUDED.allowed,
    counted_at = EXCLUDED.counted_at,
    block_ends = EXCLUDED.block_ends
RETURNING "limit", subject, count, ends_at
"""


def _raise(model: Any, counts: Sequence[Count], now: datetime) -> list[tuple[Limit, int, datetime]]:
    if not counts:
        return []
    keyed = {(key["limit"], key["subject"]): count for count in counts for key in [_key(count)]}
    tenant = None if model is SharedCounter else get_current_tenant()
    rows = [_row(keyed[key].limit, key[1], now, tenant) for key in sorted(keyed)]
    own = tenant is not None
    statement = _UPSERT.format(
        table=model._meta.db_table,
        own_columns="id, tenant_id, " if own else "",
        own_key="tenant_id, " if own else "",
        rows=", ".join("(" + ", ".join(["%s"] * len(row)) + ")" for row in rows),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for row in rows for value in row])
        counted = cursor.fetchall()
    return [
        (keyed[name, bytes(subject)].limit, total, _aware(ends_at))
        for name, subject, total, ends_at in counted
    ]


def _row(limit: Limit, subject: bytes, now: datetime, tenant: uuid.UUID | None) -> list[Any]:
    window_ends = now + limit.window
    block_ends = now + limit.block if limit.block else None
    ends_at = block_ends if limit.count == 1 and block_ends is not None else window_ends
    values: list[Any] = [limit.name, subject, 1, limit.count, now, window_ends, block_ends, ends_at]
    if connection.vendor == "sqlite":
        values = [_stored(value) for value in values]
    if tenant is None:
        return values
    row_id = uuid.uuid4()
    ids: list[Any] = [row_id, tenant]
    if connection.vendor == "sqlite":
        ids = [row_id.hex, tenant.hex]
    return [*ids, *values]


def _stored(value: Any) -> Any:
    """How SQLite keeps a time: the ORM's own format, in UTC."""
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value


def _aware(value: Any) -> datetime:
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found if found.tzinfo else found.replace(tzinfo=UTC)
