"""The product as a process of its own: gunicorn with threads, as in production."""

import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self

from tests.services.ports import NotReady, free_port, wait_until

ROOT = Path(__file__).resolve().parents[2]


class ServerProcess:
    """One worker, eight threads, on a free loopback port, with `env` added to the environment."""

    def __init__(self, env: dict[str, str] | None = None, *, threads: int = 8) -> None:
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self._threads = threads
        self._home = tempfile.TemporaryDirectory(prefix="sspr-server-")
        self.log_file = Path(self._home.name) / "log"
        self._env = {**os.environ, "SSPR_BASE_URL": self.url, **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """Everything the server wrote so far."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Returns once `/healthz` answers 200. Raises NotReady with the end of the log."""
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "gunicorn",
                    "sspr_project.wsgi:application",
                    "--bind",
                    f"127.0.0.1:{self.port}",
                    "--workers",
                    "1",
                    "--worker-class",
                    "gthread",
                    "--threads",
                    str(self._threads),
                    "--worker-tmp-dir",
                    self._home.name,
                    "--no-control-socket",
                ],
                cwd=ROOT,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            wait_until(self._answers, "the server")
        except NotReady as problem:
            notes = self.log[-4000:]
            self.stop()
            raise NotReady(f"{problem}\n{notes}") from None

    def stop(self) -> None:
        """Ends this process alone, by its own handle; gunicorn takes its worker along."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
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
            raise NotReady("the server ended while starting")
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as response:  # noqa: S310 - our own loopback address
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False
