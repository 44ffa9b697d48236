"""Finding which tenant is meant before one is in force.

On PostgreSQL through a few named functions that run as a role which may read just the columns they
need (R-3); they answer with ids, never with rows.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from .statements import is_embedded, run

_EMBEDDED = {
    "sspr_find_tenant": (
        "SELECT id FROM tenants_tenant WHERE %s = 'slug' AND slug = %s AND active"
        " UNION SELECT d.tenant_id FROM tenants_domain d JOIN tenants_tenant t"
        " ON t.id = d.tenant_id WHERE %s = 'domain' AND d.name = %s AND t.active"
        " UNION SELECT h.tenant_id FROM tenants_host h JOIN tenants_tenant t"
        " ON t.id = h.tenant_id WHERE %s = 'host' AND h.name = %s AND t.active"
    ),
    "sspr_tenants": "SELECT id FROM tenants_tenant WHERE NOT platform ORDER BY slug",
    "sspr_platform": "SELECT id FROM tenants_tenant WHERE platform",
    "sspr_guest_tenants": (
        "SELECT DISTINCT tenant_id FROM accounts_user WHERE guest_lookup = %s LIMIT 20"
    ),
    "sspr_tenants_with_messages": (
        "SELECT DISTINCT tenant_id FROM notifications_message"
        " WHERE state = 'queued' AND due_at <= %s"
    ),
    "sspr_tenants_with_imports": (
        "SELECT DISTINCT tenant_id FROM accounts_importrun WHERE keeps_data AND created_at <= %s"
    ),
    "sspr_tenants_with_ended_counters": (
        "SELECT DISTINCT tenant_id FROM tenants_counter WHERE ends_at <= %s"
    ),
    "sspr_tenants_with_unsealed": "SELECT DISTINCT tenant_id FROM tenants_auditpending",
    "sspr_tenant_of_agent": "SELECT tenant_id FROM writeback_agent WHERE id = %s",
    "sspr_tenant_of_enrolment": (
        "SELECT tenant_id FROM writeback_enrolmentcode WHERE code_hash = %s"
    ),
    "sspr_tenants_with_unsigned_jobs": (
        "SELECT DISTINCT tenant_id FROM writeback_writebackjob WHERE state = 'unsigned'"
    ),
    "sspr_tenants_with_open_jobs": (
        "SELECT DISTINCT tenant_id FROM writeback_writebackjob WHERE state <> 'done'"
    ),
    "sspr_tenants_with_connectors": "SELECT DISTINCT tenant_id FROM writeback_connector",
    "sspr_tenants_with_direct": (
        "SELECT tenant_id FROM writeback_connector"
        " WHERE direct AND (reported_at IS NULL OR reported_at <= %s)"
        " UNION SELECT tenant_id FROM writeback_begun WHERE settled_at IS NULL"
    ),
    "sspr_tenants_with_direct_jobs": (
        "SELECT DISTINCT j.tenant_id FROM writeback_writebackjob j JOIN writeback_connector c"
        " ON c.id = j.connector_id WHERE c.direct AND j.state <> 'done' AND j.state <> 'unsigned'"
    ),
}


def _ids(function: str, arguments: Sequence[Any], embedded: Sequence[Any]) -> list[UUID]:
    if is_embedded():
        with run(_EMBEDDED[function], list(embedded)) as cursor:
            return [UUID(row[0]) for row in cursor.fetchall()]
    marks = ", ".join(["%s"] * len(arguments))
    with run(f"SELECT * FROM {function}({marks})", list(arguments)) as cursor:  # noqa: S608 - a fixed name
        return [row[0] for row in cursor.fetchall() if row[0] is not None]


def find_tenant(*, slug: str = "", domain: str = "", host: str = "") -> UUID | None:
    """The tenant that owns this slug, domain of user IDs or host name."""
    kind, value = next(
        (kind, value.lower())
        for kind, value in (("slug", slug), ("domain", domain), ("host", host))
        if value or kind == "host"
    )
    found = _ids("sspr_find_tenant", [kind, value], [kind, value] * 3)
    return found[0] if found else None


def find_owner(host: str, adding: tuple[str, Sequence[Any]]) -> tuple[UUID | None, bool]:
    """The tenant that owns this host name, found along with a statement that adds a row or none;
    and whether it added one."""
    statement, values = adding
    if is_embedded():
        with run(statement, values) as cursor:
            added = bool(cursor.rowcount)
        return find_tenant(host=host), added
    text = (
        f"WITH added AS ({statement} RETURNING true)"  # noqa: S608 - a statement of ours
        " SELECT (SELECT * FROM sspr_find_tenant('host', %s)), EXISTS (TABLE added)"
    )
    with run(text, [*values, host.lower()]) as cursor:
        owner, added = cursor.fetchone()
    return owner, added


def tenant_ids() -> list[UUID]:
    """All customers, for work that goes over every tenant one by one."""
    return _ids("sspr_tenants", [], [])


def platform_id() -> UUID:
    """The row that stands for the installation itself: unknown people's journeys belong to it."""
    return _ids("sspr_platform", [], [])[0]


