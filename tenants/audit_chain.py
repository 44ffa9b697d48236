"""The chain over the audit trail: sealing what is new, and finding what was tampered with.

Each tenant has a chain of its own. A seal gives its event a gapless number and
h(n) = SHA-256(h(n-1) ‖ canonical JSON of the event with its number and tenant). Whoever can write
to the whole database can write a chain afresh; checkpoints kept elsewhere show that too.
"""

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db import DatabaseError
from django.db.models import Exists, OuterRef, Subquery
from django.db.models.functions import Coalesce

from .context import fetch_for_tenant, get_current_tenant, tenant_context
from .lookup import tenants_with_unsealed
from .models import AuditEvent, AuditHead, AuditPending, AuditSeal
from .shapes import Shape, new_row
from .statements import is_embedded
from .together import NUMBERED, Changes, stored

GENESIS = bytes(32)
LATE = timedelta(minutes=5)
CHUNK = 2000
SEALED_FIELDS = (
    "id",
    "type",
    "activity",
    "result",
    "reason",
    "actor_kind",
    "actor_id",
    "actor_label",
    "target_kind",
    "target_id",
    "target_label",
    "correlation_id",
    "reference",
    "address",
    "data",
    "created_at",
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """Where a tenant's chain stood at a time; worth something when kept outside the database."""

    tenant: UUID
    sequence: int
    hash: bytes
    time: datetime


@dataclass(frozen=True)
class Verification:
    """What `verify` found. `first_bad` is the first sequence number that is not as it was sealed;
    `sealed` and `hash` are the recorded end of the chain, `unsealed` events wait for their seal."""

    intact: bool
    first_bad: int | None
    sealed: int
    unsealed: int
    why: str
    hash: bytes = GENESIS


class Flaw(NamedTuple):
    sequence: int
    why: str


def canonical_json(tenant: UUID, sequence: int, event: Mapping[str, object]) -> bytes:
    """One event as the bytes that are hashed: sorted keys, no blanks, ASCII, times in UTC with
    microseconds. Pure. `event` maps SEALED_FIELDS to the values of the stored row."""
    content = {**event, "tenant": tenant, "sequence": sequence}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=_plain)
    return text.encode("ascii")


def next_hash(previous: bytes, canonical: bytes) -> bytes:
    """The hash of the seal after the one with hash `previous`, 32 bytes each. Pure."""
    return hashlib.sha256(previous + canonical).digest()


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"an audit event does not hold a {type(value).__name__}")


def seal_pending(now: datetime, *, limit: int = 1000, tenants: Iterable[UUID] | None = None) -> int:
    """Seals up to `limit` waiting events of every tenant, oldest first; returns how many.

    Sealers may run side by side. A tenant whose chain can't grow doesn't keep others from theirs;
    that and events that waited longer than LATE at `now` are logged. Called outside any tenant.
    `tenants` are those with events that wait, for a caller who looked already.
    """
    sealed = 0
    for tenant in tenants_with_unsealed() if tenants is None else tenants:
        try:
            with tenant_context(tenant):
                sealed += _seal(now, limit)
        except DatabaseError as error:
            # Its text may quote a row, so only its kind is told.
            logger.error("the audit trail of %s is not sealed: %s", tenant, type(error).__name__)
    return sealed


def _seal(now: datetime, limit: int) -> int:
    end = _read_end(limit)
    head = end.head
    if end.waiting and now - end.waiting[0].created_at > LATE:
        logger.warning("audit events of %s waited too long for their seal", head.tenant_id)
    done: list[UUID] = []
    seals: list[AuditSeal] = []
    sequence, digest = head.sequence, bytes(head.hash)
    for pending in end.waiting:
        key = pending.event_id
        event = end.events.get(key)
        if event is None:  # removed past the trigger; `verify` tells
            continue
        done.append(pending.pk)
        if key in end.sealed:  # queued a second time, which only hands other than ours can do
            continue
        sequence += 1
        digest = next_hash(digest, canonical_json(head.tenant_id, sequence, event))
        seals.append(new_row(AuditSeal, event_id=key, sequence=sequence, hash=digest))
    if done:
        head.sequence, head.hash = sequence, digest
        _write(head, seals, done)
    return len(seals)


def _write(head: AuditHead, seals: Sequence[AuditSeal], done: Sequence[UUID]) -> None:
    """Adds the seals, takes their events out of the queue, and moves the end of the chain."""
    changes = Changes()
    changes.update(head, "sequence", "hash")
    if is_embedded():
        marks = ", ".join(["%s"] * len(done))
        changes.execute(
            f"DELETE FROM tenants_auditpending WHERE tenant_id = %s AND id IN ({marks})",  # noqa: S608 - marks only
            [stored(head.tenant_id), *map(stored, done)],
        )
        changes.add(*seals)
    else:
        changes.execute(_DEQUEUE, [head.tenant_id, list(done)])
        columns = [[getattr(seal, name) for seal in seals] for name in ("id", "event_id", "hash")]
        changes.execute(_ADD_SEALS, [head.tenant_id, head.sequence - len(seals), *columns])
    changes.write()


