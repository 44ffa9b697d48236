"""What is told and recorded when somebody's registered methods change (R-16)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from django.conf import settings

from notifications.services import Recipient, notify
from tenants import audit
from tenants.audit import Party
from tenants.models import Tenant

from ..contacts import notice_addresses
from ..models import ContactPoint, User
from .undo import Undo, keep_undo, undo_of_new_credentials

What = Literal["registered", "changed", "removed"]


@dataclass(frozen=True)
class MethodChange:
    """One change of what is registered.

    name: what the thing is called, never its secret. before: the contacts as they were. address:
    the network address it came from. reason: why, where somebody else did it. undo: what takes it
    back; for a credential that is new it is found out.
    """

    what: What
    method: str
    name: str
    before: Sequence[ContactPoint]
    address: str
    reason: str = ""
    undo: Undo = field(default_factory=Undo)


def note_change(user: User, change: MethodChange, *, by: Party, now: datetime) -> None:
    """Records the change and tells everybody who could be reached before it, with a link that
    takes it back.

    In the transaction of the change.
    """
    audit.record(
        f"method.{change.what}",
        actor=by,
        target=Party("user", user.pk, user.user_id),
        reason=change.reason,
        data={"method": change.method, "name": change.name},
        address=change.address,
        now=now,
    )
    if change.what == "registered" and by.id == user.pk:
        # From the first thing somebody registers on, they are asked whether it is still right.
        User.objects.filter(pk=user.pk, registration_confirmed_at=None).update(
            registration_confirmed_at=now
        )
    undo = change.undo
    if not undo and change.what == "registered":
        undo = undo_of_new_credentials(user, change.method, now)
    link = keep_undo(user, change.method, change.name, undo, now) if undo else ""
    _tell(user, change.before, change.method, change.what, link, now)


def tell_change(user: User, contacts: Sequence[ContactPoint], method: str, now: datetime) -> None:
    """Tells that a change was taken back, everywhere it was or is told."""
    _tell(user, contacts, method, "undone", "", now)


def _tell(
    user: User,
    contacts: Sequence[ContactPoint],
    method: str,
    what: str,
    undo_url: str,
    now: datetime,
) -> None:
    first = next(iter(Tenant.objects.get().languages), settings.LANGUAGE_CODE)
    facts = {
        "name": user.display_name,
        "when": now.isoformat(),
        "method": method,
        "what": what,
        **({"undo_url": undo_url} if undo_url else {}),
    }
    for mailbox in notice_addresses(user, contacts):
        recipient = Recipient(mailbox, user.language or first, user.display_name)
        notify("method_changed", "email", recipient, facts, now=now)
