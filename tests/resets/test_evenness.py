"""When an answer leaves, in a tenant that conceals and in one that does not."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest

from tenants.evenness import BEAT_SECONDS, note_concealing, on_the_beat, rest_of_the_beat
from tests.cast import Acme
from tests.resets.visitor import Visitor
from tests.resets.walks import set_tenant


@pytest.fixture
def waits() -> Iterator[list[float]]:
    found: list[float] = []
    with patch("tenants.evenness.time.sleep", found.append):
        yield found


@pytest.mark.parametrize(
    ("spent", "left"),
    [(0.0, 1.0), (0.25, 0.75), (0.75, 0.25), (1.25, 0.75), (2.5, 0.5)],
)
def test_an_answer_leaves_on_the_next_beat_however_long_it_took(spent: float, left: float) -> None:
    assert rest_of_the_beat(spent * BEAT_SECONDS) == pytest.approx(left * BEAT_SECONDS)


def test_only_what_concerns_a_concealing_tenant_waits(waits: list[float]) -> None:
    on_the_beat(lambda: None)()
    assert waits == []
    on_the_beat(note_concealing)()
    assert len(waits) == 1
    assert 0 < waits[0] <= BEAT_SECONDS
    on_the_beat(lambda: None)()
    assert len(waits) == 1


def test_what_ends_in_an_error_waits_too(waits: list[float]) -> None:
    @on_the_beat
    def broken() -> None:
        note_concealing()
        raise LookupError

    with pytest.raises(LookupError):
        broken()
    assert len(waits) == 1


@pytest.mark.parametrize(("disclosure", "even"), [("concealed", True), ("guided", False)])
def test_every_answer_of_a_concealing_tenant_leaves_on_the_beat(
    acme: Acme, visitor: Visitor, waits: list[float], disclosure: str, even: bool
) -> None:
    set_tenant(acme, disclosure=disclosure)
    visitor.get("/reset/")
    assert waits == []

    for user_id in (acme.bob.user_id, "nobody@acme.example"):
        waits.clear()
        visitor.start(user_id)
        # The start, and the page of the journey that it leads to.
        assert len(waits) == (2 if even else 0)
        visitor.get(f"/reset/{visitor.flow}/?other=1")
        assert len(waits) == (3 if even else 0)