# With lists, so that the text is the same for any number of events and its plan is kept.
_DEQUEUE = "DELETE FROM tenants_auditpending WHERE tenant_id = %s AND id = ANY(%s::uuid[])"
_ADD_SEALS = """
INSERT INTO tenants_auditseal (id, tenant_id, event_id, sequence, hash)
SELECT id, %s, event, %s + place, hash
FROM unnest(%s::uuid[], %s::uuid[], %s::bytea[])
     WITH ORDINALITY AS given (id, event, hash, place)
"""


@dataclass(frozen=True)
class _End:
    """The end of a chain, held until the transaction ends, so that it grows in one place, and what
    comes next: the events that wait, oldest first, what is sealed of each, and which of them have
    a seal already."""

    head: AuditHead
    waiting: list[AuditPending]
    events: dict[UUID, Mapping[str, object]]
    sealed: set[UUID]


def _read_end(limit: int) -> _End:
    tenant = stored(get_current_tenant())
    values = [tenant, limit, *[tenant] * 4]
    while True:
        found: list[list[Any]] = [[] for _ in _SHAPES]
        for number, body in fetch_for_tenant(_end_statement(), values, NUMBERED):
            if body is not None:
                found[number].append(_LOADS[number](body))
        locked, seen, waiting, events, seals = found
        if not locked:
            # Whoever comes second waits here for the first one's row and then for its lock.
            AuditHead.objects.bulk_create([AuditHead()], ignore_conflicts=True)
        elif locked[0].sequence == seen[0].sequence:
            waiting.sort(key=lambda pending: (pending.created_at, pending.event_id))
            return _End(
                locked[0],
                waiting,
                dict(events),
                {seal.event_id for seal in seals},
            )
        # Else the chain grew while this one waited for the lock, which it has now: what was read
        # with it is older, and is read again.


_EVENT = Shape(AuditEvent)
_SHAPES = (Shape(AuditHead), Shape(AuditHead), Shape(AuditPending), _EVENT, Shape(AuditSeal))


def _event_of(body: Any) -> tuple[UUID, dict[str, object]]:
    """The key of an event and what is sealed of it, without making a row of it: PostgreSQL writes
    identifiers as they are sealed."""
    if is_embedded():
        event = _EVENT.load(body)
        return event.pk, {name: getattr(event, name) for name in SEALED_FIELDS}
    sealed = {name: body[name] for name in SEALED_FIELDS}
    sealed["created_at"] = datetime.fromisoformat(body["created_at"])
    return UUID(body["id"]), sealed


_LOADS = tuple(_event_of if shape is _EVENT else shape.load for shape in _SHAPES)


@cache
def _end_statement() -> str:
    """Locks the head and reads it beside that as the rest of the statement sees it.

    Events and seals are found one by one. For a join the database chooses a way that takes forever
    where it has no statistics yet, and for a list of ids a plan that is kept would first gather all
    seals of the tenant.
    """
    end = "SELECT * FROM tenants_audithead WHERE tenant_id = %s FOR UPDATE"
    if is_embedded():
        end = end.removesuffix(" FOR UPDATE")
    locked, seen, queued, event, seal = (shape.json("x") for shape in _SHAPES)
    one = "SELECT {body} FROM {table} x WHERE x.tenant_id = %s AND x.{column} = waiting.event_id"
    parts = (
        (locked, f"({end}) x"),
        (seen, "tenants_audithead x WHERE x.tenant_id = %s"),
        (queued, "waiting x"),
        (f"({one.format(body=event, table='tenants_auditevent', column='id')})", "waiting"),
        (f"({one.format(body=seal, table='tenants_auditseal', column='event_id')})", "waiting"),
    )
    read = [f"SELECT {number}, {body} FROM {table}" for number, (body, table) in enumerate(parts)]  # noqa: S608 - names of ours
    waiting = (
        "SELECT * FROM tenants_auditpending WHERE tenant_id = %s"
        " ORDER BY created_at, event_id LIMIT %s"
    )
    return f"WITH waiting AS MATERIALIZED ({waiting}) {' UNION ALL '.join(read)}"


def _stored_events(ids: Sequence[UUID]) -> dict[UUID, dict[str, object]]:
    """What is sealed of these events. By id and not by a join, for which the database chooses a
    way that takes forever where it has no statistics yet."""
    rows = AuditEvent.objects.filter(id__in=ids).values(*SEALED_FIELDS)
    return {row["id"]: row for row in rows}


