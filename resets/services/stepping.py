"""A step without a lock: read with one statement, judged, written with one.

What is written depends on the version of the journey's row that was read; whoever writes anything
of a journey writes its row. Where somebody was faster the step is taken once more, in a transaction
that holds the row from the beginning.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from tenants.context import tenant_reading
from tenants.statements import is_embedded
from tenants.together import Changes
from tenants.versions import Overtaken, version_of

from ..models import Challenge, Flow
from .common import Handle, get_asked_flow, step_in, take_up
from .standing import Standing, read_standing, standing_of

T = TypeVar("T")


@dataclass(frozen=True)
class Seen:
    """A journey as a step finds it: where it stands, and the proof that it waits for."""

    standing: Standing
    challenge: Challenge | None

    @property
    def flow(self) -> Flow:
        return self.standing.flow


Work = Callable[[Seen, Changes], T]
"""What a step does with what it finds; done anew, with what is there then, where it was
overtaken."""


def take_step(handle: Handle, now: datetime, work: Work[T], *, seen: Seen | None = None) -> T:
    """What comes of the step. seen: the journey as the step before left it. Raises NoFlow."""
    if not is_embedded():
        with suppress(Overtaken):
            return _unlocked(handle, now, work, _as_left(seen) or _look(handle, now))
    with step_in(handle.tenant) as changes:
        flow, challenge = get_asked_flow(handle, now, changes)
        return work(Seen(standing_of(flow, now), challenge), changes)


def _as_left(seen: Seen | None) -> Seen | None:
    """One that was locked is somebody else's again, and nothing tells in which version."""
    return seen if seen is not None and version_of(seen.flow) else None


def _look(handle: Handle, now: datetime) -> Seen:
    with tenant_reading(handle.tenant):
        return Seen(*read_standing(handle, now))


def _unlocked(handle: Handle, now: datetime, work: Work[T], seen: Seen) -> T:
    with step_in(handle.tenant) as changes:
        take_up(seen.flow, now, changes)
        return work(seen, changes)
