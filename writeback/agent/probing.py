"""Whether the directory is there and its account may do what is needed, asked every half minute."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from ..connectors.base import Directory, DirectoryRules, Trouble, Unreachable
from ..places import Place, is_within
from .pace import Ending

EVERY = 30.0
State = Literal["ok", "unreachable", "misconfigured"]

log = logging.getLogger("sspr-agent")


@dataclass(frozen=True)
class Health:
    """trouble: "" for a directory that is well; rules: those it enforces, if it says."""

    state: State
    trouble: Trouble | Literal[""] = ""
    rules: DirectoryRules | None = None
    controller: str = ""

    def is_like(self, other: "Health | None") -> bool:
        """Whether there is nothing to tell at once."""
        return other is not None and (self.state, self.trouble) == (other.state, other.trouble)


def probe(directory: Directory, canary: str, places: Sequence[Place]) -> Health:
    """canary: a person on whom the account's rights are looked up; "" to look up none."""
    try:
        with directory.connect() as connection:
            server = connection.controller
            if not canary:
                return Health("ok", rules=connection.rules(None), controller=server)
            entry = connection.find(canary)
            if entry is None or not is_within(entry.place, places):
                log.warning("the canary is not in an allowed place of the directory")
                return Health("misconfigured", "configuration", controller=server)
            if not connection.rights(entry).reset:
                log.warning("the connector's account may not reset the canary's password")
                return Health("misconfigured", "account", controller=server)
            return Health("ok", rules=connection.rules(entry), controller=server)
    except Unreachable as unreachable:
        trouble = unreachable.trouble
        return Health("unreachable" if trouble == "unreachable" else "misconfigured", trouble)


class Probing:
    """One thread (`run`). found: is called after every look."""

    def __init__(
        self, look: Callable[[], Health], ending: Ending, found: Callable[[Health], None]
    ) -> None:
        self._look = look
        self._ending = ending
        self._found = found
        self._last: Health | None = None

    def run(self) -> None:
        """Until the agent ends."""
        while not self._ending.is_set:
            health = self._look()
            if not health.is_like(self._last):
                log.info("directory: %s %s", health.state, health.trouble)
            self._last = health
            self._found(health)
            self._ending.wait(EVERY)