def tenants_of_guest(lookup: bytes) -> list[UUID]:
    """Tenants that know a guest by this registered email (its installation-wide keyed hash)."""
    return _ids("sspr_guest_tenants", [lookup], [lookup])


def tenants_with_messages(now: Any) -> list[UUID]:
    """Tenants with messages that are due."""
    moment = _stored_time(now)
    return _ids("sspr_tenants_with_messages", [moment], [moment])


def tenants_with_imports(before: Any) -> list[UUID]:
    """Tenants that still keep data of an import that was made before this moment."""
    moment = _stored_time(before)
    return _ids("sspr_tenants_with_imports", [moment], [moment])


def tenants_with_ended_counters(before: Any) -> list[UUID]:
    """Tenants with counters whose time was over at this moment."""
    moment = _stored_time(before)
    return _ids("sspr_tenants_with_ended_counters", [moment], [moment])


def tenants_with_unsealed() -> list[UUID]:
    """Tenants with audit events that wait for their seal."""
    return _ids("sspr_tenants_with_unsealed", [], [])


def find_tenant_of_agent(agent: UUID) -> UUID | None:
    """Whose agent this is, by its row."""
    found = _ids("sspr_tenant_of_agent", [agent], [agent.hex])
    return found[0] if found else None


def find_tenant_of_enrolment(code_hash: bytes) -> UUID | None:
    """Who made this code for an agent."""
    found = _ids("sspr_tenant_of_enrolment", [code_hash], [code_hash])
    return found[0] if found else None


def tenants_with_unsigned_jobs() -> list[UUID]:
    """Tenants with jobs that wait for the signer."""
    return _ids("sspr_tenants_with_unsigned_jobs", [], [])


def tenants_with_open_jobs() -> list[UUID]:
    """Tenants with jobs without an outcome."""
    return _ids("sspr_tenants_with_open_jobs", [], [])


def tenants_with_connectors() -> list[UUID]:
    """Tenants that have a directory."""
    return _ids("sspr_tenants_with_connectors", [], [])


def tenants_with_direct(before: Any) -> list[UUID]:
    """Tenants with a directory that the product reaches itself and has not looked at since this
    moment, or in which it began something that has no end."""
    moment = _stored_time(before)
    return _ids("sspr_tenants_with_direct", [moment], [moment])


def tenants_with_direct_jobs() -> list[UUID]:
    """Tenants with signed jobs without an outcome in such a directory."""
    return _ids("sspr_tenants_with_direct_jobs", [], [])


_ASKED = {
    "messages": ("sspr_tenants_with_messages", True),
    "audit": ("sspr_tenants_with_unsealed", False),
}
"""What the worker asks for each time: by queue its function, and whether that takes the moment."""


def tenants_with_work(queues: Iterable[str], now: Any) -> dict[str, list[UUID]]:
    """Tenants that several of the queues wait for, by queue, found with one statement."""
    found: dict[str, list[UUID]] = {queue: [] for queue in queues}
    if not found:
        return found
    parts, values = [], []
    for queue in found:
        function, takes_moment = _ASKED[queue]
        call = f"{function}({'%s' if takes_moment else ''})"
        rows = call if not is_embedded() else f"({_EMBEDDED[function]})"
        parts.append(f"SELECT '{queue}', * FROM {rows}")  # noqa: S608 - names of ours
        values += [_stored_time(now)] if takes_moment else []
    with run(" UNION ALL ".join(parts), values) as cursor:
        for queue, tenant in cursor.fetchall():
            found[queue].append(UUID(tenant) if is_embedded() else tenant)
    return found


def _stored_time(now: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(now)
