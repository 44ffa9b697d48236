"""The table of the journey: every step that is possible, and that no other is."""

from itertools import product
from pathlib import Path

import pytest

from resets.flow import ENDS, TRANSITIONS, Event, State, StepNotAllowed, advance, diagram

ARCHITECTURE = Path(__file__).resolve().parents[2] / "docs" / "architecture.md"

# Written out a second time on purpose: a step that is added by accident has to be added twice.
OPEN = ("started", "proving", "proved", "choosing")
ALLOWED = {
    ("started", "admit"): "proving",
    ("started", "refuse"): "refused",
    ("proving", "pass_gate"): "proving",
    ("proving", "pass_last_gate"): "proved",
    ("proving", "refuse"): "refused",
    ("proved", "ask_password"): "choosing",
    ("proved", "unlock"): "writing",
    ("proved", "rehearse"): "done",
    ("proved", "lose_gate"): "proving",
    ("proved", "refuse"): "refused",
    ("choosing", "submit"): "writing",
    ("choosing", "lose_gate"): "proving",
    ("choosing", "refuse"): "refused",
    ("writing", "write"): "done",
    ("writing", "reject_password"): "choosing",
    ("writing", "return"): "proved",
    ("writing", "lose_track"): "unknown",
    ("writing", "fail"): "failed",
    ("unknown", "write"): "done",
    ("unknown", "fail"): "failed",
    **{(state, "lock"): "locked" for state in OPEN},
    **{(state, "expire"): "expired" for state in OPEN},
    **{(state, "cancel"): "cancelled" for state in OPEN},
}
PAIRS = list(product(State, Event))


@pytest.mark.parametrize(("state", "event"), PAIRS, ids=str)
def test_each_step_is_in_the_table_or_not_allowed(state: State, event: Event) -> None:
    wanted = ALLOWED.get((state.value, event.value))

    if wanted is None:
        with pytest.raises(StepNotAllowed) as refused:
            advance(state, event)
        assert (refused.value.state, refused.value.event) == (state, event)
        assert str(refused.value) == f"{event} is not possible in {state}"
    else:
        assert advance(state, event) == wanted


def test_the_table_has_no_step_besides() -> None:
    assert {(a.value, event.value): b.value for (a, event), b in TRANSITIONS.items()} == ALLOWED


def test_nothing_follows_an_end_and_everything_else_goes_on() -> None:
    leaving = {state for state, _ in TRANSITIONS}

    assert leaving.isdisjoint(ENDS)
    assert leaving | ENDS == set(State)


@pytest.mark.parametrize("start", [state for state in State if state not in ENDS])
def test_every_state_on_the_way_can_reach_an_end_and_is_reached(start: State) -> None:
    assert _reachable(start) & ENDS
    assert start in _reachable(State.STARTED)


def test_no_way_leads_to_a_new_password_without_the_last_gate() -> None:
    without: dict[tuple[State, Event], State] = {
        (state, event): after
        for (state, event), after in TRANSITIONS.items()
        if event is not Event.PASS_LAST_GATE
    }

    reached = _reachable(State.STARTED, without)

    assert reached.isdisjoint({State.PROVED, State.CHOOSING, State.WRITING, State.DONE})


def test_the_diagram_in_the_architecture_is_drawn_from_the_table() -> None:
    text = ARCHITECTURE.read_text(encoding="utf-8")
    block = text.partition("<!-- state diagram -->\n```mermaid\n")[2].partition("```")[0]

    assert block == diagram()


def _reachable(
    start: State, table: dict[tuple[State, Event], State] | None = None
) -> frozenset[State]:
    steps = dict(TRANSITIONS) if table is None else table
    seen, waiting = {start}, [start]
    while waiting:
        here = waiting.pop()
        for (state, _), after in steps.items():
            if state == here and after not in seen:
                seen.add(after)
                waiting.append(after)
    return frozenset(seen)
