"""An audit trail to try things on: events of one tenant, and the hands of a superuser."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg

from tenants.audit import Event, Party, record_many
from tenants.audit_chain import Checkpoint, Verification, verify
from tenants.context import tenant_context
from tenants.models import AuditSeal
from tests.services.session import database, shared_cluster

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
ALICE = Party("user", uuid4(), "alice@contoso.example")


def write_events(tenant: UUID, number: int, *, start: datetime = NOW) -> None:
    """`number` failed codes, a second apart, committed and not sealed."""
    with tenant_context(tenant):
        record_many(
            [
                Event(
                    event_type="flow.verification_failed",
                    actor=ALICE,
                    target=ALICE,
                    result="failure",
                    data={"method": "email", "step": 1, "tries_left": number - each},
                    correlation_id=uuid4(),
                    reference="K7M4-92QX",
                    address="192.0.2.7",
                    now=start + timedelta(seconds=each),
                )
                for each in range(number)
            ]
        )


def verified(tenant: UUID, *checkpoints: Checkpoint) -> Verification:
    with tenant_context(tenant):
        return verify(checkpoints)


def sequences(tenant: UUID) -> list[int]:
    with tenant_context(tenant):
        return list(AuditSeal.objects.order_by("sequence").values_list("sequence", flat=True))


@contextmanager
def tampering() -> Iterator[psycopg.Connection]:
    """A superuser who switched triggers and foreign keys off, in one transaction."""
    with shared_cluster().connect(database()) as connection, connection.transaction():
        connection.execute("SET LOCAL session_replication_role = replica")
        yield connection
