"""A private PostgreSQL for measuring: durable as in production, and counting statements."""

import base64
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from psycopg import sql

from tests.services.postgres import OWNER, RUNTIME, PostgresCluster

ROOT = Path(__file__).resolve().parents[2]

# The tests' cluster forgets everything in a crash. Here what a commit costs is part of the figure.
# No parallel scans: whatever a query needs is then found in one backend.
SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_level": "replica",
    "autovacuum": "on",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "max_connections": "200",
    "max_parallel_workers_per_gather": "0",
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.track": "top",
    "pg_stat_statements.max": "10000",
    "pg_stat_statements.track_planning": "off",
}


class BenchCluster(PostgresCluster):
    """One cluster for a whole run. Its postmaster's tree is the database's CPU."""

    def start(self) -> None:
        """Raises NotReady."""
        super().start()
        with (self.data / "postgresql.auto.conf").open("a", encoding="utf-8") as config:
            config.writelines(f"{name} = '{value}'\n" for name, value in SETTINGS.items())
        self._run("pg_ctl", "restart", "--silent", "--wait", "--timeout=60", *self._where())
        with self.connect() as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")

    @contextmanager
    def hurried(self) -> Iterator[None]:
        """Nothing waits for the disk and nobody cleans up, while a database is filled."""
        hurry = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}
        self._configure(hurry)
        yield
        self._configure({name: SETTINGS[name] for name in hurry})

    def _configure(self, options: Mapping[str, str]) -> None:
        with self.connect() as connection:
            for name, value in options.items():
                change = sql.SQL("ALTER SYSTEM SET {} = {}")
                connection.execute(change.format(sql.SQL(name), sql.Literal(value)))
            connection.execute("SELECT pg_reload_conf()")

    def _where(self) -> list[str]:
        return ["--pgdata", str(self.data), "--log", str(self.log)]

    @property
    def postmaster(self) -> int:
        """Its process id."""
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def create(self, name: str, *, template: str = "template0") -> None:
        """An empty database, or a copy, that the owner role owns."""
        statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}")
        names = map(sql.Identifier, (name, OWNER, template))
        with self.connect() as connection:
            connection.execute(statement.format(*names))

    def drop(self, name: str) -> None:
        with self.connect() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def size(self, name: str) -> int:
        """Bytes of a database."""
        with self.connect() as connection:
            row = connection.execute("SELECT pg_database_size(%s)", [name]).fetchone()
        return int(row[0]) if row else 0


@contextmanager
def cluster() -> Iterator[BenchCluster]:
    """A running cluster that is gone afterwards."""
    made = BenchCluster.reserve()
    with made:
        yield made


KEYS = {
    "SSPR_SECRET_KEY": secrets.token_urlsafe(48),
    "SSPR_MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
}
BASE_URL = "http://reset.bench.test"
SHARED_HOST = "reset.bench.test"


def product_env(found: PostgresCluster, database: str, mail: str = "") -> dict[str, str]:
    """What the product is told: the runtime role, a mail server, one trusted proxy (the client)."""
    return {
        "SSPR_ENV": "development",
        "DATABASE_URL": found.url(RUNTIME, database),
        "DATABASE_OWNER_URL": found.url(OWNER, database),
        "REDIS_URL": "",
        "EMAIL_URL": mail,
        "SSPR_MAIL_FROM": "no-reply@bench.test",
        "SSPR_BASE_URL": BASE_URL,
        "SSPR_ALLOWED_HOSTS": f"{SHARED_HOST},localhost,127.0.0.1",
        "SSPR_TRUSTED_PROXIES": "127.0.0.1",
        "SSPR_OUTBOX_DIR": "",
        "SSPR_BREACHED_FILE": "",
        "DJANGO_SETTINGS_MODULE": "benchmarks.sites.product",
        **KEYS,
    }


def run_python(env: Mapping[str, str], *arguments: str) -> str:
    """Runs a script or module to its end. Raises RuntimeError with what it wrote."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{arguments}: {(done.stdout + done.stderr)[-4000:]}")
    return done.stdout


def migrate_product(found: BenchCluster, database: str) -> None:
    """A database of the product, migrated by the owner role."""
    found.create(database)
    env = product_env(found, database)
    run_python(env, "manage.py", "migrate", "--database", "owner", "--verbosity", "0")
