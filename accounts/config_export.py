"""Writing people back: everything but their secrets."""

from collections.abc import Mapping
from typing import Any

from .config_shapes import CONTACTS, GUESTS, PROFILE, TABLES, USERS
from .models import ContactPoint, GroupMember, User


def export(out: dict[str, Any]) -> None:
    """Adds users, guests, and the members of the groups that are in `out` already."""
    people = sorted(User.objects.all(), key=lambda user: user.user_id)
    names: dict[Any, str] = {user.id: user.user_id for user in people}
    contacts: dict[Any, dict[str, str]] = {}
    for row in ContactPoint.objects.iterator(chunk_size=2000):
        contacts.setdefault(row.user_id, {})[row.kind] = row.read().reveal()
    for section in (USERS, GUESTS):
        rows = [
            _row(section, user, contacts.get(user.id, {}), names.get(user.manager_id, ""))
            for user in people
            if section_of(user) == section
        ]
        if rows:
            out[section] = rows
    _add_members(out)


def section_of(user: User) -> str:
    """Guests of a known origin have a section of their own."""
    return GUESTS if user.kind == User.Kind.GUEST and user.origin else USERS


def _row(section: str, user: User, contacts: Mapping[str, str], manager: str) -> dict[str, Any]:
    """The keys of one person that differ from their defaults, in the order of the shape."""
    values: dict[str, Any] = {key: getattr(user, column) for key, column in PROFILE.items()}
    values |= {"id": user.user_id, "licensed": user.licence_id is not None, "manager": manager}
    values["roles"] = sorted(user.roles)
    values |= {key: contacts.get(kind, "") for key, kind in CONTACTS[section].items()}
    keys = TABLES[section].keys
    return {
        name: values[name]
        for name, key in keys.items()
        if name in values and (key.required or values[name] != _plain(key.default))
    }


def _plain(default: Any) -> Any:
    return list(default) if isinstance(default, tuple) else default


def _add_members(out: dict[str, Any]) -> None:
    groups = {row["name"]: row for row in out.get("groups", ())}
    pairs = GroupMember.objects.values_list("group__name", "user__user_id")
    for group, user_id in sorted(pairs):
        groups[group]["members"].append(user_id)
