"""A PostgreSQL of the case's own, which may crash, with the product on top of it.

Unlike the cluster of the test run it keeps what it has said to be committed: the crash is of the
server, not of the machine, so what was handed to the operating system counts as kept.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.security.lab.server import environment
from tests.services.postgres import OWNER, RUNTIME, PostgresCluster, server_account, server_programs
from tests.services.server import ROOT
from tests.services.session import create_empty

NAME = "sspr_crash"
_PREPARE = """
import os, sys, django
from django.core.management import call_command
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sspr_project.settings")
django.setup()
call_command("migrate", database="owner", verbosity=0)
call_command("apply", sys.argv[1])
"""
DURABLE = ("ALTER SYSTEM SET synchronous_commit = on", "SELECT pg_reload_conf()")


class CrashingCluster:
    """One cluster with the product's database."""

    def __init__(self, cluster: PostgresCluster) -> None:
        self.cluster = cluster

    @property
    def env(self) -> dict[str, str]:
        """What a process of the product is told, so that it works on this database."""
        return environment(
            DATABASE_URL=self.cluster.url(RUNTIME, NAME),
            DATABASE_OWNER_URL=self.cluster.url(OWNER, NAME),
        )

    def prepare(self, policy: Path) -> None:
        """The tables, and the tenant of a policy file, in one process."""
        done = subprocess.run(
            [sys.executable, "-c", _PREPARE, str(policy)],
            cwd=ROOT,
            env={**os.environ, **self.env},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]

    def crash(self) -> None:
        """Without a checkpoint and without asking anybody."""
        self._pg_ctl("stop", "--mode=immediate")

    def revive(self) -> None:
        self._pg_ctl("start", "--timeout=60", "--log", str(self.cluster.home / "log"))

    def _pg_ctl(self, *arguments: str) -> None:
        done = subprocess.run(
            [
                server_programs() / "pg_ctl",
                *arguments,
                "--silent",
                "--wait",
                "--pgdata",
                str(self.cluster.data),
            ],
            cwd=self.cluster.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            check=False,
            **server_account(),
        )
        assert done.returncode == 0, arguments

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """As superuser, behind no wall."""
        with self.cluster.connect(NAME) as connection:
            return list(connection.execute(query))


@contextmanager
def crashing_cluster(policy: str, folder: Path) -> Iterator[CrashingCluster]:
    """Started, migrated, and with one tenant as the policy file describes it."""
    with PostgresCluster.reserve() as cluster:
        found = CrashingCluster(cluster)
        with cluster.connect() as connection:
            for statement in DURABLE:
                connection.execute(statement)
        create_empty(cluster, NAME)
        file = folder / "acme.toml"
        file.write_text(policy, encoding="utf-8")
        found.prepare(file)
        yield found
