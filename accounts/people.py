"""The only way to look a person up, and everything on file that can prove who they are."""

from dataclasses import dataclass, field
from uuid import UUID

from tenants.keys import installation_mac

from .identifiers import canonical, canonical_mailbox
from .models import AuthenticatorDevice, ContactPoint, QuestionAnswer, User

GUEST_PURPOSE = "guest"


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
    found = User.objects.filter(user_id=wanted).first()
    if found is None:
        found = User.objects.filter(guest_lookup=guest_lookup(wanted)).first()
    return found


def get_user(user: UUID) -> User:
    found: User = User.objects.get(pk=user)
    return found


def belongings_of(user: User) -> Belongings:
    return Belongings(
        user=user,
        contacts={row.kind: row for row in ContactPoint.objects.filter(user=user)},
        devices=tuple(
            AuthenticatorDevice.objects.filter(user=user, confirmed=True).order_by("created_at")
        ),
        answers=tuple(QuestionAnswer.objects.filter(user=user).order_by("question")),
    )
