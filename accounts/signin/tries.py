"""One try of a password: counted before it is judged, and settled once it was.

All work in the tenant's context; what is counted is committed before anything is judged. Who is
asked elsewhere may answer much later, so a try can be settled by whoever knows what it was.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from django.http import HttpRequest

from tenants import audit
from tenants.audit import Party
from tenants.counters import Count, count_down, count_up
from tenants.limits import LIMITS
from tenants.models import Tenant
from tenants.pages import address_of
from tenants.rules import rules_of
from tenants.secret import Secret

from ..models import User
from ..people import find_user
from . import locks
from .elsewhere import find_judge
from .places import is_known, place_of

WRONG = "wrong user ID or password"
_ANONYMOUS = Party("anonymous", None, "")


@dataclass(frozen=True)
class Attempt:
    """A try as it was counted.

    verdict: compare; known (was wrong before, so it counts no more); locked (smart lockout) and
    blocked (too many failures from this address), both until `until`. until: of one to compare,
    the end of the lock that it set off itself. known: whoever has the user ID.
    """

    verdict: Literal["compare", "known", "locked", "blocked"]
    until: datetime | None = None
    address: str = ""
    known: User | None = None
    row: locks.Try | None = field(default=None, repr=False)
    concealed: bool = False


def count_attempt(
    request: HttpRequest, user_id: str, password: Secret[str] | None, now: datetime
) -> Attempt:
    """Raises what the try counts on. What is refused for its address does not lock anybody.

    password: nothing where it is judged elsewhere; then the same one typed twice counts twice,
    because nobody here knows whether it is still wrong.
    """
    address = address_of(request)
    blocked = count_up(_counts(address), now).blocked
    if blocked is not None:
        return Attempt("blocked", blocked.until)
    subject = locks.subject_of(user_id)
    found = find_user(user_id)
    familiar = is_known(subject, place_of(request), now)
    row = locks.Try(subject, _mark(subject, password, found), familiar)
    rules = rules_of(None)
    counted = locks.count(row, locks.lockout_rules(rules), now)
    until = counted.state.locked_until
    return Attempt(
        verdict=counted.verdict,
        until=until if until is not None and until > now else None,
        address=address,
        known=found,
        row=row,
        concealed=rules.tenant.disclosure == Tenant.Disclosure.CONCEALED,
    )


def _mark(subject: bytes, password: Secret[str] | None, found: User | None) -> str:
    if password is None or find_judge(found) is not None:
        return ""
    return locks.mark_of(subject, password.reveal(), found.password if found is not None else "")


def _counts(address: str) -> list[Count]:
    return [Count(LIMITS["failed_sign_ins_by_address"], address)]


def note_failure(attempt: Attempt, now: datetime, *, reason: str = "") -> None:
    """Remembers the wrong password. The trail hears of each try that was judged, and of a lock;
    what an unknown person typed could be a password and is not in it."""
    if attempt.row is not None and attempt.verdict == "compare":
        locks.note_wrong(attempt.row)
    audit.record(
        "user.sign_in_failed",
        actor=_ANONYMOUS,
        target=_target(attempt),
        result="failure",
        reason=reason or WRONG,
        address=attempt.address,
        now=now,
    )
    if attempt.verdict == "compare" and attempt.until is not None:
        familiar = attempt.row is not None and attempt.row.familiar
        audit.record(
            "user.sign_in_locked",
            actor=Party("system", None, "limits"),
            target=_target(attempt),
            result="denied",
            data={"until": attempt.until.isoformat(), "familiar": familiar},
            address=attempt.address,
            now=now,
        )


def note_success(attempt: Attempt) -> None:
    """Starts the counting afresh."""
    count_down(_counts(attempt.address))
    if attempt.row is not None:
        locks.note_right(attempt.row)


def take_back(attempt: Attempt) -> None:
    """Nobody could judge it, so it was no wrong password."""
    count_down(_counts(attempt.address))
    if attempt.row is not None:
        locks.take_back(attempt.row, attempt.until)


def note_unanswered(attempt: Attempt, cause: str, now: datetime) -> None:
    """The same for a sign-in, with a line in the trail."""
    take_back(attempt)
    audit.record(
        "user.sign_in_unanswered",
        actor=_ANONYMOUS,
        target=_target(attempt),
        result="failure",
        reason=f"the directory did not answer: {cause.replace('_', ' ')}",
        address=attempt.address,
        now=now,
    )


def _target(attempt: Attempt) -> Party | None:
    known = attempt.known
    return Party("user", known.pk, known.user_id) if known is not None else None
