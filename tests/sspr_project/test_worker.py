"""The loop that drains the queues: what waits is asked once, and trouble stays where it is."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from structlog.testing import capture_logs

from notifications.channels.registry import OpenChannels
from sspr_project import worker
from sspr_project.worker import Stop, run_once, run_until
from tenants.audit import Party, record
from tenants.heartbeat import last_beat
from tenants.lookup import tenants_with_messages, tenants_with_unsealed, tenants_with_work
from tests.cast import Acme, Beta
from tests.notifications.post import queue_notice, reread

pytestmark = pytest.mark.django_db
A, B = uuid4(), uuid4()


def tell(place: Acme | Beta, now: datetime) -> None:
    with place.inside():
        record("audit.sealed", actor=Party("system", None, ""), now=now)


def test_what_waits_is_found_for_several_queues_at_once(acme: Acme, beta: Beta) -> None:
    now = timezone.now()
    assert tenants_with_work(("messages", "audit"), now) == {"messages": [], "audit": []}
    tell(acme, now)

    found = tenants_with_work(("messages", "audit"), now)

    assert found == {"messages": tenants_with_messages(now), "audit": tenants_with_unsealed()}
    assert found == {"messages": [], "audit": [acme.id]}
    assert tenants_with_work(["messages"], now) == {"messages": []}
    assert tenants_with_work([], now) == {}


def test_looking_that_fails_keeps_nothing_else_waiting(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(queues: list[str], now: datetime) -> dict[str, list[UUID]]:
        raise OperationalError("alice@acme.example")

    monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: None)
    tell(acme, timezone.now())
    with monkeypatch.context() as broken, capture_logs() as entries:
        broken.setattr(worker, "tenants_with_work", fail)
        assert run_once() == 0

    assert [(entry["queue"], entry["cause"]) for entry in entries] == [("look", "OperationalError")]
    assert last_beat() is not None
    assert run_once(["audit"]) == 1


def refuse(queues: list[str], now: datetime) -> dict[str, list[UUID]]:
    raise AssertionError("nobody is to be looked for")


def test_messages_of_a_tenant_that_a_bell_named_are_sent_without_a_look(
    acme: Acme, beta: Beta, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    told, untold = (queue_notice(place.tenant, now) for place in (acme, beta))
    with monkeypatch.context() as blind:
        blind.setattr(worker, "tenants_with_work", refuse)
        assert run_once(["messages"], told=[uuid4(), acme.id]) == 1

    assert (reread(told).state, reread(untold).state) == ("sent", "queued")


def test_whoever_looks_anyway_looks_for_everybody(acme: Acme, beta: Beta) -> None:
    now = timezone.now()
    messages = [queue_notice(place.tenant, now) for place in (acme, beta)]

    run_once(["messages", "audit"], told=[acme.id])

    assert [reread(message).state for message in messages] == ["sent", "sent"]


class Passes(Stop):
    """Ends the loop after so many passes; each lasts `seconds` on the clock it moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, number: int, seconds: float) -> None:
        super().__init__()
        self.rests: list[float] = []
        self._left, self._seconds, self._now = number, seconds, 1000.0
        monkeypatch.setattr("sspr_project.worker.time.monotonic", lambda: self._now)

    def wait(self, seconds: float) -> bool:
        self.rests.append(seconds)
        self._now += self._seconds
        self._left -= 1
        return self._left < 0


def running(monkeypatch: pytest.MonkeyPatch, done: list[int]) -> tuple[list[Any], list[int]]:
    """The queues of each pass, and the numbers of the passes after which channels were closed."""
    asked: list[Any] = []
    closed: list[int] = []
    channels: list[Any] = []

    def once(names: list[str], **given: Any) -> int:
        asked.append(list(names))
        channels.append(given["channels"])
        return done[len(asked) - 1]

    close: Callable[[Any], None] = OpenChannels.close

    def closing(self: Any) -> None:
        closed.append(len(asked))
        close(self)

    monkeypatch.setattr(worker, "run_once", once)
    monkeypatch.setattr(OpenChannels, "close", closing)
    run_until(Passes(monkeypatch, len(done), 4.0))
    assert len(set(map(id, channels))) == 1
    return asked, closed


def test_every_pass_asks_for_messages_and_the_rest_takes_its_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, _ = running(monkeypatch, [0, 0, 0])

    assert set(asked[0]) == set(worker.QUEUES)
    assert asked[1:] == [
        ["messages", "audit", "jobs"],
        ["messages", "audit", "heartbeat", "jobs"],
    ]


@pytest.mark.parametrize(
    ("called", "told"),
    [
        ([], []),
        ([str(A), str(B), str(A)], [A, B]),
        ([str(A), ""], []),
        ([str(A), "nobody"], []),
    ],
)
def test_a_pass_is_for_those_a_bell_named_unless_it_may_be_for_anybody(
    monkeypatch: pytest.MonkeyPatch, called: list[str], told: list[UUID]
) -> None:
    found: list[Any] = []

    def once(names: list[str], **given: Any) -> int:
        found.append(given["told"])
        return 0

    monkeypatch.setattr(worker, "run_once", once)
    passes = Passes(monkeypatch, 1, 4.0)
    passes.called = called
    run_until(passes)

    assert found == [told]


def test_channels_stay_open_for_a_while_and_are_closed_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Four seconds a pass: the third without work is the first that is late enough.
    _, closed = running(monkeypatch, [1, 0, 0, 0, 1, 0])

    assert closed == [4, 6]
