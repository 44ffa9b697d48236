"""Signer and agent on duty: they do their part while a request of the product waits."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from tenants import bell
from tests.writeback.field import FieldAgent, Held, sign_what_waits
from writeback.reports import Report
from writeback.services import sign_ins

Answer = Callable[[Held], Report]


def says(answer: str) -> Report:
    """What an agent reports of a sign-in that its directory answered."""
    return Report("succeeded", answer=answer, controller="dc1", at=1)  # type: ignore[arg-type]  # a word of SignIn


class Duty:
    """Whoever waits for a sign-in is answered with `report`, in the thread that waits. Without one
    nobody answers: the wait is over at once. `before` is called when the wait begins."""

    def __init__(self, agent: FieldAgent) -> None:
        self.agent = agent
        self.report: Report | None = None
        self.before: Callable[[], Any] = lambda: None
        self.asked: list[Held] = []
        self.waits = 0

    def wait_for(self, name: Any, look: Callable[[], Any], seconds: float) -> Any:
        """Stands in for `bell.wait_for`."""
        self.waits += 1
        assert not connection.needs_rollback
        self.before()
        sign_what_waits(self.agent.clock.now)
        if self.report is not None:
            self.asked.append(self.agent.do(self.report))
        return look()

    def takes_over(self, monkeypatch: Any) -> None:
        monkeypatch.setattr(sign_ins, "wait_for", self.wait_for)


@contextmanager
def at_work(agent: FieldAgent, answer: Answer) -> Iterator[list[Held]]:
    """The same in a thread of its own, woken by the real bell; for tests that commit."""
    stop, done = threading.Event(), list[Held]()

    def look() -> bool | None:
        sign_what_waits(agent.clock.now)
        while (held := agent.take()) is not None:
            done.append(held)
            assert agent.report(held, answer(held)).status == 200
        return True if stop.is_set() else None

    def work() -> None:
        try:
            bell.wait_for(bell.UNSIGNED, look, 60)
        finally:
            connection.close()

    # One traveller stays while others come and go, so that no thread ends another one's journey.
    with agent.clock.running():
        thread = threading.Thread(target=work, name="agent")
        thread.start()
        try:
            yield done
        finally:
            stop.set()
            bell.ring(bell.UNSIGNED)
            thread.join(30)
            assert not thread.is_alive()
