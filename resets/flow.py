"""PURE. The states of a reset and the one table of how they follow each other.

No clock, no database: `advance` answers which state comes next, or that the step is not allowed.
The diagram in docs/architecture.md is drawn from this table.
"""

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    STARTED = "started"
    PROVING = "proving"
    PROVED = "proved"
    CHOOSING = "choosing"
    WRITING = "writing"
    DONE = "done"
    REFUSED = "refused"
    LOCKED = "locked"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"
    UNKNOWN = "unknown"


OPEN_STATES = frozenset({State.STARTED, State.PROVING, State.PROVED, State.CHOOSING})
"""Where the person still has something to do."""


class Event(StrEnum):
    ADMIT = "admit"
    REFUSE = "refuse"
    PASS_GATE = "pass_gate"  # noqa: S105 - the name of an event
    PASS_LAST_GATE = "pass_last_gate"  # noqa: S105 - the name of an event
    ASK_PASSWORD = "ask_password"  # noqa: S105 - the name of an event
    UNLOCK = "unlock"
    REHEARSE = "rehearse"
    SUBMIT = "submit"
    LOSE_GATE = "lose_gate"
    WRITE = "write"
    REJECT_PASSWORD = "reject_password"  # noqa: S105 - the name of an event
    RETURN = "return"
    LOSE_TRACK = "lose_track"
    FAIL = "fail"
    LOCK = "lock"
    EXPIRE = "expire"
    CANCEL = "cancel"


ENDS = frozenset(
    {State.DONE, State.REFUSED, State.LOCKED, State.EXPIRED, State.CANCELLED, State.FAILED}
)
"""States nothing follows. `unknown` is not one of them: the truth may still arrive."""

_S, _E = State, Event
_OPEN = (_S.STARTED, _S.PROVING, _S.PROVED, _S.CHOOSING)

TRANSITIONS: Mapping[tuple[State, Event], State] = {
    (_S.STARTED, _E.ADMIT): _S.PROVING,
    (_S.STARTED, _E.REFUSE): _S.REFUSED,
    (_S.PROVING, _E.PASS_GATE): _S.PROVING,
    (_S.PROVING, _E.PASS_LAST_GATE): _S.PROVED,
    (_S.PROVED, _E.ASK_PASSWORD): _S.CHOOSING,
    (_S.PROVED, _E.UNLOCK): _S.WRITING,
    (_S.PROVED, _E.REHEARSE): _S.DONE,
    (_S.PROVED, _E.LOSE_GATE): _S.PROVING,
    (_S.CHOOSING, _E.SUBMIT): _S.WRITING,
    (_S.CHOOSING, _E.LOSE_GATE): _S.PROVING,
    (_S.WRITING, _E.WRITE): _S.DONE,
    (_S.WRITING, _E.REJECT_PASSWORD): _S.CHOOSING,
    (_S.WRITING, _E.RETURN): _S.PROVED,
    (_S.WRITING, _E.LOSE_TRACK): _S.UNKNOWN,
    (_S.WRITING, _E.FAIL): _S.FAILED,
    (_S.UNKNOWN, _E.WRITE): _S.DONE,
    (_S.UNKNOWN, _E.FAIL): _S.FAILED,
    **{(state, _E.LOCK): _S.LOCKED for state in _OPEN},
    **{(state, _E.EXPIRE): _S.EXPIRED for state in _OPEN},
    **{(state, _E.CANCEL): _S.CANCELLED for state in _OPEN},
    (_S.PROVING, _E.REFUSE): _S.REFUSED,
    (_S.PROVED, _E.REFUSE): _S.REFUSED,
    (_S.CHOOSING, _E.REFUSE): _S.REFUSED,
}


class StepNotAllowed(Exception):
    """The journey is not at a point where this can happen."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(f"{event} is not possible in {state}")
        self.state = state
        self.event = event


def advance(state: State, event: Event) -> State:
    """The state after `event`. Raises StepNotAllowed."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise StepNotAllowed(state, event) from None


def diagram() -> str:
    """The table as a Mermaid state diagram, in the order it is written."""
    lines = ["stateDiagram-v2", "    [*] --> started"]
    lines += [f"    {a} --> {b}: {event}" for (a, event), b in TRANSITIONS.items()]
    lines += [f"    {state} --> [*]" for state in State if state in ENDS]
    return "\n".join(lines) + "\n"
