"""Filling a database by the million: rows like a real one, multiplied by the server itself.

Each statement copies a template row that the product's own code made, with some columns replaced
by expressions, so a column that is added later needs no change here. Triggers and checks of foreign
keys are off meanwhile, and a table's indexes are built once at the end.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg import sql

from .output import say
from .people import Place

GIVEN = "Ada Bo Cleo Dan Eva Finn Gus Hana Ines Jon Kai Lena Max Nora Otto Pia Quin Rosa Sam Tess"
SURNAMES = (
    "Adams Baker Clark Davies Evans Foster Green Hughes Irwin Jones King Lewis Moore Nash Owens "
    "Parker Quick Reed Smith Turner Underwood Vance Walker Xu Young Zimmer Abel Brand Cole Drew"
)
MESSAGES = "notifications_message"
_COLUMNS = """
SELECT column_name FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'
  AND is_identity = 'NO' ORDER BY ordinal_position
"""
EVENT_TYPES = (
    "flow.started flow.verification_sent flow.verification_completed message.sent password.reset"
)
YEAR = "timestamptz '2025-11-01' + random() * interval '380 days'"


@dataclass(frozen=True)
class Size:
    """How much stands in a database: people and events spread over tenants, and as many again in
    one giant tenant."""

    people: int
    tenants: int
    events: int


@contextmanager
def without_indexes(connection: psycopg.Connection, *tables: str) -> Iterator[None]:
    """Rows come in without touching the indexes; afterwards these are built from all rows."""
    for table in tables:
        _set_ready(connection, table, ready=False)
    yield
    for table in tables:
        _set_ready(connection, table, ready=True)
        connection.execute(sql.SQL("REINDEX TABLE {}").format(sql.Identifier(table)))


def _set_ready(connection: psycopg.Connection, table: str, *, ready: bool) -> None:
    connection.execute(
        "UPDATE pg_index SET indisready = %s, indisvalid = %s WHERE indrelid = %s::regclass",
        [ready, ready, table],
    )


def fill(connection: psycopg.Connection, size: Size, spread: Place, giant: Place) -> None:
    """`connection` is the superuser's. `spread` and `giant` stand, with a person in each; from
    that person everybody else is copied."""
    connection.execute("SET session_replication_role = replica")
    connection.execute("SET synchronous_commit = off")
    connection.execute("SET maintenance_work_mem = '1GB'")
    connection.execute("SET work_mem = '256MB'")
    _tenants(connection, size, spread)
    _timed("people", lambda: _people(connection, size, giant))
    _timed("journeys and messages", lambda: _journeys(connection, giant))
    _timed("proofs and counters", lambda: _proofs(connection, giant))
    _timed("events", lambda: _events(connection, size, giant))
    connection.execute(
        "DROP TABLE bench_tenant, bench_person, bench_journey, bench_proof, bench_end"
    )
    _timed("statistics", lambda: connection.execute("VACUUM ANALYZE"))
    connection.execute("CHECKPOINT")


def _timed(what: str, work: Callable[[], object]) -> None:
    began = time.monotonic()
    work()
    say(f"    {what}: {time.monotonic() - began:.0f} s")


def copy_rows(
    connection: psycopg.Connection,
    table: str,
    template: UUID | int,
    source: str,
    changed: Mapping[str, str],
) -> None:
    """One row for each of `source`, like the row `template` of the table but for `changed`: column
    → expression over `source`."""
    found = [name for (name,) in connection.execute(_COLUMNS, [table]).fetchall()]
    values = [changed.get(name, f'template."{name}"') for name in found]
    columns = ", ".join(f'"{name}"' for name in found)
    connection.execute(
        f"INSERT INTO {table} ({columns}) SELECT {', '.join(values)}"
        f" FROM {source} CROSS JOIN {table} template WHERE template.id = '{template}'"
    )


def _first(connection: psycopg.Connection, table: str, tenant: UUID, more: str = "true") -> UUID:
    row = connection.execute(
        f"SELECT id FROM {table} WHERE tenant_id = %s AND {more} LIMIT 1",
        [tenant],
    ).fetchone()
    if row is None:
        raise LookupError(f"no template row in {table}")
    found: UUID = row[0]
    return found


def _tenants(connection: psycopg.Connection, size: Size, spread: Place) -> None:
    """Tenants with everything that belongs to one, and `bench_tenant`: number, id, domain."""
    connection.execute(
        "CREATE TABLE bench_tenant AS SELECT n, gen_random_uuid() AS id,"
        " 't' || n || '.example' AS domain"
        f" FROM generate_series(1, {size.tenants - 1}) n"
        f" UNION ALL SELECT 0, '{spread.tenant}', '{spread.domain}'"
    )
    connection.execute("CREATE UNIQUE INDEX ON bench_tenant (n)")
    connection.execute("CREATE UNIQUE INDEX ON bench_tenant (id)")
    source = "(SELECT * FROM bench_tenant WHERE n > 0) made"
    copy_rows(
        connection,
        "tenants_tenant",
        spread.tenant,
        source,
        {"id": "made.id", "slug": "'t' || made.n", "name": "'Tenant ' || made.n"},
    )
    names = {"tenants_domain": "made.domain", "tenants_host": "'t' || made.n || '.bench.test'"}
    for table in (
        "tenants_domain",
        "tenants_host",
        "tenants_tenantkey",
        "tenants_subscription",
        "tenants_resetpolicy",
    ):
        changed = {"id": "gen_random_uuid()", "tenant_id": "made.id"}
        if table in names:
            changed["name"] = names[table]
        copy_rows(connection, table, _first(connection, table, spread.tenant), source, changed)


def _people(connection: psycopg.Connection, size: Size, giant: Place) -> None:
    connection.execute(
        "CREATE TABLE bench_person AS"
        " SELECT gen_random_uuid() AS id, g, b.id AS tenant, b.domain, s.id AS licence"
        f" FROM generate_series(1, {size.people}) g"
        f" JOIN bench_tenant b ON b.n = g % {size.tenants}"
        " JOIN tenants_subscription s ON s.tenant_id = b.id"
        f" UNION ALL SELECT gen_random_uuid(), g, '{giant.tenant}', '{giant.domain}',"
        f" (SELECT id FROM tenants_subscription WHERE tenant_id = '{giant.tenant}')"
        f" FROM generate_series(1, {size.people}) g"
    )
    tables = ("accounts_user", "accounts_contactpoint", "accounts_authenticatordevice")
    with without_indexes(connection, *tables):
        template = _first(connection, "accounts_user", giant.tenant, "roles = '[]'")
        copy_rows(connection, "accounts_user", template, "bench_person made", _person())
        for kind in ("primary_email", "alternate_email"):
            template = _first(connection, tables[1], giant.tenant, f"kind = '{kind}'")
            changed = {**_of_person(), "lookup": _bytes("made.id", kind), "created_at": YEAR}
            copy_rows(connection, tables[1], template, "bench_person made", changed)
        template = _first(connection, tables[2], giant.tenant)
        changed = {**_of_person(), "created_at": YEAR}
        copy_rows(connection, tables[2], template, "bench_person made", changed)


def _person() -> dict[str, str]:
    """Every twentieth without a licence, every fiftieth disabled."""
    given, surname = _name(GIVEN, "made.g"), _name(SURNAMES, "made.g / 20")
    return {
        "id": "made.id",
        "tenant_id": "made.tenant",
        "user_id": "'p' || made.g || '@' || made.domain",
        "given_name": given,
        "surname": surname,
        "display_name": f"{given} || ' ' || {surname}",
        "licence_id": "CASE WHEN made.g % 20 > 0 THEN made.licence END",
        "is_active": "made.g % 50 > 0",
        "created_at": YEAR,
    }


def _of_person() -> dict[str, str]:
    return {"id": "gen_random_uuid()", "tenant_id": "made.tenant", "user_id": "made.id"}


def _name(names: str, number: str) -> str:
    found = names.split()
    return f"(ARRAY{found})[1 + {number} % {len(found)}]"


def _bytes(what: str, purpose: str) -> str:
    """32 bytes as a keyed hash has them."""
    return f"sha256(({what}::text || '{purpose}')::bytea)"


_REFERENCE = "upper(translate(left(md5({0}::text), 4) || '-' || right({0}::text, 4), '01', 'XY'))"
# An odd factor reaches every number once, so that no two journeys of a tenant share a reference.
_NUMBER = "lpad(to_hex(made.g::bigint * 2654435761 % 4294967296), 8, '0')"
_OWN_REFERENCE = f"upper(translate(left({_NUMBER}, 4) || '-' || right({_NUMBER}, 4), '01', 'XY'))"


def _journeys(connection: psycopg.Connection, giant: Place) -> None:
    """A finished journey and two messages for every fifth person."""
    connection.execute(
        "CREATE TABLE bench_journey AS SELECT gen_random_uuid() AS id, p.id AS person, p.tenant,"
        f" p.g, {YEAR} AS at FROM bench_person p WHERE p.g % 5 = 0"
    )
    journey = {
        **dict.fromkeys(("started_at", "finished_at", "expires_at"), "made.at"),
        "id": "made.id",
        "tenant_id": "made.tenant",
        "user_id": "made.person",
        "person_key": _bytes("made.person", "person"),
        "secret_hash": _bytes("made.id", "secret"),
        "reference": _OWN_REFERENCE,
    }
    message = {
        **dict.fromkeys(("created_at", "due_at", "sent_at", "expires_at"), "made.at"),
        "id": "gen_random_uuid()",
        "tenant_id": "made.tenant",
        "correlation_id": "made.id",
        "reference": _OWN_REFERENCE,
    }
    with without_indexes(connection, "resets_flow", MESSAGES):
        template = _first(connection, "resets_flow", giant.tenant, "state = 'done'")
        copy_rows(connection, "resets_flow", template, "bench_journey made", journey)
        for kind in ("code", "password_changed"):
            template = _first(connection, MESSAGES, giant.tenant, f"kind = '{kind}'")
            copy_rows(connection, MESSAGES, template, "bench_journey made", message)


def _proofs(connection: psycopg.Connection, giant: Place) -> None:
    """Two challenges and gates for each of these journeys, and counters of everybody."""
    connection.execute(
        "CREATE TABLE bench_proof AS SELECT gen_random_uuid() AS id, j.id AS journey, j.person,"
        " j.tenant, j.at, step FROM bench_journey j, generate_series(1, 2) step"
    )
    of_tenant = {"tenant_id": "made.tenant"}
    step = {**of_tenant, "flow_id": "made.journey", "step": "made.step"}
    gate = {"user_id": "made.person", "challenge_id": "made.id", "anchor": _bytes("made.id", "a")}
    count = {"subject": _bytes("made.id", "count")}
    with without_indexes(
        connection, "resets_challenge", "resets_gate", "tenants_counter", "tenants_sharedcounter"
    ):
        rows = {
            "resets_challenge": ("bench_proof made", {**step, "id": "made.id"}),
            "resets_gate": ("bench_proof made", {**step, **gate, "id": "gen_random_uuid()"}),
            "tenants_counter": ("bench_person made", {**of_tenant, **count, "id": "made.id"}),
        }
        for table, (source, changed) in rows.items():
            template = _first(connection, table, giant.tenant)
            copy_rows(connection, table, template, source, changed)
        shared = connection.execute("SELECT id FROM tenants_sharedcounter LIMIT 1").fetchone()
        copy_rows(
            connection,
            "tenants_sharedcounter",
            shared[0] if shared else 0,
            "bench_person made",
            {**count, "id": f"1000000000 + made.g * 2 + (made.tenant = '{giant.tenant}')::int"},
        )


def _events(connection: psycopg.Connection, size: Size, giant: Place) -> None:
    """Half of the events spread over the tenants, half in the giant one; all sealed already."""
    half = size.events // 2
    sources = (
        ("b.id", "b.domain", size.tenants, f"JOIN bench_tenant b ON b.n = e.n % {size.tenants}"),
        (f"'{giant.tenant}'::uuid", f"'{giant.domain}'::text", 1, ""),
    )
    with without_indexes(connection, "tenants_auditevent", "tenants_auditseal"):
        for tenant, domain, tenants, join in sources:
            source = (
                f"(SELECT e.n, md5('event' || e.n || {tenant})::uuid AS id, {tenant} AS tenant,"
                f" {domain} AS domain, e.n / {tenants} + 1 + coalesce(h.sequence, 0) AS sequence,"
                f" timestamptz '2025-11-01' + e.n * (interval '380 days' / {half}) AS at,"
                f" md5((e.n / 10)::text || {tenant})::uuid AS journey"
                f" FROM generate_series(0, {half - 1}) AS e(n) {join}"
                f" LEFT JOIN tenants_audithead h ON h.tenant_id = {tenant}) made"
            )
            _events_of(connection, size, giant, source)
    _heads(connection)


def _events_of(connection: psycopg.Connection, size: Size, giant: Place, source: str) -> None:
    label = f"'p' || 1 + made.n / 10 % {size.people} || '@' || made.domain"
    changed = {
        "id": "made.id",
        "tenant_id": "made.tenant",
        "type": _name(EVENT_TYPES, "made.n"),
        "result": "CASE WHEN made.n % 50 = 0 THEN 'failure' ELSE 'success' END",
        **dict.fromkeys(("actor_label", "target_label"), label),
        **dict.fromkeys(("actor_id", "target_id", "correlation_id"), "made.journey"),
        "reference": _REFERENCE.format("made.journey"),
        "created_at": "made.at",
    }
    template = _first(connection, "tenants_auditevent", giant.tenant, "type = 'flow.started'")
    copy_rows(connection, "tenants_auditevent", template, source, changed)
    connection.execute(
        "INSERT INTO tenants_auditseal (id, tenant_id, event_id, sequence, hash)"
        f" SELECT gen_random_uuid(), made.tenant, made.id, made.sequence, {_bytes('made.id', 's')}"
        f" FROM {source}"
    )


def _heads(connection: psycopg.Connection) -> None:
    """Every chain ends where its last seal is."""
    connection.execute(
        "CREATE TABLE bench_end AS SELECT tenant_id, max(sequence) AS sequence"
        " FROM tenants_auditseal GROUP BY tenant_id"
    )
    connection.execute(
        "UPDATE tenants_audithead h SET sequence = e.sequence FROM bench_end e"
        " WHERE e.tenant_id = h.tenant_id"
    )
    connection.execute(
        "INSERT INTO tenants_audithead (id, tenant_id, sequence, hash)"
        " SELECT gen_random_uuid(), e.tenant_id, e.sequence, sha256('end') FROM bench_end e"
        " WHERE NOT EXISTS (SELECT FROM tenants_audithead h WHERE h.tenant_id = e.tenant_id)"
    )
