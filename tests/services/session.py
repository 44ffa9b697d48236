"""One test run: which cluster, which databases and keys, shared by all xdist workers.

The controlling process decides the addresses, the workers inherit them. The cluster itself starts
when the first test asks for a database, so a run over pure modules never waits for one.
"""

import base64
import fcntl
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from tests.services.postgres import OWNER, RUNTIME, PostgresCluster

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = "sspr_template"
_SHARED = "SSPR_TEST_CLUSTER"
_READY, _FAILED = "ready", "failed"
_kept: list[psycopg.Connection] = []

# Ends the cluster when the controlling process is gone, however it went: its standard input is a
# pipe that only that process holds open.
_GUARD = """
import sys
from pathlib import Path
from tests.services.postgres import PostgresCluster
sys.stdin.read()
PostgresCluster(Path(sys.argv[1]), int(sys.argv[2]), "").stop()
"""


def worker() -> str:
    """`gw0`, `gw1` … under xdist, else `main`."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def is_controller() -> bool:
    return worker() == "main"


def shared_cluster() -> PostgresCluster:
    """The cluster of this run, as the controlling process reserved it."""
    home, port, password = json.loads(os.environ[_SHARED])
    return PostgresCluster(Path(home), port, password)


def database() -> str:
    """The name of this worker's own database."""
    return f"sspr_{worker()}"


def outbox() -> Path:
    """Where this worker's messages land."""
    return shared_cluster().home / f"outbox-{worker()}"


def open_session() -> subprocess.Popen[bytes] | None:
    """Sets the environment Django will read. In the controlling process also reserves the cluster
    and returns its guard."""
    guard = None
    if is_controller():
        cluster = PostgresCluster.reserve()
        os.environ[_SHARED] = json.dumps([str(cluster.home), cluster.port, cluster.password])
        os.environ["SSPR_SECRET_KEY"] = secrets.token_urlsafe(48)
        os.environ["SSPR_MASTER_KEY"] = base64.b64encode(secrets.token_bytes(32)).decode()
        guard = subprocess.Popen(
            [sys.executable, "-c", _GUARD, str(cluster.home), str(cluster.port)],
            stdin=subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,
        )
    for name in [
        name for name in os.environ if name.startswith("SSPR_") and name.endswith("_FILE")
    ]:
        del os.environ[name]
    os.environ.update(environment(database()))
    outbox().mkdir(exist_ok=True)
    return guard


def environment(database_name: str) -> dict[str, str]:
    """What the product is told in its environment, for a database of this run."""
    cluster = shared_cluster()
    return {
        "SSPR_ENV": "development",
        "DATABASE_URL": cluster.url(RUNTIME, database_name),
        "DATABASE_OWNER_URL": cluster.url(OWNER, database_name),
        "REDIS_URL": "",
        "EMAIL_URL": "",
        "SSPR_BASE_URL": "http://localhost:8000",
        "SSPR_ALLOWED_HOSTS": "localhost,127.0.0.1,testserver",
        "SSPR_TRUSTED_PROXIES": "",
        "SSPR_OUTBOX_DIR": str(outbox()),
    }


def close_session(guard: subprocess.Popen[bytes]) -> None:
    """Ends the cluster and everything of this run."""
    guard.communicate()
    shutil.rmtree(shared_cluster().home, ignore_errors=True)


@contextmanager
def _alone(cluster: PostgresCluster) -> Iterator[None]:
    """Only one worker of the run at a time."""
    with (cluster.home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def prepare_database() -> None:
    """This worker's database, a copy of the migrated template. The first worker makes that; where
    it fails, the others say the same instead of trying again."""
    cluster = shared_cluster()
    ready, failed = cluster.home / _READY, cluster.home / _FAILED
    with _alone(cluster):
        if failed.exists():
            raise RuntimeError(failed.read_text(encoding="utf-8"))
        if not ready.exists():
            try:
                make_template(cluster)
            except Exception as problem:
                failed.write_text(str(problem), encoding="utf-8")
                raise
            ready.touch()
        copy_template(cluster, database())


def make_template(cluster: PostgresCluster) -> None:
    """Starts the cluster and migrates the database that all workers copy."""
    cluster.start()
    create_empty(cluster, TEMPLATE)
    migrate(TEMPLATE)


def create_empty(cluster: PostgresCluster, name: str) -> None:
    """A database as an operator creates it: the owner owns it, the runtime role may connect."""
    with cluster.connect() as connection:
        statement = sql.SQL("CREATE DATABASE {} OWNER {}")
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(OWNER)))


def copy_template(cluster: PostgresCluster, name: str) -> None:
    with cluster.connect() as connection:
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}")
        names = map(sql.Identifier, (name, TEMPLATE, OWNER))
        connection.execute(statement.format(*names))


def migrate(name: str) -> None:
    """Runs the product's own migrations as the owner role. Raises RuntimeError with the output."""
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--database", "owner", "--verbosity", "0"],
        cwd=ROOT,
        env={**os.environ, **environment(name)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"migrate failed:\n{(done.stdout + done.stderr)[-4000:]}")


@contextmanager
def watching() -> Iterator[psycopg.Connection]:
    """The superuser's connection to this worker's database, kept for the whole run: a new one for
    each look would cost more than the look."""
    with shared_cluster().connect(database()) as connection:
        _kept.append(connection)
        try:
            yield connection
        finally:
            _kept.remove(connection)


def watcher() -> psycopg.Connection:
    """The connection of `watching`: each statement its own transaction, for looking and tidying
    up. Whoever changes settings or holds locks opens one of their own."""
    return _kept[-1]
