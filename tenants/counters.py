"""Counting tries: one atomic statement, committed before anything is compared (R-9).

All counters of a try are raised in one statement and in a fixed order, so that concurrent requests
queue up instead of waiting for each other in a circle.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .context import get_current_tenant
from .ids import ordered_id
from .keys import installation_mac, tenant_keys
from .limits import Limit
from .models import Counter, SharedCounter
from .statements import TOLD, alone, is_embedded, run, take_debt
from .together import Changes, Statement, Taken, stored
from .versions import overtaking


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

    over: limits that were used up before; this try is not allowed. last: limits for which this
    try was the last one allowed. holding: those used up among the ones that were only looked at,
    with the end of the block. Of several limits `blocked`, `used_up` and `held` name the one that
    ends last. totals: by the name of a limit that was raised, how often it was tried and when the
    counting starts afresh.
    """

    over: tuple[Blocked, ...] = ()
    last: tuple[Blocked, ...] = ()
    holding: tuple[tuple[Count, datetime], ...] = ()
    totals: Mapping[str, tuple[int, datetime]] = field(default_factory=dict)

    @property
    def blocked(self) -> Blocked | None:
        return _longest(self.over)

    @property
    def used_up(self) -> Blocked | None:
        return _longest(self.last)

    @property
    def held(self) -> Blocked | None:
        return _longest(Blocked(count.limit, until) for count, until in self.holding)


Rows = Mapping[tuple[str, bytes], Count]


def count_up(
    counts: Iterable[Count],
    now: datetime,
    *,
    watching: Iterable[Count] = (),
    along: Changes | None = None,
    ends: bool = False,
) -> Counted:
    """Counts one try for each; looks at those in `watching` without counting them.

    `along` are changes that are written with it, and raise Overtaken as they would by themselves.
    The caller's transaction must commit before the try is judged; `ends` where it
    ends with this.
    One statement in all on a database that takes changes in a WITH clause.
    """
    raised = {model: _keyed(rows) for model, rows in _by_table(counts)}
    watched = {model: _keyed(rows) for model, rows in _by_table(watching)}
    statements = [_raising(model, rows, now) for model, rows in raised.items()]
    looks = [_looking(model, rows, now) for model, rows in watched.items()]
    keys = {key: count for rows in raised.values() for key, count in rows.items()}
    seen = {key: count for rows in watched.values() for key, count in rows.items()}
    over: list[Blocked] = []
    last: list[Blocked] = []
    holding: list[tuple[Count, datetime]] = []
    totals: dict[str, tuple[int, datetime]] = {}
    beside = along.take() if along is not None else Taken(())
    with alone() if ends else nullcontext():
        found = _fetched(statements, looks, beside)
    for kind, name, subject, total, ends_at in found:
        if kind == _LOOK:
            watched_one = seen[name, bytes(subject)]
            if total >= watched_one.limit.count:
                holding.append((watched_one, _aware(ends_at)))
            continue
        limit = keys[name, bytes(subject)].limit
        totals[name] = total, _aware(ends_at)
        if limit.blocks and total >= limit.count:
            (over if total > limit.count else last).append(Blocked(limit, _aware(ends_at)))
    return Counted(tuple(over), tuple(last), tuple(holding), totals)


def _longest(blocks: Iterable[Blocked]) -> Blocked | None:
    return max(blocks, key=lambda block: block.until, default=None)


def _keyed(rows: Sequence[tuple[dict[str, Any], Count]]) -> Rows:
    return {(key["limit"], key["subject"]): count for key, count in rows}


def _fetched(
    raising: Sequence[Statement], looking: Sequence[Statement], beside: Taken
) -> list[Any]:
    """The rows that these statements answer with; those `beside` answer nothing."""
    asking, silent = [*raising, *looking], beside.statements
    if asking and not is_embedded():
        asking, silent = [_united(raising, looking, beside)], ()
    found: list[Any] = []
    for statement, values in silent:
        run(statement, values).close()
    for statement, values in asking:
        with overtaking(), run(statement, values) as cursor:
            found += cursor.fetchall()
    for kind, version, *_ in found:
        if kind == _HELD and beside.held is not None:
            beside.held.written(version)
    return [row for row in found if row[0] not in _FIRST]


