"""What is on file about the people of some rows: two statements however many they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..contacts import find_value
from ..models import ContactPoint, User
from .plan import Held, OnFile

COLUMNS = ("user_id", "display_name", "language", "kind", "source", "roles", "tenant")
PROFILE = ("display_name", "language")


@dataclass(frozen=True)
class Person:
    """One person's rows, and what the plan needs to know of them. `contacts` by kind."""

    user: User
    contacts: Mapping[str, ContactPoint]
    on_file: OnFile


def read_people(user_ids: Iterable[str], *, lock: bool = False) -> dict[str, Person]:
    """User ID → person, for those that the tenant in force has. With `lock` nobody else changes
    these people or their contacts before the transaction ends."""
    rows = User.objects.filter(user_id__in=list(user_ids)).order_by("pk")
    if lock:
        rows = rows.select_for_update(no_key=True)
    users = {user.pk: user for user in rows.only(*COLUMNS)}
    contacts: dict[object, dict[str, ContactPoint]] = {}
    points = ContactPoint.objects.filter(user_id__in=list(users)).order_by("pk")
    for point in points.select_for_update() if lock else points:
        contacts.setdefault(point.user_id, {})[point.kind] = point
    return {user.user_id: _person(user, contacts.get(user.pk, {})) for user in users.values()}


def _person(user: User, contacts: Mapping[str, ContactPoint]) -> Person:
    held = {
        kind: Held(find_value(point), point.confirmed_at is not None)
        for kind, point in contacts.items()
    }
    on_file = OnFile(
        guest=user.kind == User.Kind.GUEST,
        administrator=bool(user.roles),
        profile={column: getattr(user, column) for column in PROFILE},
        contacts=held,
    )
    return Person(user, contacts, on_file)
