"""A process of the product or of its agent, ended by its own handle."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.services.pausing import pause
from tests.services.ports import NotReady, wait_until

ROOT = Path(__file__).resolve().parents[2]
ENDS_WITHIN = 20


class CommandProcess:
    """Started with these arguments, `env` added to the environment; what it writes is in `log`."""

    def __init__(
        self, arguments: Sequence[str], env: Mapping[str, str] | None = None, cwd: Path = ROOT
    ) -> None:
        self._arguments = list(arguments)
        # What it says is waited for, so it must not stay in a buffer.
        self._env = {**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})}
        self._cwd = cwd
        self._home = tempfile.TemporaryDirectory(prefix="sspr-process-")
        self._log = Path(self._home.name) / "log"
        self._process: subprocess.Popen[bytes] | None = None

    @classmethod
    def manage(cls, *arguments: str, env: Mapping[str, str] | None = None) -> "CommandProcess":
        return cls([sys.executable, "manage.py", *arguments], env)

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, ready: str = "") -> Self:
        """Returns once it wrote `ready`. Raises NotReady with what it wrote instead."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._arguments,
                cwd=self._cwd,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        if ready:
            wait_until(lambda: self._is_ready(ready), f"the process to write {ready!r}")
        return self

    def _is_ready(self, ready: str) -> bool:
        if ready in self.log:
            return True
        if not self.is_running:
            raise NotReady(f"the process ended:\n{self.log[-3000:]}")
        return False

    def pause(self) -> None:
        """As a machine does that is busy with something else."""
        pause(self.pid)

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """As a power cut does."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def wait(self) -> int:
        """Its exit code, once it ended by itself."""
        assert self._process is not None
        return self._process.wait(ENDS_WITHIN)

    def stop(self) -> None:
        """Ends it, if it runs, and removes what it wrote."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            try:
                self._process.wait(ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                self.kill()
        self._home.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def worker(env: Mapping[str, str]) -> CommandProcess:
    """`manage.py work`, which sends by what `env` says and not into the outbox."""
    return CommandProcess.manage("work", env={"SSPR_OUTBOX_DIR": "", **env}).start("working")
