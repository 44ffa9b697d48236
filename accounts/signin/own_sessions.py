"""The sessions of one person, as they may see and end them themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F

from tenants import audit
from tenants.audit import Party
from tenants.context import tenant_context

from ..models import Session, User
from .person import SignedIn


@dataclass(frozen=True)
class OwnSession:
    """One signed-in browser; `here` is the one that asks."""

    id: UUID
    browser: str
    address: str
    methods: Sequence[str]
    begun_at: datetime
    seen_at: datetime
    here: bool


def own_sessions(person: SignedIn, here: bytes, now: datetime) -> Sequence[OwnSession]:
    """Every session that still counts: this one first, then the one used last."""
    with tenant_context(person.tenant.pk):
        rows = _living(person.user, now).order_by("-seen_at", "id")
        found = [
            OwnSession(
                row.pk,
                row.browser,
                row.address,
                tuple(row.methods),
                row.created_at,
                row.seen_at,
                bytes(row.key_hash) == here,
            )
            for row in rows
        ]
    return sorted(found, key=lambda each: not each.here)


def end_session(
    person: SignedIn, session: UUID, here: bytes, *, address: str, now: datetime
) -> bool:
    """Ends one other session of this person; false when there is none of that name."""
    with tenant_context(person.tenant.pk):
        rows: Any = Session.objects.filter(user=person.user, pk=session).exclude(key_hash=here)
        ended: int = rows.delete()[0]
        if ended:
            _record(person, ended, address, now)
        return bool(ended)


def end_other_sessions(person: SignedIn, here: bytes, *, address: str, now: datetime) -> int:
    """Signs out everywhere but here: whatever rests on an older sign-in ends with it.

    The epoch rises, so that what is not a row of ours ends too; this session goes along.
    """
    with tenant_context(person.tenant.pk):
        User.objects.select_for_update(no_key=True).get(pk=person.user.pk)
        others: Any = Session.objects.filter(user=person.user).exclude(key_hash=here)
        living = _living(person.user, now).exclude(key_hash=here).count()
        others.delete()
        User.objects.filter(pk=person.user.pk).update(session_epoch=F("session_epoch") + 1)
        Session.objects.filter(user=person.user, key_hash=here).update(epoch=F("epoch") + 1)
        _record(person, living, address, now)
        return int(living)


def sign_out_here(person: SignedIn, *, address: str, now: datetime) -> None:
    """The line in the trail; the session itself ends with its cookie."""
    with tenant_context(person.tenant.pk):
        _record(person, 1, address, now)


def _living(user: User, now: datetime) -> Any:
    return Session.objects.filter(user=user, expires_at__gt=now, epoch=F("user__session_epoch"))


def _record(person: SignedIn, ended: int, address: str, now: datetime) -> None:
    party = Party("user", person.user.pk, person.user.user_id)
    audit.record(
        "user.signed_out",
        actor=party,
        target=party,
        data={"sessions_ended": ended},
        address=address,
        now=now,
    )
