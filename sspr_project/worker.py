"""The regular work: one function a queue, claimed from the database (design, decision 4)."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import structlog
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from accounts.imports.runs import expire as expire_imports
from notifications.services import drain
from resets.captcha import forget_spent
from tenants.audit_chain import seal_pending
from tenants.heartbeat import beat

log = structlog.get_logger(__name__)
IDLE_SECONDS = 0.5

QUEUES: Mapping[str, Callable[[datetime], int]] = {
    "messages": drain,
    "audit": seal_pending,
    "captcha": forget_spent,
    "imports": expire_imports,
    "heartbeat": beat,
}

# Events are sealed within five seconds (security rules, audit tamper evidence).
EVERY_SECONDS: Mapping[str, float] = {
    "audit": 2.0,
    "captcha": 60.0,
    "imports": 60.0,
    "heartbeat": 5.0,
}


class Stop:
    """Asked to stop by a signal or another thread; the work in hand is finished first."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def ask(self, *args: object) -> None:
        self._asked.set()

    def wait(self, seconds: float) -> bool:
        return self._asked.wait(seconds)


def run_once(names: Iterable[str] = tuple(QUEUES)) -> int:
    """Drains these queues one time; how much was done in all.

    A queue that fails does not keep the others waiting.
    """
    done = 0
    for name in names:
        work = QUEUES[name]
        try:
            done += work(timezone.now())
        except DatabaseError as error:
            log.error("queue_failed", queue=name, cause=type(error).__name__)
            close_old_connections()
    return done


def run_until(stop: Stop) -> None:
    """Works until asked to stop; rests shortly when there was nothing to do.

    Messages are looked for each time; what nobody waits for takes its turn less often.
    """
    due = dict.fromkeys(QUEUES, 0.0)
    rest = 0.0
    while not stop.wait(rest):
        close_old_connections()
        moment = time.monotonic()
        now_due = [name for name in QUEUES if due[name] <= moment]
        for name in now_due:
            due[name] = moment + EVERY_SECONDS.get(name, 0.0)
        rest = 0.0 if run_once(now_due) else IDLE_SECONDS
