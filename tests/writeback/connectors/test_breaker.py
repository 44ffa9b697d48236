"""A server that failed is left alone, but never all of them at once."""

from writeback.connectors.breaker import RESTS_FOR, Breaker

NAMES = ["dc1", "dc2", "dc3"]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_server_that_failed_rests_and_then_comes_back_in_its_place() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    breaker.failed("dc1")

    clock.now += RESTS_FOR - 0.1
    assert breaker.worth_asking(NAMES) == ["dc2", "dc3"]

    clock.now += 0.1
    assert breaker.worth_asking(NAMES) == NAMES


def test_an_answer_ends_the_rest() -> None:
    breaker = Breaker(Clock())
    breaker.failed("dc1")
    breaker.answered("dc1")
    breaker.answered("dc2")

    assert breaker.worth_asking(NAMES) == NAMES


def test_a_failure_begins_the_rest_anew() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    breaker.failed("dc1")
    clock.now += RESTS_FOR - 1
    breaker.failed("dc1")
    clock.now += RESTS_FOR - 1

    assert breaker.worth_asking(NAMES) == ["dc2", "dc3"]


def test_where_every_server_rests_all_are_asked_in_their_order() -> None:
    breaker = Breaker(Clock())
    for name in reversed(NAMES):
        breaker.failed(name)

    assert breaker.worth_asking(NAMES) == NAMES
