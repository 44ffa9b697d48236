"""Processes under measurement: gunicorn with threads as in production, and the worker."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Self

from tests.services.ports import NotReady, free_port, wait_until

from .cluster import ROOT, BenchCluster

PRODUCT = "sspr_project.wsgi:application"
STOCK = "benchmarks.sites.stock_wsgi:application"
PATIENCE = 120
"""Seconds until a process has to be ready; on a machine that others use too that takes a while."""


class Process:
    """One process of ours, ended by its own handle."""

    def __init__(self, arguments: list[str], env: Mapping[str, str]) -> None:
        self._arguments = arguments
        self._env = {**os.environ, **env}
        self._home = tempfile.TemporaryDirectory(prefix="sspr-bench-")
        self._log = Path(self._home.name) / "log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise NotReady("not started")
        return self._process.pid

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Returns once it is ready. Raises NotReady with the end of what it wrote."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._arguments,
                cwd=ROOT,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            wait_until(self._answers, self._arguments[2], PATIENCE)
        except NotReady as problem:
            notes = self.log[-4000:]
            self.stop()
            raise NotReady(f"{problem}\n{notes}") from None

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            # One that is paused hears nothing before it goes on.
            self._process.send_signal(signal.SIGCONT)
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._home.cleanup()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise NotReady("it ended while starting")
        return self._is_ready()

    def _is_ready(self) -> bool:
        return True


class Server(Process):
    """gunicorn, class gthread, on a free loopback port."""

    def __init__(
        self,
        env: Mapping[str, str],
        application: str = PRODUCT,
        *,
        workers: int = 1,
        threads: int = 4,
    ) -> None:
        self.port = free_port()
        self.workers, self.threads = workers, threads
        settings = {
            "--bind": f"127.0.0.1:{self.port}",
            "--workers": str(workers),
            "--worker-class": "gthread",
            "--threads": str(threads),
            "--keep-alive": "300",
            "--backlog": "2048",
        }
        if application == STOCK:
            settings["--config"] = "benchmarks/sites/stock_gunicorn.py"
        options = [text for pair in settings.items() for text in pair]
        start = [sys.executable, "-m", "gunicorn", application, *options, "--no-control-socket"]
        super().__init__(start, {"PYTHONWARNINGS": "ignore", **env})

    def _is_ready(self) -> bool:
        try:
            url = f"http://127.0.0.1:{self.port}/pingdb/"
            with urllib.request.urlopen(url, timeout=5) as response:
                return bool(response.status == 200)
        except OSError:
            return False


class Worker(Process):
    """`manage.py work`, as an installation without a broker runs it."""

    def __init__(self, env: Mapping[str, str]) -> None:
        more = {"PYTHONWARNINGS": "ignore", "PYTHONUNBUFFERED": "1"}
        super().__init__([sys.executable, "manage.py", "work"], {**more, **env})

    def _is_ready(self) -> bool:
        return "working" in self.log


_WAITING = """
SELECT (SELECT count(*) FROM notifications_message WHERE state = 'queued')
     + (SELECT count(*) FROM tenants_auditpending)
"""


class Watcher:
    """Looks whether the worker is done. `pid` is the backend of its own connection, whose work is
    nobody's reset."""

    def __init__(self, found: BenchCluster, database: str) -> None:
        self._connection = found.connect(database)
        self.pid = self._connection.info.backend_pid

    def wait(self, seconds: float = 120) -> None:
        """Until the outbox is empty and every audit event is sealed. Raises NotReady."""
        end = time.monotonic() + seconds
        while True:
            row = self._connection.execute(_WAITING).fetchone()
            if row is not None and row[0] == 0:
                return
            if time.monotonic() > end:
                raise NotReady(f"{row and row[0]} rows still wait for the worker")
            time.sleep(0.1)

    def close(self) -> None:
        self._connection.close()


def wait_for_quiet(found: BenchCluster, database: str, seconds: float = 120) -> None:
    """The same once, with a connection that is made for it. Raises NotReady."""
    with closing(Watcher(found, database)) as watcher:
        watcher.wait(seconds)
