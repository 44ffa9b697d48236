"""The only way to look a person up, and everything on file that can prove who they are."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Func, QuerySet, Subquery, UUIDField
from django.db.models.functions import Coalesce

from tenants.keys import installation_mac
from tenants.together import Given, Reading

from .identifiers import canonical, canonical_mailbox
from .models import (
    AuthenticatorDevice,
    ContactPoint,
    Credential,
    MethodSettings,
    QuestionAnswer,
    User,
)

GUEST_PURPOSE = "guest"
NOBODY = UUID(int=0)
"""An id that no person has."""


@dataclass(frozen=True)
class Belongings:
    """What one person registered or had registered for them, and who may speak for them.

    colleagues: their manager, and whoever the tenant names. mailboxes: the primary ones of these.
    settings: what some methods need to know of the tenant.
    """

    user: User
    contacts: dict[str, ContactPoint] = field(default_factory=dict)
    devices: tuple[AuthenticatorDevice, ...] = ()
    answers: tuple[QuestionAnswer, ...] = ()
    credentials: tuple[Credential, ...] = ()
    settings: MethodSettings | None = None
    colleagues: tuple[User, ...] = ()
    mailboxes: dict[UUID, ContactPoint] = field(default_factory=dict)

    def credentials_for(self, method: str, now: datetime) -> tuple[Credential, ...]:
        """Those of one method that can be used now, oldest first."""
        return tuple(row for row in self.credentials if row.method == method and row.is_usable(now))


def guest_lookup(email: str) -> bytes:
    """Keyed hash under which a guest is found by the registered email, in any tenant."""
    return installation_mac(GUEST_PURPOSE, canonical_mailbox(email))


def meant_person() -> Func:
    """The key of the person a user ID means, for a `Reading` that is given `meaning`: whoever has
    the ID, and otherwise the first guest with this email.

    Two look-ups, because two conditions joined by OR may go through all people of the tenant; one
    value that is found first, because a list may be joined the wrong way round; a SELECT of its own
    around both, because behind a policy COALESCE is trusted with no index. And no order that an
    index has, because PostgreSQL may follow it from its beginning to find one row.
    """
    by_id = User.objects.filter(user_id=Given("user_id"))
    guests = User.objects.filter(guest_lookup=Given("guest_lookup"))
    by_email = guests.order_by("created_at", "pk")
    one = Coalesce(Subquery(by_id.values("pk")), Subquery(by_email.values("pk")[:1]))
    return Func(one, template="(SELECT %(expressions)s)", output_field=UUIDField())


def meant_rows() -> QuerySet[User]:
    """That person, as a part of the `Reading`: one row or none."""
    return User.objects.filter(pk=meant_person())


def meaning(user_id: str) -> dict[str, Any]:
    """What people are found by. What can be nobody's ID is looked for all the same."""
    wanted = canonical(user_id)
    if not wanted.isascii() or "@" not in wanted or "\x00" in wanted or len(wanted) > 320:
        return {"user_id": "", "guest_lookup": bytes(32)}
    return {"user_id": wanted, "guest_lookup": guest_lookup(wanted)}


def find_user(user_id: str) -> User | None:
    """The person with this user ID in the tenant in force, or the guest with this email."""
    [found] = _MEANT.rows(**meaning(user_id))
    return next(iter(found), None)


def belongings_rows(user: Any) -> tuple[QuerySet[Any], ...]:
    """Contacts, confirmed devices, answers and credentials of a person, and the colleagues who may
    confirm that it is them, to be read together.

    user: whose they are, as a value or an expression.
    """
    person = User.objects.filter(pk=user)
    # A union, because two conditions joined by OR would look at every person of the tenant.
    named = MethodSettings.objects.values("approver")
    colleagues: Any = person.values("manager").union(named)
    return (
        ContactPoint.objects.filter(user=user),
        AuthenticatorDevice.objects.filter(confirmed=True, user=user),
        QuestionAnswer.objects.filter(user=user),
        Credential.objects.filter(user=user),
        MethodSettings.objects.all(),
        User.objects.filter(pk__in=colleagues),
        ContactPoint.objects.filter(
            kind=ContactPoint.Kind.PRIMARY_EMAIL.value, user__in=colleagues
        ),
    )


def belongings_from(user: User, *rows: Iterable[Any]) -> Belongings:
    """The belongings of one person out of the rows of `belongings_rows`, in its order. Rows that
    are somebody else's prove nothing, however they came here."""
    contacts, devices, answers, credentials, settings, colleagues, mailboxes = rows
    chosen = next(iter(settings), None)
    asked = {user.manager_id, chosen.approver_id if chosen is not None else None}
    return Belongings(
        user,
        {row.kind: row for row in contacts if row.user_id == user.pk},
        tuple(sorted(_own(user, devices), key=lambda row: row.created_at)),
        tuple(sorted(_own(user, answers), key=lambda row: row.question)),
        tuple(sorted(_own(user, credentials), key=lambda row: row.created_at)),
        chosen,
        tuple(row for row in colleagues if row.pk in asked),
        {row.user_id: row for row in mailboxes if row.user_id in asked},
    )


def _own(user: User, rows: Iterable[Any]) -> list[Any]:
    return [row for row in rows if row.user_id == user.pk]


def belongings_of(user: User) -> Belongings:
    return belongings_from(user, *_BELONGINGS.rows(user=user.pk))


def find_belongings(user: User | None) -> Belongings | None:
    """Like `belongings_of`; for nobody the same statement finds nothing."""
    if user is not None:
        return belongings_of(user)
    _BELONGINGS.rows(user=NOBODY)
    return None


_MEANT = Reading(lambda: (meant_rows(),))
_BELONGINGS = Reading(lambda: belongings_rows(user=Given("user")))
