"""In a tenant that conceals, answers leave on the beat, so that time tells nobody who exists.

Both ways of a journey run the same statements, but a person's rows take a little longer to read
than no rows. An answer that is ready waits for the next beat (Security rules, R-20). The beat is
longer than any step takes on a machine that keeps up, and short enough that the threads which wait
serve as many requests as their processor can.
"""

import time
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any

BEAT_SECONDS = 0.05

_beat: ContextVar[float] = ContextVar("beat", default=0.0)


def note_concealing(beat: float = BEAT_SECONDS) -> None:
    """What is being answered concerns a tenant that conceals. `beat`: a longer one, in seconds,
    where the answer hangs on more than our own statements."""
    _beat.set(max(_beat.get(), beat))


def on_the_beat(view: Callable[..., Any]) -> Callable[..., Any]:
    """The view's answer, on the next beat after it was asked where a concealing tenant is
    concerned; whatever it raises, too."""

    @wraps(view)
    def answer(*args: Any, **kwargs: Any) -> Any:
        began = time.monotonic()
        token = _beat.set(0.0)
        try:
            return view(*args, **kwargs)
        finally:
            beat = _beat.get()
            _beat.reset(token)
            if beat:
                time.sleep(rest_of_the_beat(time.monotonic() - began, beat))

    return answer


def rest_of_the_beat(seconds: float, beat: float = BEAT_SECONDS) -> float:
    """Seconds from here to the next beat, when the last one was so many seconds ago."""
    return beat - seconds % beat
