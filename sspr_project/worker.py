"""The regular work: one function a queue, claimed from the database (design, decision 4)."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from datetime import datetime
from functools import partial
from queue import Empty, SimpleQueue
from typing import TypeVar
from uuid import UUID

import structlog
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from accounts.imports.runs import expire as expire_imports
from notifications.channels.registry import OpenChannels
from notifications.services import drain
from resets.captcha import forget_spent
from tenants.audit_chain import seal_pending
from tenants.bell import MESSAGES, hearing
from tenants.forgetting import forget_ended
from tenants.heartbeat import beat
from tenants.lookup import tenants_with_work
from writeback.services.direct import keep_keys
from writeback.services.drills import run_drills
from writeback.services.looking import look_around
from writeback.services.ordering import forget_passwords
from writeback.services.outcome import forget_calls, sweep
from writeback.services.reminders import remind
from writeback.services.watching import watch

from .database import remember_use, trust_recent

T = TypeVar("T")
log = structlog.get_logger(__name__)
IDLE_SECONDS = 0.5
"""How long it rests at most: a bell wakes it for a message, and a bell may be missed."""
MANY = 100
"""So much done means that more may wait."""
KEPT_SECONDS = 10.0
"""How long connections to mail servers and providers stay open after the last message."""

ASKED = ("messages", "audit")
"""Queues whose tenants are found with one statement for all; the others look for themselves."""

QUEUES: Mapping[str, Callable[[datetime], int]] = {
    "messages": drain,
    "audit": seal_pending,
    "captcha": forget_spent,
    "imports": expire_imports,
    "counters": forget_ended,
    "heartbeat": beat,
    "jobs": sweep,
    "calls": forget_calls,
    "orders": forget_passwords,
    "directories": watch,
    "looks": look_around,
    "reminders": remind,
    "drills": run_drills,
    "own_keys": keep_keys,
}

# Events are sealed within five seconds (security rules, audit tamper evidence).
EVERY_SECONDS: Mapping[str, float] = {
    "audit": 2.0,
    "captcha": 60.0,
    "imports": 60.0,
    "sign_ins": 600.0,
    "counters": 60.0,
    "heartbeat": 5.0,
    "jobs": 1.0,
    "calls": 60.0,
    "orders": 60.0,
    "directories": 15.0,
    "looks": 30.0,
    "reminders": 60.0,
    "drills": 60.0,
    "own_keys": 60.0,
}


class Stop:
    """Asked to stop by a signal or another thread; the work in hand is finished first."""

    def __init__(self) -> None:
        self._asked = False
        self.called: list[str] = []
        """What ended the last rest: tenants whose messages wait, an empty word for anybody's."""
        # Unlike an event, it takes a call from a signal that comes in the middle of its own work.
        self._calls: SimpleQueue[str] = SimpleQueue()

    def ask(self, *args: object) -> None:
        self._asked = True
        self.wake()

    def wake(self, tenant: str = "") -> None:
        """Ends the rest that is going on, or else the next one."""
        self._calls.put(tenant)

    def wait(self, seconds: float) -> bool:
        """Rests so long at most. Whether it was asked to stop."""
        self.called = []
        with suppress(Empty):
            self.called.append(self._calls.get(timeout=seconds))
            while True:
                self.called.append(self._calls.get_nowait())
        return self._asked


def run_once(
    names: Iterable[str] = tuple(QUEUES),
    *,
    channels: OpenChannels | None = None,
    told: Sequence[UUID] = (),
) -> int:
    """Drains these queues one time; how much was done in all.

    A queue that fails does not keep the others waiting. `channels` stay open for the next time.
    told: tenants whose messages wait, so that nobody else's are looked for where nothing but
    messages is drained.
    """
    now = timezone.now()
    asked = [name for name in names if name in ASKED]
    nobody: dict[str, list[UUID]] = {}
    if told and asked == ["messages"]:
        waiting = {"messages": list(told)}
    else:
        waiting = _attempt("look", lambda: tenants_with_work(asked, now), nobody)
    if waiting.get("messages") and "audit" in waiting:
        # What becomes of a message is an event, which was not there when this was asked.
        waiting["audit"] = list(dict.fromkeys(waiting["audit"] + waiting["messages"]))
    done = 0
    for name in names:
        if name not in ASKED:
            done += _attempt(name, partial(QUEUES[name], now), 0)
        elif waiting.get(name):
            done += _attempt(name, _work_of(name, now, waiting[name], channels), 0)
    return done


def _work_of(
    name: str, now: datetime, tenants: list[UUID], channels: OpenChannels | None
) -> Callable[[], int]:
    if name == "messages":
        return partial(drain, now, tenants=tenants, channels=channels)
    return partial(seal_pending, now, tenants=tenants)


def _attempt(name: str, work: Callable[[], T], otherwise: T) -> T:
    try:
        return work()
    except DatabaseError as error:
        log.error("queue_failed", queue=name, cause=type(error).__name__)
        close_old_connections()
        return otherwise


def run_until(stop: Stop) -> None:
    """Works until asked to stop; rests when all is done, until a message comes.

    Messages are looked for each time that no bell says whose they are; what nobody waits for takes
    its turn less often.
    """
    due = dict.fromkeys(QUEUES, 0.0)
    rest, busy_at = 0.0, time.monotonic()
    with closing(OpenChannels()) as channels, hearing(MESSAGES, stop.wake):
        while not stop.wait(rest):
            close_old_connections()
            trust_recent()
            moment = time.monotonic()
            now_due = [name for name in QUEUES if due[name] <= moment]
            for name in now_due:
                due[name] = moment + EVERY_SECONDS.get(name, 0.0)
            done = run_once(now_due, channels=channels, told=_tenants_of(stop.called))
            remember_use()
            rest = 0.0 if done >= MANY else IDLE_SECONDS
            if done:
                busy_at = moment
            elif moment - busy_at > KEPT_SECONDS:
                channels.close()


def _tenants_of(called: Sequence[str]) -> list[UUID]:
    """The tenants that the calls named; nobody where one named none, so that all are looked for."""
    try:
        return [UUID(tenant) for tenant in dict.fromkeys(called)]
    except ValueError:
        return []
