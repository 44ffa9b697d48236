"""The only way to look a person up, and everything on file that can prove who they are."""

from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Q

from tenants.keys import installation_mac

from .identifiers import canonical, canonical_mailbox
from .models import AuthenticatorDevice, ContactPoint, QuestionAnswer, User

GUEST_PURPOSE = "guest"
NOBODY = UUID(int=0)
"""An id that no person has."""


@dataclass(frozen=True)
class Belongings:
    """What one person registered or had registered for them, read in three queries."""

    user: User
    contacts: dict[str, ContactPoint] = field(default_factory=dict)
    devices: tuple[AuthenticatorDevice, ...] = ()
    answers: tuple[QuestionAnswer, ...] = ()


def guest_lookup(email: str) -> bytes:
    """Keyed hash under which a guest is found by the registered email, in any tenant."""
    return installation_mac(GUEST_PURPOSE, canonical_mailbox(email))


def find_user(user_id: str) -> User | None:
    """The person with this user ID in the tenant in force, or the guest with this email."""
    wanted = canonical(user_id)
    if not wanted.isascii() or "@" not in wanted or "\x00" in wanted or len(wanted) > 320:
        return None
    # One statement, so that its number tells nobody who exists. The user ID itself comes first.
    rows = User.objects.filter(Q(user_id=wanted) | Q(guest_lookup=guest_lookup(wanted)))
    found = sorted(rows.order_by("pk"), key=lambda user: user.user_id != wanted)
    return found[0] if found else None


def belongings_of(user: User) -> Belongings:
    contacts, devices, answers = _read(user.pk)
    return Belongings(user, {row.kind: row for row in contacts}, devices, answers)


def find_belongings(user: User | None) -> Belongings | None:
    """Like `belongings_of`; for nobody the same three queries find nothing."""
    if user is None:
        _read(NOBODY)
        return None
    return belongings_of(user)


def _read(
    user: UUID,
) -> tuple[tuple[ContactPoint, ...], tuple[AuthenticatorDevice, ...], tuple[QuestionAnswer, ...]]:
    devices = AuthenticatorDevice.objects.filter(user=user, confirmed=True)
    return (
        tuple(ContactPoint.objects.filter(user=user)),
        tuple(devices.order_by("created_at")),
        tuple(QuestionAnswer.objects.filter(user=user).order_by("question")),
    )
