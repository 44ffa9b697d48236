"""The end of setting a device up: the first approval was signed, so the device counts."""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from tenants.audit import Party

from ..methods.app_notification import approves
from ..models import AuthenticatorDevice, Credential, User
from ..people import belongings_of
from ..registration.changes import MethodChange, note_change
from ..registration.registrable import MOST_AUTHENTICATORS
from .devices import METHOD, authenticators_of, write_record
from .enrolment import Pending, find_pending


class Outcome(StrEnum):
    """What came of finishing: the device counts, its approval is waited for or failed, the person
    has as many as there may be, or there is nothing to finish."""

    DONE = "done"
    WAITING = "waiting"
    FAILED = "failed"
    TOO_MANY = "too_many"
    GONE = "gone"


def finish_enrolment(person: User, *, address: str, now: datetime) -> Outcome:
    """Saves the device once its first approval is there; in the tenant's context."""
    user = User.objects.select_for_update(no_key=True).get(pk=person.pk)
    pending = find_pending(user, now)
    if pending is None or pending.record is None or pending.request is None:
        return Outcome.GONE
    if pending.request.state == pending.request.State.PENDING:
        return Outcome.WAITING if now < pending.request.expires_at else Outcome.FAILED
    if not approves(pending.request, pending.credential, pending.number):
        return Outcome.FAILED
    own = belongings_of(user)
    if authenticators_of(own, now) >= MOST_AUTHENTICATORS:
        return Outcome.TOO_MANY
    _save(user, pending, now)
    change = MethodChange(
        "registered", METHOD, pending.credential.name, tuple(own.contacts.values()), address
    )
    note_change(user, change, by=Party("user", user.pk, user.user_id), now=now)
    return Outcome.DONE


def _save(user: User, pending: Pending, now: datetime) -> None:
    credential, record = pending.credential, pending.record
    if record is None:
        raise LookupError("a device without a key can't be saved")
    codes = AuthenticatorDevice(user=user, name=credential.name, confirmed=True)
    codes.write_seed(record.seed)
    codes.save(force_insert=True)
    write_record(credential, replace(record, app=codes.pk, seed=b"", round=None))
    credential.confirmed_at, credential.expires_at = now, None
    credential.paused_until = _pause_of(user)
    credential.save()


def _pause_of(user: User) -> datetime | None:
    """A report of fraud holds for a device that is added meanwhile, too."""
    rows = Credential.objects.filter(user=user, method=METHOD).exclude(paused_until=None)
    found: datetime | None = (
        rows.order_by("-paused_until").values_list("paused_until", flat=True).first()
    )
    return found
