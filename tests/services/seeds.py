"""Puts a database back to what its migrations left, after a test that really committed.

The runtime role may not truncate and sees no rows behind row-level security, so this connects as
superuser. Rows written by migrations (content types, permissions, predefined questions) are kept in
memory as COPY data and put back; no test needs to know which tables have them.
"""

from dataclasses import dataclass, field
from typing import Self

import psycopg
from psycopg import sql

from tests.services.postgres import PostgresCluster

KEPT = ("django_migrations",)
MOST_BYTES = 8 * 2**20
PATIENCE = "10s"
TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind = 'r' AND NOT c.relispartition AND c.relname <> ALL(%s)
ORDER BY c.relname
"""
SEQUENCES = """
SELECT sequencename, last_value FROM pg_sequences
WHERE schemaname = 'public' AND last_value IS NOT NULL
"""


@dataclass(frozen=True)
class Seeds:
    """What stood in each table, and where each sequence stood, when the database was fresh."""

    tables: list[str]
    rows: dict[str, bytes] = field(default_factory=dict, repr=False)
    sequences: dict[str, int] = field(default_factory=dict)

    @classmethod
    def take(cls, cluster: PostgresCluster, database: str) -> Self:
        with cluster.connect(database) as connection:
            found = connection.execute(TABLES, [list(KEPT)]).fetchall()
            tables = [name for (name,) in found]
            return cls(
                tables,
                {name: _read(connection, name) for name in filled(connection, tables)},
                dict(connection.execute(SEQUENCES).fetchall()),
            )

    def restore(self, connection: psycopg.Connection) -> None:
        """Empties what was filled and writes seed rows that changed again, in one transaction. A
        transaction left open by the test shows as a lock timeout after 10 s."""
        with connection.transaction():
            # Without triggers: rows that must never be deleted go too, and nothing cascades.
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
            names = {*filled(connection, self.tables), *self.rows}
            dirty = sorted(name for name in names if self._is_changed(connection, name))
            if dirty:
                self._empty(connection, dirty)
            self._wind_back(connection)

    def _is_changed(self, connection: psycopg.Connection, table: str) -> bool:
        return table not in self.rows or _read(connection, table) != self.rows[table]

    def _empty(self, connection: psycopg.Connection, dirty: list[str]) -> None:
        """By DELETE, which for a few rows costs a hundredth of TRUNCATE; but what it leaves behind
        is never cleaned here, so tables that have grown are made anew with all that hang on
        them."""
        together = sql.SQL(", ").join(map(sql.Identifier, dirty))
        connection.execute(sql.SQL("LOCK TABLE {}").format(together))
        if _size(connection, dirty) > MOST_BYTES:
            names = sql.SQL(", ").join(map(sql.Identifier, self.tables))
            connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))
            dirty = list(self.rows)
        else:
            each = sql.SQL("DELETE FROM {}")
            connection.execute(sql.SQL("; ").join(each.format(sql.Identifier(n)) for n in dirty))
        for name in dirty:
            if name in self.rows:
                _write(connection, name, self.rows[name])

    def _wind_back(self, connection: psycopg.Connection) -> None:
        """Sequences to where they stood, those that were not used yet to their beginning."""
        found: dict[str, int] = dict(connection.execute(SEQUENCES).fetchall())
        for name in found.keys() | self.sequences.keys():
            if found.get(name) != self.sequences.get(name):
                back = [name, self.sequences.get(name, 1), name in self.sequences]
                connection.execute("SELECT setval(quote_ident(%s)::regclass, %s, %s)", back)


def filled(connection: psycopg.Connection, tables: list[str]) -> list[str]:
    """Those of `tables` that hold a row, found in one round trip."""
    if not tables:
        return []
    probe = sql.SQL("SELECT {} WHERE EXISTS (SELECT 1 FROM {})")
    query = sql.SQL(" UNION ALL ").join(
        probe.format(sql.Literal(name), sql.Identifier(name)) for name in tables
    )
    return [name for (name,) in connection.execute(query).fetchall()]


def _size(connection: psycopg.Connection, tables: list[str]) -> int:
    """Bytes on disk, what was deleted included; indexes and long values count too."""
    query = "SELECT sum(pg_total_relation_size(x::regclass)) FROM unnest(%s::text[]) x"
    row = connection.execute(query, [tables]).fetchone()
    assert row is not None
    return int(row[0])


def _read(connection: psycopg.Connection, table: str) -> bytes:
    query = sql.SQL("COPY (SELECT * FROM {} ORDER BY 1) TO STDOUT").format(sql.Identifier(table))
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        return b"".join(bytes(block) for block in copy)


def _write(connection: psycopg.Connection, table: str, data: bytes) -> None:
    query = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        copy.write(data)