def _united(raising: Sequence[Statement], looking: Sequence[Statement], beside: Taken) -> Statement:
    """PostgreSQL reads the parts of a UNION ALL one after the other: tells the tenant, writes the
    row that everything depends on, counts."""
    held = beside.held
    owing = take_debt(first=held is not None)
    named: list[Statement] = held.named if held else []
    named += [(f"r{number} AS ({text})", some) for number, (text, some) in enumerate(raising)]
    named += [(f"b{n} AS ({text})", some) for n, (text, some) in enumerate(beside.statements)]
    parts: list[Statement] = [(_FIRST[_TELL].format(TOLD), [owing])] if owing is not None else []
    parts += [(_FIRST[_HELD].format(held.checked), [])] if held else []
    parts += [(f"TABLE r{number}", []) for number in range(len(raising))]
    parts += looking
    first = f"WITH {', '.join(text for text, _ in named)} " if named else ""
    values = [value for _, some in (*named, *parts) for value in some]
    return first + " UNION ALL ".join(text for text, _ in parts), values


def count_down(
    counts: Iterable[Count],
    *,
    times: int = 1,
    success: bool = False,
    into: Changes | None = None,
) -> None:
    """Takes tries back for each: they turned out not to be failures. A `success` ends streaks.

    A block ends only where the tries that are left no longer use up the limit: others' failures
    stand.
    """
    found = list(counts)
    streaks = sorted({count.limit.name for count in found if count.limit.streak})
    over = f'WHEN {{table}}."limit" IN ({_marks(streaks)}) THEN 0 ' if success and streaks else ""
    changes = into if into is not None else Changes()
    for model, rows in _by_table(found):
        keyed = _keyed(rows)
        amounts = [*(streaks if over else []), times, times, times]
        changes.execute(*_lowering(model, keyed, over, amounts), by_key=True)
    if into is None:
        changes.write()


def forget(counts: Iterable[Count], *, into: Changes | None = None) -> None:
    """Starts these counters afresh, as a successful reset does."""
    changes = into if into is not None else Changes()
    for model, rows in _by_table(counts):
        found, which = _locked(model, _keyed(rows))
        changes.execute(f"DELETE FROM {model._meta.db_table} WHERE id IN ({found})", which)  # noqa: S608 - words of ours
    if into is None:
        changes.write()


def _locked(model: Any, rows: Rows) -> Statement:
    """The rows that are there, locked in the order of `count_up`, or two people wait for each
    other."""
    text = f"SELECT id FROM {model._meta.db_table} WHERE {_own(model)}{_among(rows)}"  # noqa: S608 - names of ours
    if not is_embedded():
        text += ' ORDER BY "limit" COLLATE "C", subject FOR UPDATE'
    return text, [*_own_values(model), *(value for key in rows for value in key)]


def _among(rows: Rows) -> str:
    values = ", ".join(["(%s, %s)"] * len(rows))
    return f'("limit", subject) IN (VALUES {values})'


def _own(model: Any) -> str:
    return "" if model is SharedCounter else "tenant_id = %s AND "


def _own_values(model: Any) -> list[Any]:
    if model is SharedCounter:
        return []
    return [stored(get_current_tenant())]


def _looking(model: Any, rows: Rows, now: datetime) -> Statement:
    table = model._meta.db_table
    text = (
        f'SELECT {_LOOK}, "limit", subject, count, ends_at FROM {table}'  # noqa: S608 - names of ours
        f" WHERE {_own(model)}{_among(rows)} AND ends_at > %s"
    )
    return text, [*_own_values(model), *(value for key in rows for value in key), stored(now)]


def find_block(counts: Iterable[Count], now: datetime) -> Blocked | None:
    """The used-up limit among these that ends last, without counting anything."""
    return count_up((), now, watching=counts).held


def find_blocks(counts: Iterable[Count], now: datetime) -> Sequence[tuple[Count, datetime]]:
    """Every used-up limit among these with the end of its block, without counting anything."""
    return count_up((), now, watching=counts).holding


