"""What is told and recorded when somebody's registered methods change (R-16)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.conf import settings

from notifications.services import Recipient, notify
from tenants import audit
from tenants.audit import Party
from tenants.models import Tenant

from ..contacts import notice_addresses
from ..models import ContactPoint, User

What = Literal["registered", "changed", "removed"]


@dataclass(frozen=True)
class MethodChange:
    """One change of what is registered.

    name: what the thing is called, never its secret. before: the contacts as they were. address:
    the network address it came from. reason: why, where somebody else did it.
    """

    what: What
    method: str
    name: str
    before: Sequence[ContactPoint]
    address: str
    reason: str = ""


def note_change(user: User, change: MethodChange, *, by: Party, now: datetime) -> None:
    """Records the change and tells everybody who could be reached before it.

    In the transaction of the change.
    """
    party = Party("user", user.pk, user.user_id)
    audit.record(
        f"method.{change.what}",
        actor=by,
        target=party,
        reason=change.reason,
        data={"method": change.method, "name": change.name},
        address=change.address,
        now=now,
    )
    first = next(iter(Tenant.objects.get().languages), settings.LANGUAGE_CODE)
    for mailbox in notice_addresses(user, change.before):
        notify(
            "method_changed",
            "email",
            Recipient(mailbox, user.language or first, user.display_name),
            {
                "name": user.display_name,
                "when": now.isoformat(),
                "method": change.method,
                "what": change.what,
            },
            now=now,
        )
