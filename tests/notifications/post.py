"""Shorthand of these tests: people, queueing and looking at rows."""

from datetime import datetime
from typing import Any

from django.db import connection

from notifications.models import Message
from notifications.services import CodeSource, Recipient, notify
from tenants.context import tenant_context
from tenants.keys import tenant_keys
from tenants.models import AuditEvent, Tenant

ALICE = Recipient("alice@contoso.example", "en", "Alice Adams")
PHONE = Recipient("+14255550101", "en")


def queue_code(
    tenant: Tenant,
    now: datetime,
    source: CodeSource,
    *,
    channel: str = "email",
    to: Recipient = ALICE,
    **more: Any,
) -> Message:
    with tenant_context(tenant.id):
        return notify("code", channel, to, {}, now=now, code=source, **more)


def queue_notice(
    tenant: Tenant,
    now: datetime,
    kind: str = "password_changed",
    to: Recipient = ALICE,
    **facts: str | int | bool,
) -> Message:
    with tenant_context(tenant.id):
        return notify(kind, "email", to, facts, now=now, reference="K7M4-92QX")


def reread(message: Message) -> Message:
    with tenant_context(message.tenant_id):
        row: Message = Message.objects.get(id=message.id)
        return row


def code_of(tenant: Tenant, source: CodeSource) -> str:
    with tenant_context(tenant.id):
        return tenant_keys().code(source.nonce, source.binding).reveal()


def trail(tenant: Tenant) -> list[tuple[str, dict[str, Any]]]:
    with tenant_context(tenant.id):
        return [(event.type, event.data) for event in AuditEvent.objects.order_by("created_at")]


def raw_bytes(tenant: Tenant, *tables: str) -> bytes:
    """Everything the database holds in these tables, as bytes."""
    found = b""
    with tenant_context(tenant.id), connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 - names written in the test
            for row in cursor.fetchall():
                found += b"\n".join(
                    bytes(value) if isinstance(value, bytes | memoryview) else repr(value).encode()
                    for value in row
                )
    return found