def _key(count: Count) -> dict[str, Any]:
    if count.limit.shared:
        subject = installation_mac("counter", count.limit.name, count.subject)
    else:
        subject = tenant_keys().mac("counter", count.limit.name, count.subject)
    return {"limit": count.limit.name, "subject": subject}


def _by_table(counts: Iterable[Count]) -> Iterable[tuple[Any, list[tuple[dict[str, Any], Count]]]]:
    """Each table with its rows, in the order in which `count_up` locks the tables."""
    found = list(counts)
    for model, shared in ((Counter, False), (SharedCounter, True)):
        rows = [(_key(count), count) for count in found if count.limit.shared is shared]
        if rows:
            yield model, rows


# Written to by its key alone, which leaves PostgreSQL nothing to plan.
_BY_KEY = """
INSERT INTO {table} ({own_columns}"limit", subject, count, allowed, counted_at, window_ends,
                     block_ends, ends_at)
VALUES {rows}
ON CONFLICT ({own_key}"limit", subject) DO UPDATE SET"""
_UP = """
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
RETURNING {raised}, "limit", subject, count, ends_at
"""
_DOWN = """
    count = CASE {over}WHEN {{table}}.count > %s THEN {{table}}.count - %s ELSE 0 END,
    ends_at = CASE WHEN {{table}}.count - %s < {{table}}.allowed THEN {{table}}.window_ends
                   ELSE {{table}}.ends_at END
WHERE {{table}}.count > 0
"""
_OVER = datetime(1970, 1, 1, tzinfo=UTC)
_RAISED, _LOOK, _TELL, _HELD = 1, 2, 3, 4
_FIRST = {
    kind: f"SELECT {kind}, {{}}, NULL::bytea, NULL::integer, NULL::timestamptz"
    for kind in (_TELL, _HELD)
}
"""What comes before the rows of counters, in their shape."""


def _raising(model: Any, keyed: Rows, now: datetime) -> Statement:
    tenant = None if model is SharedCounter else get_current_tenant()
    rows = []
    for key in sorted(keyed):
        limit = keyed[key].limit
        rows.append(_row(limit, key[1], tenant, 1, _times(limit, now)))
    return _by_key(model, rows, _UP), [value for row in rows for value in row]


def _lowering(model: Any, keyed: Rows, over: str, amounts: Sequence[Any]) -> Statement:
    """A counter that is gone meanwhile is there again, at nothing and with its time over."""
    tenant = None if model is SharedCounter else get_current_tenant()
    rows = [
        _row(keyed[key].limit, key[1], tenant, 0, (_OVER, _OVER, None, _OVER))
        for key in sorted(keyed)
    ]
    text = _by_key(model, rows, _DOWN.format(over=over))
    return text, [*(value for row in rows for value in row), *amounts]


def _by_key(model: Any, rows: Sequence[Sequence[Any]], change: str) -> str:
    """A statement that adds these rows in their order, each or a change of the one there is."""
    own = model is not SharedCounter
    return (_BY_KEY + change).format(
        table=model._meta.db_table,
        own_columns="id, tenant_id, " if own else "",
        own_key="tenant_id, " if own else "",
        raised=_RAISED,
        rows=", ".join(f"({_marks(row)})" for row in rows),
    )


def _marks(values: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(values))


def _times(limit: Limit, now: datetime) -> tuple[datetime | None, ...]:
    """When a first try is counted, its window ends, its block would end, and it is over."""
    window_ends = now + limit.window
    block_ends = now + limit.block if limit.block else None
    ends_at = block_ends if limit.count == 1 and block_ends is not None else window_ends
    return now, window_ends, block_ends, ends_at


def _row(
    limit: Limit,
    subject: bytes,
    tenant: uuid.UUID | None,
    count: int,
    times: Sequence[datetime | None],
) -> list[Any]:
    ids = [] if tenant is None else [ordered_id(), tenant]
    return [stored(value) for value in (*ids, limit.name, subject, count, limit.count, *times)]


def _aware(value: Any) -> datetime:
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found if found.tzinfo else found.replace(tzinfo=UTC)
