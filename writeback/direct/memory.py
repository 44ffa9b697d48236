"""What the product itself began in a directory, kept in the database: its journal.

Each entry is a transaction of its own, committed before the directory is touched. So any worker
knows what another one began.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from types import TracebackType
from typing import Any
from uuid import UUID

from django.db import Error, close_old_connections, connection

from tenants.context import tenant_context

from ..agent.cap import HOUR
from ..agent.journal import Entry
from ..jobs import State
from ..models import Begun, Connector, WritebackJob
from ..outcomes import ASKED_FOR, TOLD_WITHIN
from ..workplace import NotDone, Unwritable


class DatabaseMemory:
    """Of one directory. now: the time. Everything raises Unwritable without a database."""

    def __init__(self, tenant: UUID, connector: UUID, now: Callable[[], datetime]) -> None:
        self._tenant = tenant
        self._connector = connector
        self._now = now

    def find_intent(self, job: UUID) -> Mapping[str, Any] | None:
        with self._open():
            found = Begun.objects.filter(connector=self._connector, job=job).first()
            return None if found is None else dict(found.facts)

    def find_result(self, job: UUID) -> Mapping[str, Any] | None:
        with self._open():
            found = Begun.objects.filter(connector=self._connector, job=job).first()
            return None if found is None or found.result is None else dict(found.result)

    def times(self) -> list[int]:
        since = int(self._now().timestamp()) - HOUR
        with self._open():
            rows = Begun.objects.filter(connector=self._connector, at__gt=since)
            return list(rows.order_by("at").values_list("at", flat=True))

    def intend(self, job: UUID, sequence: int, at: int, facts: Mapping[str, Any]) -> bool:
        given = {
            "connector_id": self._connector,
            "sequence": sequence,
            "at": at,
            "facts": dict(facts),
        }
        with self._open():
            return bool(Begun.objects.get_or_create(job=job, defaults=given)[1])

    def settle(self, job: UUID, at: int, facts: Mapping[str, Any]) -> None:
        """A result that is there stays."""
        with self._open():
            open_one = Begun.objects.filter(connector=self._connector, job=job, settled_at=None)
            open_one.update(result=dict(facts), settled_at=at)

    def unsettled(self) -> list[Entry]:
        """What has no result, and is in no worker's hand any more: whoever is at it still is told
        of as holding its job, or has given it up long ago."""
        now = self._now()
        before = int((now - TOLD_WITHIN).timestamp())
        with self._open():
            rows = Begun.objects.filter(connector=self._connector, settled_at=None, at__lte=before)
            found = list(rows.order_by("at"))
            held = WritebackJob.objects.filter(
                pk__in=[row.job for row in found], state=State.TAKEN, leased_until__gt=now
            )
            in_hand = set(held.values_list("pk", flat=True))
        return [
            Entry("intent", str(row.job), row.sequence, row.at, row.facts)
            for row in found
            if row.job not in in_hand
        ]

    def unreported(self) -> list[tuple[UUID, Mapping[str, Any]]]:
        """Results of jobs that are told as unknown: whoever knew them ended before telling."""
        now = self._now()
        with self._open():
            left = WritebackJob.objects.filter(
                connector=self._connector, outcome="unknown", created_at__gt=now - ASKED_FOR
            )
            keys = list(left.values_list("pk", flat=True))
            rows = Begun.objects.filter(job__in=keys, result__isnull=False)
            return [(row.job, dict(row.result)) for row in rows]

    def forget(self, before: int) -> None:
        with self._open():
            settled = Begun.objects.filter(connector=self._connector, settled_at__lt=before)
            settled.delete()

    def counting(self) -> AbstractContextManager[Any]:
        """For one intent: no other worker asks the cap or writes one of this directory meanwhile.
        Raises NotDone where the database does not take it."""
        return _Counting(self._tenant, self._connector)

    @contextmanager
    def _open(self) -> Iterator[None]:
        try:
            if not connection.in_atomic_block:
                close_old_connections()
            with tenant_context(self._tenant):
                yield
        except Error as error:
            raise Unwritable(type(error).__name__) from None


class _Counting:
    """The directory's row, locked. Enters more than once, one after the other."""

    def __init__(self, tenant: UUID, connector: UUID) -> None:
        self._tenant = tenant
        self._connector = connector
        self._held: AbstractContextManager[None] | None = None

    def __enter__(self) -> None:
        held = self._locked()
        held.__enter__()
        self._held = held

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        held, self._held = self._held, None
        return held.__exit__(kind, error, traceback) if held is not None else None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            if not connection.in_atomic_block:
                close_old_connections()
            with tenant_context(self._tenant):
                rows = Connector.objects.select_for_update(of=("self",))
                if not rows.filter(pk=self._connector, direct=True).exists():
                    # It was stopped or removed a moment ago.
                    raise NotDone("journal")
                yield
        except Error:
            raise NotDone("journal") from None
