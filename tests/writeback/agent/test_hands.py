"""Threads for jobs: as many as there is work at once, and no more of them than that."""

from threading import Event, Thread, current_thread

import pytest

from tests.services.ports import wait_until
from writeback.agent.hands import Hands


class Works:
    """What was done, and in which threads."""

    def __init__(self, stays: float = 30) -> None:
        self.hands = Hands(stays)
        self.threads: list[Thread] = []
        self.go_on = Event()

    def short(self) -> None:
        self.threads.append(current_thread())

    def long(self) -> None:
        self.threads.append(current_thread())
        assert self.go_on.wait(30)

    def finish(self) -> None:
        self.hands.finish(30)


def test_work_that_comes_one_after_the_other_is_done_by_one_thread() -> None:
    works = Works()
    for done in range(1, 6):
        works.hands.begin(works.short)
        works.finish()
        wait_until(lambda: works.hands._idle == 1, "the thread to be back")
        assert len(works.threads) == done

    assert len(set(works.threads)) == 1


def test_work_that_comes_at_once_does_not_wait_for_each_other() -> None:
    works = Works()
    for _ in range(5):
        works.hands.begin(works.long)
    wait_until(lambda: len(set(works.threads)) == 5, "five at once")

    works.hands.finish(0.01)
    assert works.hands._busy == 5, "who waits for the end goes on after the time"
    works.go_on.set()
    works.finish()

    assert works.hands._busy == 0


def test_a_thread_that_nobody_needs_ends_and_another_begins_later() -> None:
    works = Works(stays=0.01)
    works.hands.begin(works.short)
    works.finish()
    wait_until(lambda: not works.threads[0].is_alive(), "the thread's end")

    works.hands.begin(works.short)
    works.finish()

    assert (len(set(works.threads)), works.hands._busy) == (2, 0)


@pytest.mark.parametrize("stays", [0, 0.001])
def test_nothing_is_lost_between_a_thread_that_gives_up_and_work_that_comes(stays: float) -> None:
    works = Works(stays)
    for _ in range(500):
        works.hands.begin(works.short)
    works.finish()

    assert (len(works.threads), works.hands._busy) == (500, 0)
