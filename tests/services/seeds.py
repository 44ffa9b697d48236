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

    def restore(self, cluster: PostgresCluster, database: str) -> None:
        """Empties what was filled, then writes the seed rows again, in one transaction. A
        transaction left open by the test shows as a lock timeout after 10 s."""
        with cluster.connect(database) as connection, connection.transaction():
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute("SET LOCAL lock_timeout = '10s'")
            dirty = filled(connection, self.tables)
            if not dirty:
                return
            names = sql.SQL(", ").join(map(sql.Identifier, dirty))
            connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(names))
            for name, data in self.rows.items():
                _write(connection, name, data)
            for name, value in self.sequences.items():
                connection.execute("SELECT setval(quote_ident(%s)::regclass, %s)", [name, value])


def filled(connection: psycopg.Connection, tables: list[str]) -> list[str]:
    """Those of `tables` that hold a row, found in one round trip."""
    if not tables:
        return []
    probe = sql.SQL("SELECT {} WHERE EXISTS (SELECT 1 FROM {})")
    query = sql.SQL(" UNION ALL ").join(
        probe.format(sql.Literal(name), sql.Identifier(name)) for name in tables
    )
    return [name for (name,) in connection.execute(query).fetchall()]


def _read(connection: psycopg.Connection, table: str) -> bytes:
    query = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        return b"".join(bytes(block) for block in copy)


def _write(connection: psycopg.Connection, table: str, data: bytes) -> None:
    query = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        copy.write(data)
