"""Drills: once a day the account that is kept for it is reset as a person's would be, and a sign-in
with the new password has to work. So a right that was lost is noticed before somebody needs it.

Two jobs, one after the other, of one origin: attempt 1 sets a password that nobody knows, attempt 2
signs in with it.
"""

import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from accounts.contacts import administrators, primary_addresses
from accounts.telling import language_of
from notifications.services import Recipient, notify_each
from tenants import audit
from tenants.audit import Party
from tenants.bell import ring
from tenants.context import tenant_context
from tenants.invalid import refusal
from tenants.keys import SealBroken
from tenants.lookup import tenants_with_connectors
from tenants.models import Tenant
from tenants.together import Change, Changes, Given

from ..models import Connector, DirectoryLink, Drill, WritebackJob
from ..protocol import Operation, Passwords
from ..sealing import canary_seal, is_canary
from .orders import Order, place_at
from .signing import evidence_of
from .states import WORKING, standings

DRILLS = Party("system", None, "drills")
EVERY = timedelta(hours=24)
LASTS = timedelta(minutes=10)
"""A drill without an end until then has failed, and its password is gone."""
PASSED = "passed"
CANARY_FIELDS = ("canary", "canary_seal", "drilled_at", "drill_outcome")
CANARY_IS_PERSON = "This account is a person's: drills need one that nobody uses."
RESET, SIGN_IN = 1, 2
"""Attempts of a drill's origin."""
PASSWORD_LENGTH = 40
_CLASSES = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "!#%+-=?@_~")
# An account that may not sign in now or here is well kept; its password was compared all the same.
_SIGNED_IN = frozenset({"right", "not_now", "not_here"})
_FORGET = Change(lambda: Drill.objects.filter(pk=Given("drill")))


def set_canary(connector: Connector, anchor: str) -> None:
    """Names the account that drills reset, "" for none; the caller saves `CANARY_FIELDS`. Raises
    Invalid for an account that is somebody's."""
    if anchor and is_persons(connector, anchor):
        raise refusal("canary", "taken", CANARY_IS_PERSON)
    connector.canary = anchor
    connector.canary_seal = canary_seal(connector) if anchor else None
    connector.drilled_at, connector.drill_outcome = None, ""


def is_persons(connector: Connector, anchor: str) -> bool:
    """Whether this account of the directory is somebody's."""
    return bool(DirectoryLink.objects.filter(connector=connector, anchor=anchor).exists())


def run_drills(now: datetime) -> int:
    """Starts what is due where directories work, and ends what got no end; how many drills."""
    return sum(_run_in(tenant, now) for tenant in tenants_with_connectors())


def _run_in(tenant: UUID, now: datetime) -> int:
    with tenant_context(tenant):
        done = _end_overdue(now)
        kept = Connector.objects.exclude(canary="").filter(enabled=True)
        due = [row for row in kept if _is_due(row, now)]
        if not due:
            return done
        working = {row.connector.pk for row in standings(now) if row.state in WORKING}
        for connector in due:
            if not _may_drill(connector):
                _refuse(connector, now)
            elif connector.pk in working:
                done += start(connector.pk, now) is not None
        return done


def _is_due(connector: Connector, now: datetime) -> bool:
    return connector.drilled_at is None or connector.drilled_at <= now - EVERY


def _refuse(connector: Connector, now: datetime) -> None:
    """Somebody else named this account, or it became a person's: nothing is reset there."""
    changes = Changes()
    _note(connector, _End("canary", "account"), None, now, changes)
    changes.write()


def start(connector: UUID, now: datetime) -> Drill | None:
    """Begins a drill of this directory, in its tenant's context; nothing where one is running, or
    there is no account that may be reset for it."""
    locked = Connector.objects.select_for_update().get(pk=connector)
    if not locked.enabled or not _may_drill(locked):
        return None
    if Drill.objects.filter(connector=locked).exists():
        return None
    changes = Changes()
    drill, password = Drill(connector=locked, started_at=now), _new_password()
    drill.write(password)
    changes.add(drill)
    _place(drill, RESET, Passwords(new=password), now, changes)
    changes.write()
    return drill


def _may_drill(connector: Connector) -> bool:
    """Whether its canary was named by this installation, and is nobody's own account."""
    return is_canary(connector) and not is_persons(connector, connector.canary)


def _new_password() -> str:
    """Characters of every kind that directories count, in no order anybody knows."""
    chosen = [secrets.choice(kind) for kind in _CLASSES]
    every = "".join(_CLASSES)
    chosen += [secrets.choice(every) for _ in range(PASSWORD_LENGTH - len(chosen))]
    secrets.SystemRandom().shuffle(chosen)
    return "".join(chosen)


