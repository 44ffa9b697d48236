"""A private PostgreSQL cluster: own directory, own port, own password, gone after the run."""

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg import sql

from tests.services.ports import NotReady, free_port

SUPERUSER = "postgres"
OWNER, RUNTIME, OPERATIONS = "sspr_owner", "sspr_app", "sspr_ops"

# Nothing here outlives the run, so nothing is forced to disk. Autovacuum would only take locks at
# odd moments; the many locks are for emptying all tables in one statement.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "max_locks_per_transaction": "512",
    "log_min_messages": "warning",
}

ROLES = f"""
CREATE ROLE {OPERATIONS} NOLOGIN NOSUPERUSER NOBYPASSRLS;
CREATE ROLE {OWNER} LOGIN CREATEROLE CREATEDB NOSUPERUSER NOBYPASSRLS PASSWORD {{password}};
CREATE ROLE {RUNTIME} LOGIN NOCREATEROLE NOCREATEDB NOSUPERUSER NOBYPASSRLS PASSWORD {{password}};
GRANT {OPERATIONS} TO {OWNER} WITH ADMIN OPTION;
"""


def server_programs() -> Path:
    """The directory of initdb and pg_ctl. Raises CalledProcessError where there is none."""
    script = Path(__file__).resolve().parents[2] / "scripts" / "postgres-bin"
    return Path(subprocess.run([script], check=True, capture_output=True, text=True).stdout.strip())


def server_account() -> dict[str, Any]:
    """Whom the server runs as: ourselves, or `postgres` because initdb refuses root."""
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam("postgres")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


@dataclass(frozen=True, repr=False)
class PostgresCluster:
    """Where one cluster is. The address is settled before it starts, so workers can be told it."""

    home: Path
    port: int
    password: str

    @classmethod
    def reserve(cls) -> Self:
        """A directory, a port and a password; nothing runs yet."""
        home = Path(tempfile.mkdtemp(prefix="sspr-pg-"))
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(home, account.pw_uid, account.pw_gid)
        return cls(home, free_port(), secrets.token_urlsafe(24))

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "log"

    def url(self, role: str, database: str) -> str:
        return f"postgres://{role}:{self.password}@127.0.0.1:{self.port}/{database}"

    def superuser_url(self, database: str = "postgres") -> str:
        return self.url(SUPERUSER, database)

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """As superuser, each statement its own transaction."""
        return psycopg.connect(self.superuser_url(database), autocommit=True, connect_timeout=10)

    def is_started(self) -> bool:
        return (self.data / "postmaster.pid").exists()

    def start(self) -> None:
        """Creates the cluster, starts it, makes sure it is ours, creates the roles."""
        self._run(
            "initdb",
            "--no-sync",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--auth=scram-sha-256",
            f"--username={SUPERUSER}",
            f"--pwfile={self._password_file()}",
            "--pgdata",
            str(self.data),
        )
        options = {**SETTINGS, "port": str(self.port), "unix_socket_directories": str(self.home)}
        with (self.data / "postgresql.auto.conf").open("a", encoding="utf-8") as config:
            config.writelines(f"{name} = '{value}'\n" for name, value in options.items())
        self._run(
            "pg_ctl",
            "start",
            "--silent",
            "--wait",
            "--timeout=60",
            "--pgdata",
            str(self.data),
            "--log",
            str(self.log),
        )
        try:
            self._refuse_a_stranger()
            with self.connect() as connection:
                connection.execute(sql.SQL(ROLES).format(password=sql.Literal(self.password)))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends exactly this cluster's postmaster and removes its directory. Safe to repeat."""
        if self.is_started():
            self._run("pg_ctl", "stop", "--silent", "--mode=immediate", "--pgdata", str(self.data))
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _password_file(self) -> Path:
        path = self.home / "password"
        path.touch(mode=0o600)
        path.write_text(self.password, encoding="utf-8")
        if os.geteuid() == 0:
            shutil.chown(path, "postgres", "postgres")
        return path

    def _run(self, program: str, *arguments: str) -> None:
        # Not captured through pipes: the server that pg_ctl leaves behind would hold them open.
        with (self.home / f"{program}.out").open("wb") as output:
            done = subprocess.run(
                [server_programs() / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.home,
                check=False,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
                **server_account(),
            )
        if done.returncode:
            notes = [
                path.read_text(errors="replace")[-2000:]
                for path in (self.home / f"{program}.out", self.log)
                if path.exists()
            ]
            raise NotReady(f"{program} failed:\n" + "\n".join(notes))

    def _refuse_a_stranger(self) -> None:
        """Another cluster on the same port must never be taken for ours."""
        with self.connect() as connection:
            row = connection.execute("SHOW data_directory").fetchone()
        if row is None or Path(row[0]).resolve() != self.data.resolve():
            raise NotReady(f"the server on port {self.port} is not the one just started")