def verify(checkpoints: Iterable[Checkpoint] = ()) -> Verification:
    """Checks the whole trail of the tenant in force, in memory that does not grow with it.

    Sees events or seals that were changed, removed, moved or put in, numbers left out, an end cut
    off, and a chain that is not the one a checkpoint saw. The chain may grow meanwhile: what is
    sealed after the start is left to the next run.
    """
    tenant = get_current_tenant()
    known: dict[int, set[bytes]] = {}
    for checkpoint in checkpoints:
        if checkpoint.tenant == tenant:
            known.setdefault(checkpoint.sequence, set()).add(checkpoint.hash)
    head = AuditHead.objects.first() or AuditHead()
    flaw = (
        _find_flaw_in_chain(tenant, head, known)
        or _find_flaw_after_end()
        or _find_unqueued_event(head.sequence)
    )
    unsealed = AuditPending.objects.count()
    return Verification(
        intact=flaw is None,
        first_bad=flaw.sequence if flaw else None,
        sealed=head.sequence,
        unsealed=unsealed,
        why=flaw.why if flaw else "",
        hash=bytes(head.hash),
    )


def _find_flaw_in_chain(
    tenant: UUID, head: AuditHead, known: Mapping[int, set[bytes]]
) -> Flaw | None:
    digest, reached = GENESIS, 0
    for sequence, sealed, event in _sealed_events(head.sequence):
        if sequence < 1:
            return Flaw(sequence, "a seal stands before the first one of the chain")
        if sequence != reached + 1:
            return Flaw(reached + 1, "the seal of this number is gone")
        if event is None:
            return Flaw(sequence, "the event of this number is gone")
        digest = next_hash(digest, canonical_json(tenant, sequence, event))
        if digest != sealed:
            return Flaw(sequence, "this is not the event that was sealed here")
        if known.get(sequence, {digest}) != {digest}:
            return Flaw(sequence, "a checkpoint saw another chain up to here")
        reached = sequence
    return _find_flaw_at_end(head, reached, digest, max(known, default=0))


def _find_flaw_at_end(head: AuditHead, reached: int, digest: bytes, seen: int) -> Flaw | None:
    if reached < head.sequence:
        return Flaw(reached + 1, "the seal of this number is gone")
    if digest != bytes(head.hash):
        return Flaw(max(head.sequence, 1), "the recorded end of the chain is another one")
    if seen > head.sequence:
        why = f"the trail ends before this number, a checkpoint saw {seen}"
        return Flaw(head.sequence + 1, why)
    return None


def _sealed_events(last: int) -> Iterator[tuple[int, bytes, dict[str, object] | None]]:
    """Number, hash and event of each seal up to number `last`, in order, a chunk at a time. From
    the lowest number that there is: nothing hides before the first one that sealing gives."""
    seals = AuditSeal.objects.filter(sequence__lte=last).order_by("sequence")
    rest = seals
    while chunk := list(rest.values_list("sequence", "hash", "event_id")[:CHUNK]):
        events = _stored_events([event_id for _, _, event_id in chunk])
        for sequence, sealed, event_id in chunk:
            yield sequence, bytes(sealed), events.get(event_id)
        rest = seals.filter(sequence__gt=chunk[-1][0])


def _find_flaw_after_end() -> Flaw | None:
    """Seals that the recorded end does not know. One statement: a sealer may be at work."""
    end = AuditHead.objects.values("sequence")[:1]
    after_end = AuditSeal.objects.filter(sequence__gt=Coalesce(Subquery(end), 0))
    beyond = after_end.order_by("sequence").first()
    if beyond is None:
        return None
    return Flaw(beyond.sequence, "a seal stands after the recorded end of the chain")


def _find_unqueued_event(sealed: int) -> Flaw | None:
    """An event put in past the trigger, taken out of the queue, or queued and gone."""
    queued = AuditPending.objects.filter(event=OuterRef("pk"))
    stray = AuditEvent.objects.filter(
        ~Exists(AuditSeal.objects.filter(event=OuterRef("pk"))), ~Exists(queued)
    )
    found = stray.order_by("created_at", "id").first()
    if found is not None:
        return Flaw(sealed + 1, f"event {found.pk} has no seal and doesn't wait for one")
    kept = AuditEvent.objects.filter(pk=OuterRef("event_id"))
    lost = AuditPending.objects.filter(~Exists(kept)).order_by("created_at", "id").first()
    if lost is not None:
        return Flaw(sealed + 1, f"event {lost.event_id} is gone and was never sealed")
    return None
