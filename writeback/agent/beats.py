"""Heartbeats: what the product knows of an agent, and what the agent hears back."""

import logging
from collections.abc import Callable, Mapping
from threading import Event
from typing import Any, Final

from ..protocol import MAX_BEGUN
from ..reports import rules_written
from ..workplace import Clocks
from . import VERSION
from .board import Board
from .client import Client, NoAnswer, TurnedAway
from .journal import Journal
from .keys import DayKeys
from .pace import Backoff, Ending
from .probing import Health

EVERY = 300.0
PROTOCOL = 1
ADVICE: Final[Mapping[str, str]] = {
    "pending": "an administrator has to confirm this agent's six words first",
    "unknown": "it does not know this agent; enrol it again",
    "revoked": "an administrator revoked this agent; enrol it again if that was not meant",
    "clock_skew": "this machine's clock is not right; set it by a time server",
    "upgrade_required": "it speaks no version of the protocol that this agent does; upgrade",
}

log = logging.getLogger("sspr-agent")


class Beats:
    """One thread (`run`). A heartbeat goes out at the start, every five minutes, and at once when
    there is a new key or the directory's or the journal's state is another.

    is_welcome: set when the product took the first one, and with it has compared journals.
    """

    def __init__(
        self,
        client: Client,
        keys: DayKeys,
        journal: Journal,
        clocks: Clocks,
        ending: Ending,
        board: Board,
        hear_signers: Callable[[Any], None],
    ) -> None:
        """hear_signers: takes what the product says of new signers."""
        self._hear_signers = hear_signers
        self._client = client
        self._keys = keys
        self._journal = journal
        self._clocks = clocks
        self._ending = ending
        self._board = board
        self._backoff = Backoff()
        self._woken = Event()
        self._health: Health | None = None
        self._told: tuple[Any, ...] = ()
        self._try_at = self._due_at = clocks.monotonic()
        self._problem = ""
        self.is_welcome = Event()

    def note(self, health: Health) -> None:
        """What a look at the directory found."""
        self._health = health
        self._board.note(directory=health.state, trouble=health.trouble, server=health.controller)
        self._woken.set()

    def run(self) -> None:
        """Until the agent ends; the first one waits for the first look at the directory."""
        while not self._ending.is_set:
            self._keys.turn(self._clocks.now())
            if self._health is not None and self._is_due(self._health):
                self.beat(self._health)
            self._woken.wait(1.0)
            self._woken.clear()

    def beat(self, health: Health) -> None:
        """One heartbeat. What it brings back may end the agent or make its journal unbelieved."""
        state, keys = self._state(health), self._keys.offers()
        body = {
            "version": VERSION,
            "protocol": PROTOCOL,
            "keys": [self._keys.written(key) for key in keys],
            "directory": {"state": health.state, "trouble": health.trouble},
            "rules": rules_written(health.rules) if health.rules is not None else None,
            "sequence": self._journal.sequence,
            "journal": "damaged" if self._journal.is_damaged else "sound",
            "begun": None if self.is_welcome.is_set() else self._begun(),
        }
        try:
            answer = self._client.call("/heartbeat", body)
        except NoAnswer as error:
            self._failed("unreachable", str(error))
            return
        except TurnedAway as refusal:
            self._ending.turned_away(refusal.cause)
            self._failed(refusal.cause, ADVICE.get(refusal.cause, "the product refuses this call"))
            return
        if answer.status != 200:
            self._failed("refused", f"status {answer.status}")
            return
        self._keys.note_published(keys, self._clocks.now())
        self._told = state
        self._due_at = self._clocks.monotonic() + EVERY
        self._heard(answer.body)

    def _begun(self) -> list[str] | None:
        """The newest jobs that were begun before this process and may not be given to another one
        yet; nothing where the journal is not to be believed."""
        if self._journal.is_damaged:
            return None
        left = [*self._journal.unsettled(), *self._journal.unreported()]
        return [entry.job for entry in sorted(left, key=lambda each: each.at)[-MAX_BEGUN:]]

    def _is_due(self, health: Health) -> bool:
        now = self._clocks.monotonic()
        return now >= self._try_at and (now >= self._due_at or self._state(health) != self._told)

    def _state(self, health: Health) -> tuple[Any, ...]:
        """What is told at once when it is another."""
        ids = [key.id for key in self._keys.offers()]
        return (health.state, health.trouble, self._journal.is_damaged, ids)

    def _heard(self, body: Mapping[str, Any]) -> None:
        self._backoff.reset()
        self._try_at = self._clocks.monotonic()
        seen = body.get("seen_sequence")
        was_damaged = self._journal.is_damaged
        if isinstance(seen, int):
            self._journal.compare(seen)
        if self._journal.is_damaged and not was_damaged:
            log.error(
                "the journal is older than what the product has seen: nothing is set any more; "
                "enrol this agent again"
            )
        if self._problem or not self.is_welcome.is_set():
            log.info("the product is there and knows this agent")
        self._problem = ""
        self._hear_signers(body.get("signers"))
        self._board.note(
            product="ok",
            problem="",
            heartbeat=int(self._clocks.now().timestamp()),
            recommended=str(body.get("recommended", "")),
            journal="damaged" if self._journal.is_damaged else "sound",
        )
        self.is_welcome.set()

    def _failed(self, state: str, problem: str) -> None:
        self._due_at = self._clocks.monotonic()
        self._try_at = self._due_at + self._backoff.pause()
        if problem != self._problem:
            log.warning("the product: %s", problem)
        self._problem = problem
        self._board.note(product=state, problem=problem)