def _place(
    drill: Drill, attempt: int, passwords: Passwords, now: datetime, changes: Changes
) -> None:
    connector = drill.connector
    operation: Operation = "reset_and_unlock" if attempt == RESET else "verify"
    order = Order(
        purpose=WritebackJob.Purpose.DRILL,
        operation=operation,
        origin=drill.pk,
        user=None,
        passwords=passwords,
        evidence=_evidence(connector),
        attempt=attempt,
    )
    place_at(order, connector, connector.canary, now, changes)


def _evidence(connector: Connector) -> bytes:
    return evidence_of(bytes(connector.canary_seal or b""))


def rests_on_canary(job: WritebackJob) -> bool:
    """What a job of a drill rests on, as the signer finds it for itself: a drill that is running,
    for exactly the account that this installation named, which is no person's."""
    connector = job.connector
    wanted = "reset_and_unlock" if job.attempt == RESET else "verify"
    if job.user_id is not None or job.must_change or job.operation != wanted:
        return False
    if job.anchor != connector.canary or not _may_drill(connector):
        return False
    if not Drill.objects.filter(pk=job.origin, connector=connector).exists():
        return False
    return bytes(job.evidence) == _evidence(connector)


@dataclass(frozen=True)
class _End:
    """outcome: `PASSED`, or why not. step: where it failed, as `drill_failed` says it."""

    outcome: str
    step: str = ""


def go_on(origin: UUID, jobs: Sequence[WritebackJob], now: datetime, changes: Changes) -> None:
    """What follows from a job of a drill, in the transaction that ends it. What became of it may
    not be known yet: then its agent's word is waited for."""
    drill = Drill.objects.select_for_update(of=("self",)).filter(pk=origin).first()
    job = next(iter(jobs), None)
    if drill is None or job is None or job.outcome == "unknown":
        return
    drill.connector = job.connector
    end = _judge(job)
    if end is None:
        try:
            password = drill.read().reveal()
        except SealBroken:
            end = _End("seal", "answer")
        else:
            _place(drill, SIGN_IN, Passwords(old=password), now, changes)
            return
    _end(drill, end, now, changes)


def _judge(job: WritebackJob) -> _End | None:
    """The drill's end by this job; nothing when it goes on."""
    if job.attempt == RESET:
        if job.outcome != "succeeded":
            return _End(job.cause or job.outcome, "reset")
        return _End("not_unlocked", "unlock") if job.unlocked is False else None
    if job.outcome == "succeeded" and job.answer in _SIGNED_IN:
        return _End(PASSED)
    return _End(job.answer or job.cause or job.outcome, "sign_in")


def _end_overdue(now: datetime) -> int:
    """Ends drills that nobody ended in time."""
    late = Drill.objects.filter(started_at__lte=now - LASTS)
    locked = late.select_for_update(skip_locked=True, of=("self",)).select_related("connector")
    changes, done = Changes(), 0
    for drill in locked:
        _end(drill, _End("no_answer", "answer"), now, changes)
        done += 1
    changes.write()
    return done


def _end(drill: Drill, end: _End, now: datetime, changes: Changes) -> None:
    changes.execute(*_FORGET.of(drill=drill.pk))
    _note(drill.connector, end, drill.pk, now, changes)
    ring(drill.pk)


def _note(
    connector: Connector, end: _End, origin: UUID | None, now: datetime, changes: Changes
) -> None:
    passed, before = end.outcome == PASSED, connector.drill_outcome
    connector.drilled_at, connector.drill_outcome = now, end.outcome[:20]
    changes.update(connector, "drilled_at", "drill_outcome")
    event = audit.Event(
        event_type="writeback.drilled",
        actor=DRILLS,
        result="success" if passed else "failure",
        reason="" if passed else end.outcome,
        data={"connector": connector.name, "outcome": end.outcome},
        correlation_id=origin,
        now=now,
    )
    audit.record_many([event], into=changes)
    if not passed and before in {"", PASSED}:
        _tell_administrators(connector, end, now)


def _tell_administrators(connector: Connector, end: _End, now: datetime) -> None:
    tenant = Tenant.objects.get()
    facts = {
        "when": now.isoformat(),
        "connector": connector.name,
        "step": end.step,
        "cause": end.outcome,
    }
    addresses = primary_addresses(administrators())
    told = [
        (Recipient(address, language_of(user, tenant), user.display_name), facts)
        for user, address in addresses.items()
    ]
    notify_each("drill_failed", told, now=now)
