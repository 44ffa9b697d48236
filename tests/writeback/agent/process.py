"""An agent in a process of its own, over a directory that does what its settings say.

The directory is a file, so it outlives the agent as a real one would. Run as
`python -m tests.writeback.agent.process` with the arguments of `sspr-agent`.
"""

import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from tests.writeback.scripted import Action, Scripted, away, cut
from writeback import outcomes

KIND = "scripted"


def from_settings(settings: Mapping[str, object], secret: Callable[[], str]) -> Scripted:
    """settings: `state`, a file; `plan`, what happens at a point; `once`, a file whose being there
    says that it happened, in this process or an earlier one."""
    directory = Scripted(lambda: datetime.now(UTC), Path(str(settings["state"])))  # noqa: TID251 - an edge
    once = Path(str(settings["once"]))
    if not once.exists():
        plan = cast(dict[Any, str], settings.get("plan", {}))
        directory.plan = {point: [_action(what, once, directory)] for point, what in plan.items()}
    return directory


def _action(what: str, once: Path, directory: Scripted) -> Action:
    actions: dict[str, Action] = {
        "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "hang": lambda: _wait_for(once.with_name("released")),
        "lost": lambda: _lost(directory, once),
        "full": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY)),
        "fault": lambda: 1 // 0,
    }

    def action() -> object:
        once.touch()
        return actions[what]()

    return action


def _lost(directory: Scripted, once: Path) -> None:
    """The answer is cut off, and the server away until it is released."""

    def gate() -> None:
        if not once.with_name("released").exists():
            away()()

    directory.gate = gate
    cut()()


def _wait_for(path: Path) -> None:
    while not path.exists():
        time.sleep(0.05)


if __name__ == "__main__":
    # A file settles sooner than a directory. Set before others take the name by import.
    outcomes.SETTLES_AFTER = timedelta(seconds=1)
    from writeback.agent import cli, desk
    from writeback.connectors import registry

    desk.TOLD_AFTER = 3.0

    cast(dict[str, str], registry.CONNECTORS)[KIND] = "tests.writeback.agent.process"
    sys.exit(cli.main())
