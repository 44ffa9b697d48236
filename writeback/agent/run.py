"""The running agent: who does what beside whom, and how it ends."""

import logging
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

from ..connectors.base import Directory
from ..workplace import Bounds, Clocks, Workplace
from . import VERSION
from .beats import ADVICE, Beats
from .board import Board
from .client import Client, NoAnswer, Speaker, TurnedAway
from .config import Config
from .desk import Desk, HandedOut
from .identity import Identity
from .journal import Journal
from .keys import DayKeys
from .mending import Mending
from .pace import Backoff, Ending
from .probing import Health, Probing, probe
from .reporting import Reporting
from .signers import Signers
from .slots import Slot

WAIT = 25
IN_HAND_ENDS_WITHIN = 30.0
REPORTED_WITHIN = 10.0
THREADS_END_WITHIN = 2.0
JOURNAL = "journal"
KEYS = "keys"
FAULT = "fault"
EXIT_CODES = {"": 0, "unknown": 3, "revoked": 3, "upgrade_required": 4}

log = logging.getLogger("sspr-agent")


class Agent:
    """Everything of one agent, put together. Raises JournalInUse while another one runs here."""

    def __init__(
        self, config: Config, identity: Identity, directory: Directory, ending: Ending
    ) -> None:
        self._ending = ending
        clocks = Clocks(lambda: datetime.now(UTC), time.monotonic, ending.wait)  # noqa: TID251 - an edge

        def seconds() -> int:
            return int(clocks.now().timestamp())

        self._journal = Journal(config.state / JOURNAL)
        self._client = Client(
            config.product,
            Speaker(identity.private, identity.agent, identity.api),
            clocks.now,
            config.ca_file,
            config.proxy,
        )
        keys = DayKeys(config.state / KEYS, identity)
        bounds = Bounds(
            identity.tenant, identity.group, config.places, config.cap, config.may_touch_protected
        )
        workplace = Workplace(directory, self._journal, keys.find, bounds, clocks)
        self._board = Board(config.state, seconds)
        self._reporting = Reporting(
            self._client,
            self._journal,
            ending,
            clocks.monotonic,
            seconds,
            self._begin,
        )
        signers = Signers(identity, config.state)
        self._desk = Desk(workplace, signers.keys, self._reporting, config.at_once)
        self._mending = Mending(workplace, self._journal, self._desk, self._reporting, ending)
        self._beats = Beats(
            self._client, keys, self._journal, clocks, ending, self._board, signers.hear
        )
        self._probing = Probing(
            lambda: probe(directory, config.canary, config.places), ending, self._probed
        )

    def run(self) -> int:
        """Until it is asked to end or the product turns it away; the exit code."""
        log.info("sspr-agent %s begins", VERSION)
        if self._journal.is_damaged:
            log.error("the journal is damaged: nothing is set; enrol this agent again")
        self._board.note(state="running", version=VERSION)
        self._reporting.restore()
        parts = (self._reporting, self._probing, self._beats, self._mending)
        works = [*(part.run for part in parts), self._take_jobs]
        threads = [Thread(target=self._guarded, args=(work,), daemon=True) for work in works]
        for thread in threads:
            thread.start()
        while not self._ending.wait(60):
            pass
        return self._end(threads)

    def _end(self, threads: Sequence[Thread]) -> int:
        """Finishes what is in hand and brings what is known."""
        self._desk.finish(IN_HAND_ENDS_WITHIN)
        self._reporting.finish(REPORTED_WITHIN)
        end = time.monotonic() + THREADS_END_WITHIN
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        cause = self._ending.cause
        self._board.note(state="stopped", problem=ADVICE.get(cause, cause))
        if not any(thread.is_alive() for thread in threads):
            # Who still waits for a job is left to the end of the process: what it reads from may
            # not be closed under it.
            self._client.close()
            with suppress(OSError):
                self._journal.close()
        if cause:
            log.error("sspr-agent ends: %s", ADVICE.get(cause, cause))
        else:
            log.info("sspr-agent ends")
        return EXIT_CODES.get(cause, 1)

    def _guarded(self, work: Callable[[], None]) -> None:
        """A fault in one part ends the agent, and whoever started it starts it anew."""
        try:
            work()
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            fault = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
            log.critical("a fault in the agent: %s", fault)
            self._ending.ask(FAULT)

    def _probed(self, health: Health) -> None:
        self._beats.note(health)
        self._board.note(
            in_hand=self._desk.count,
            unsettled=len(self._journal.unsettled()),
            unreported=self._reporting.count,
            journal="damaged" if self._journal.is_damaged else "sound",
        )

    def _take_jobs(self) -> None:
        """Asks for one job after the other, once the product knows this agent, and never with a
        journal that is not to be believed."""
        backoff = Backoff()
        while not self._ending.is_set:
            if not self._beats.is_welcome.wait(1.0) or self._journal.is_damaged:
                self._ending.wait(0.5)
                continue
            slot = self._desk.find_slot(1.0)
            if slot is None:
                continue
            handed = None
            try:
                handed = self._asked()
                backoff.reset()
            except NoAnswer as error:
                log.warning("no job could be asked for: %s", error)
                self._ending.wait(backoff.pause())
            except TurnedAway as refusal:
                self._ending.turned_away(refusal.cause)
                self._ending.wait(backoff.pause())
            if handed is None or self._ending.is_set:
                # A job that comes now is not begun: its lease ends and it goes to the next one.
                slot.free()
            else:
                self._desk.take(handed, slot)

    def _begin(self, handed: HandedOut, slot: Slot) -> None:
        """A job that came with the answer to a report."""
        self._desk.take(handed, slot)

    def _asked(self) -> HandedOut | None:
        """A job, if there is one within the time the product waits for it."""
        began = time.monotonic()
        answer = self._client.call("/jobs/next", {"wait": WAIT}, wait=WAIT)
        if answer.status == 200:
            try:
                return HandedOut.read(answer.body)
            except (ValueError, KeyError, TypeError):
                raise NoAnswer("what was handed out is no job") from None
        if time.monotonic() - began < 1:
            # A product that does not wait is not asked without a pause.
            self._ending.wait(1.0)
        return None
