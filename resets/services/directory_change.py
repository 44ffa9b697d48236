"""Changing a known password that is kept in the person's directories: the directory itself compares
the old one, and the person's session waits for what it says.

Old and new are sealed for the directories' agents in this process and are nowhere afterwards. The
try of the old one is counted like a sign-in, and settled when the directory answered.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from accounts.models import User
from accounts.signin.person import SignedIn
from accounts.signin.tries import Attempt, take_back
from tenants.context import tenant_context
from writeback import protocol
from writeback.jobs import TAKEN_WITHIN
from writeback.models import WritebackJob
from writeback.outcomes import TOLD_WITHIN
from writeback.services.orders import Order, links_of, place
from writeback.services.signing import is_without_evidence

from ..eligibility import DIRECTORY_UNREACHABLE, PersonFacts, directory_reason
from ..facts import directory_state, read_situation
from ..models import DirectoryChange
from .change import Changed, Passwords, change_terms, find_broken, not_let_in, refused
from .common import Origin, step_in
from .directory_changed import attempt_of, give_up
from .reading import Landing, landings

GIVEN_UP_AFTER = TAKEN_WITHIN + TOLD_WITHIN + timedelta(seconds=45)
"""By then the worker has ended every job; a change that still waits is one nobody tells of."""
KEPT = timedelta(days=1)


def find_obstacle(person: SignedIn, now: datetime) -> str:
    """Why this person's password can't be changed in their directory now; "" when it can. In the
    tenant's context."""
    situation = read_situation(now, person.tenant)
    state = directory_state(situation, person.user)
    facts = situation.facts(synchronised=False, writeback_state=state)
    reason = directory_reason(facts, PersonFacts(source=person.user.source))
    if reason is None:
        return ""
    return "unreachable" if reason == DIRECTORY_UNREACHABLE else "elsewhere"


@dataclass(frozen=True)
class Asking:
    """Where a change comes from. count: counts the try of the old password; renew: gives the
    session another key, so that whoever knows the old one has nothing; the hash of the new one."""

    origin: Origin
    count: Callable[[], Attempt]
    renew: Callable[[], bytes]


def ask_directory(person: SignedIn, typed: Passwords, asking: Asking, *, now: datetime) -> Changed:
    """Sends both passwords to every directory of the person, once."""
    with tenant_context(person.tenant.pk):
        obstacle = find_obstacle(person, now)
        broken = find_broken(typed, change_terms(person, now)) if not obstacle else ()
        open_change = _find_open(person.user, now)
    if obstacle:
        return Changed(obstacle)
    if broken:
        return refused(person, broken, asking.origin, now)
    if open_change is not None:
        return Changed("busy", change=open_change.pk)
    session = asking.renew()
    attempt = asking.count()
    if attempt.verdict in {"locked", "blocked"}:
        return not_let_in(person, attempt, asking.origin, now)
    with step_in(person.tenant.pk) as changes:
        stale = _lock_stale(person.user, now)
        user = User.objects.select_for_update(no_key=True).get(pk=person.user.pk)
        for row in stale:
            give_up(row, attempt_of(row, user), now)
        other, links = _find_open(user, now), links_of(user)
        if other is not None or not links or not _is_same(user, person.user):
            take_back(attempt)
            return Changed("busy", change=other.pk if other is not None else None)
        row = _new_row(user, session, attempt, now)
        changes.add(row)
        passwords = protocol.Passwords(new=typed.new.reveal(), old=typed.old.reveal())
        order = Order(WritebackJob.Purpose.CHANGE, "change", row.pk, user, passwords)
        place(order, links, now, changes)
        return Changed("sent", change=row.pk)


def _is_same(user: User, before: User) -> bool:
    """Whether nobody disabled the person, or ended their sessions, since the page was asked for."""
    return user.usable and user.session_epoch == before.session_epoch


def _new_row(user: User, session: bytes, attempt: Attempt, now: datetime) -> DirectoryChange:
    return DirectoryChange(
        user=user,
        session=session,
        address=attempt.address,
        familiar=attempt.row.familiar if attempt.row is not None else False,
        locked_until=attempt.until,
        created_at=now,
    )


def _find_open(user: User, now: datetime) -> DirectoryChange | None:
    rows = DirectoryChange.objects.filter(user=user, state=DirectoryChange.State.WRITING)
    found: DirectoryChange | None = rows.filter(created_at__gt=now - GIVEN_UP_AFTER).first()
    return found


def _lock_stale(user: User, now: datetime) -> list[DirectoryChange]:
    """What nobody tells of any more; removes what nobody looks at any more. Changes are locked
    before their person, like by whoever lands one."""
    rows = DirectoryChange.objects.filter(user=user)
    rows.filter(created_at__lt=now - KEPT).delete()
    waiting = rows.filter(state=DirectoryChange.State.WRITING, created_at__lte=now - GIVEN_UP_AFTER)
    return list(waiting.select_for_update(of=("self",)))


def rests_on_change(job: WritebackJob) -> bool:
    """What a job of a change rests on, as the signer finds it for itself: a session of this person
    waits for it, and it carries the old password."""
    waiting = DirectoryChange.objects.filter(
        pk=job.origin, user=job.user_id, state=DirectoryChange.State.WRITING
    )
    return job.operation == "change" and is_without_evidence(job) and waiting.exists()


@dataclass(frozen=True)
class ChangeView:
    """A change as its page shows it. landed: what became of it, by directory."""

    state: str
    reason: str
    finished_at: datetime | None
    landed: Sequence[Landing]


def find_change(person: SignedIn, change: UUID, session: bytes, now: datetime) -> ChangeView | None:
    """The change that this very session waits for, or waited for. Reads, never changes (R-15)."""
    with tenant_context(person.tenant.pk):
        row: DirectoryChange | None = DirectoryChange.objects.filter(
            pk=change, user=person.user, session=session
        ).first()
        if row is None:
            return None
        state = row.state
        if state == DirectoryChange.State.WRITING and row.created_at <= now - GIVEN_UP_AFTER:
            state = DirectoryChange.State.UNKNOWN
        landed = landings(row.pk, 1) if state == DirectoryChange.State.PARTLY else []
        return ChangeView(state, row.reason, row.finished_at, landed)
