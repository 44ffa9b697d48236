"""Asking a person's directory whether a password is right, while the sign-in waits (pass-through).

The password goes the way of a new one: sealed to the agents of the directory, signed, carried out
by one of them. It is stored nowhere, and no hash of it is made.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

from django.utils import timezone

from accounts.models import User
from accounts.signin.elsewhere import Judged
from tenants.bell import wait_for
from tenants.context import tenant_context
from tenants.secret import Secret
from tenants.together import Changes

from ..health import ANSWERING
from ..jobs import State
from ..models import DirectoryLink, WritebackJob
from ..protocol import Passwords
from .attempts import lock_attempt
from .orders import Order, links_of, place
from .outcome import finish_unsent, tell_if_ended
from .states import state_of_directory

WAITS = 8.0
"""Seconds that a sign-in waits for the directory."""
AT_ONCE = 3
"""Sign-ins of one tenant that may wait in one process: a directory that is silent keeps only so
many threads from everybody else."""

_LETS_IN: Mapping[str, Literal["right", "due"]] = {
    "right": "right",
    "must_change": "due",
    "expired": "due",
}
_OF_PERSON = frozenset(
    {"person_missing", "person_disabled", "account_ended", "protected", "outside_places"}
)
"""Causes for which another try would have the same end."""


class DirectoryJudge:
    """Judges passwords by the directory that the person was linked to first.

    seconds: how long it waits; clock: what time it is when it has waited.
    """

    def __init__(
        self, seconds: float = WAITS, clock: Callable[[], datetime] = timezone.now
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._waiting: Counter[UUID] = Counter()
        self._lock = threading.Lock()

    def __call__(self, user: User, password: Secret[str], now: datetime) -> Judged:
        with self._place(user.tenant_id) as free:
            if not free:
                return Judged("unanswered", "busy")
            with tenant_context(user.tenant_id):
                link = next(iter(links_of(user)), None)
                if link is None:
                    return Judged("nobody", "no account linked")
                state = state_of_directory(link.connector_id, now)
                if state not in ANSWERING:
                    return Judged("unanswered", state)
                job = _place_job(user, link, password, now)
            return self._answer(user.tenant_id, job)

    def _answer(self, tenant: UUID, job: UUID) -> Judged:
        def look() -> WritebackJob | None:
            with tenant_context(tenant):
                found: WritebackJob | None = WritebackJob.objects.filter(
                    pk=job, state=State.DONE
                ).first()
                return found

        answered = wait_for(job, look, self._seconds)
        if answered is None:
            with tenant_context(tenant):
                answered = _withdraw(job, self._clock())
        return judged(answered) if answered is not None else Judged("unanswered", "no answer")

    @contextmanager
    def _place(self, tenant: UUID) -> Iterator[bool]:
        with self._lock:
            free = self._waiting[tenant] < AT_ONCE
            self._waiting[tenant] += free
        try:
            yield free
        finally:
            with self._lock:
                self._waiting[tenant] -= free
                if not self._waiting[tenant]:
                    del self._waiting[tenant]


def judged(job: WritebackJob) -> Judged:
    """What a job that ended says of the password.

    Whatever the directory said beside right and wrong is nobody's business but the
    administrators', so the person hears the same as after a wrong password.
    """
    if job.outcome == "succeeded" and job.answer:
        kind = _LETS_IN.get(job.answer)
        if kind is not None:
            return Judged(kind)
        return Judged("wrong") if job.answer == "wrong" else Judged("refused", job.answer)
    kept_out = job.outcome == "failed" and job.cause in _OF_PERSON
    return Judged("refused" if kept_out else "unanswered", job.cause or "no answer")


def _place_job(user: User, link: DirectoryLink, password: Secret[str], now: datetime) -> UUID:
    changes = Changes()
    order = Order(
        purpose=WritebackJob.Purpose.SIGN_IN,
        operation="verify",
        origin=uuid4(),
        user=user,
        passwords=Passwords(old=password.reveal()),
    )
    [job] = place(order, [link], now, changes)
    changes.write()
    placed: UUID = job.pk
    return placed


def _withdraw(waited_for: UUID, now: datetime) -> WritebackJob | None:
    """Takes back what no agent holds, so that nobody tries the password later; the job, where its
    answer came at the last moment."""
    changes = Changes()
    together = lock_attempt(waited_for)
    job = next(iter(together), None)
    if job is None or job.state == State.DONE:
        return job
    if job.state != State.TAKEN:
        finish_unsent(job, "withdrawn", now, changes)
        tell_if_ended(together, now, changes)
        changes.write()
    return None
