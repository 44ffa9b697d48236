"""What is seen from inside while a case attacks from outside.

Everything here reads: messages as they were sent, the audit trail, every table as the superuser
sees it, and a tenant's fingerprint, which stays the same as long as not one of its rows changes.
`age_flow` is the only way a case moves time: it makes a journey older, as if it had begun earlier.
"""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from notifications.models import Message
from sspr_project.worker import run_once
from tests.services.seeds import TABLES
from tests.services.session import database, shared_cluster, watcher

_TENANT_TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY c.relname
"""
_AGED = {
    "resets_flow": ("id", ("started_at", "expires_at")),
    "resets_challenge": ("flow_id", ("created_at", "sent_at", "expires_at")),
    "notifications_message": ("correlation_id", ("created_at", "due_at", "expires_at")),
}


def superuser() -> psycopg.Connection:
    """This worker's database, behind no wall; each statement its own transaction."""
    return shared_cluster().connect(database())


def dump() -> dict[str, bytes]:
    """Every table, with text and bytes as they are."""
    found: dict[str, bytes] = {}
    for (name,) in watcher().execute(TABLES, [[]]).fetchall():
        query = sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(sql.Identifier(name))
        with watcher().cursor() as cursor, cursor.copy(query) as copy:
            found[name] = b"".join(bytes(block) for block in copy)
    return found


def fingerprint(tenant: UUID) -> dict[str, tuple[int, str]]:
    """Number of rows and hash of them all, for each table of a tenant."""
    tables = [name for (name,) in watcher().execute(_TENANT_TABLES).fetchall()]
    part = sql.SQL(
        "SELECT {}, count(*), coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))),"
        " '') FROM {} t WHERE {} = {}"
    )
    columns = {"tenants_tenant": "id"}
    query = sql.SQL(" UNION ALL ").join(
        part.format(
            sql.Literal(name),
            sql.Identifier(name),
            sql.Identifier(columns.get(name, "tenant_id")),
            sql.Literal(tenant),
        )
        for name in [*tables, "tenants_tenant"]
    )
    return {name: (rows, text) for name, rows, text in watcher().execute(query).fetchall()}


def age_flow(flow: UUID, span: timedelta) -> None:
    """Makes a journey, its challenges and its messages older by `span`."""
    for table, (key, columns) in _AGED.items():
        changes = sql.SQL(", ").join(
            sql.SQL("{0} = {0} - {1}").format(sql.Identifier(name), sql.Literal(span))
            for name in columns
        )
        query = sql.SQL("UPDATE {} SET {} WHERE {} = {}")
        place = sql.Identifier(table), changes, sql.Identifier(key), sql.Literal(flow)
        watcher().execute(query.format(*place))


def forget_counters() -> None:
    """Every limit starts afresh, as if a day had passed."""
    watcher().execute("TRUNCATE tenants_counter, tenants_sharedcounter")


def take_messages(folder: Path) -> list[dict[str, Any]]:
    """Lets the worker send what is queued and takes it out of the outbox, oldest first."""
    while run_once():
        continue
    files = sorted(folder.glob("*.json"))
    found = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    for file in files:
        file.unlink()
    return found


def message_rows(organisation: Any) -> list[tuple[str, str]]:
    """Kind and channel of every message of a tenant, decoys (`none`) too, oldest first."""
    with organisation.inside():
        rows = Message.objects.order_by("created_at", "id")
        return list(rows.values_list("kind", "channel"))
