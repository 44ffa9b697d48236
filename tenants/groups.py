"""Groups as administrators edit them: made, renamed, put inside each other, removed.

Who is in a group is a row of the app above; it changes members itself.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from . import audit
from .audit import Party
from .config.groups_section import GROUP, in_a_circle
from .config.shapes import faults
from .invalid import refusal
from .models import Group, GroupNesting, ResetPolicy, Tenant

NAME_TAKEN = "There is a group of this name already."
POLICY_NEEDS_IT = "The reset policy lets this group reset. Choose another group there first."
CIRCLE = "This group would be inside itself. Choose another one."


def create_group(name: str, *, by: Party, now: datetime) -> Group:
    """A new, empty group. Raises Invalid."""
    _lock()
    group = Group(name=_free_name(name, None))
    group.save(force_insert=True)
    audit.record("group.created", actor=by, target=_party(group), data={"name": name}, now=now)
    return group


def rename_group(group: Group, name: str, *, by: Party, now: datetime) -> bool:
    """Gives a group another name; false where it has that one. Raises Invalid."""
    _lock()
    before = group.name
    if name == before:
        return False
    group.name = _free_name(name, group)
    group.save(update_fields=["name"])
    data = {"name": name, "before": before}
    audit.record("group.renamed", actor=by, target=_party(group), data=data, now=now)
    return True


def remove_group(group: Group, *, by: Party, now: datetime) -> None:
    """Removes a group; the people in it stay. Raises Invalid while the policy points at it."""
    _lock()
    if ResetPolicy.objects.filter(group=group).exists():
        raise refusal("", "in_use", POLICY_NEEDS_IT)
    rows: Any = group
    data = {"name": group.name, "members": rows.members.count()}
    audit.record("group.removed", actor=by, target=_party(group), data=data, now=now)
    group.delete()


def nest_group(group: Group, inner: Group, *, by: Party, now: datetime) -> bool:
    """Puts `inner` inside `group`: its members count as members of `group` too.

    False where it is inside already. Raises Invalid for a circle.
    """
    # Two nestings that make a circle only together must not pass each other.
    _lock()
    edges: dict[str, set[str]] = {}
    for parent, child in GroupNesting.objects.values_list("parent_id", "child_id"):
        edges.setdefault(str(parent), set()).add(str(child))
    if str(inner.pk) in edges.get(str(group.pk), ()):
        return False
    edges.setdefault(str(group.pk), set()).add(str(inner.pk))
    if _closes_circle(edges, str(group.pk), str(inner.pk)):
        raise refusal("inner", "circle", CIRCLE)
    GroupNesting.objects.create(parent=group, child=inner)
    data = {"name": group.name, "inner": inner.name}
    audit.record("group.nested", actor=by, target=_party(group), data=data, now=now)
    return True


def unnest_group(group: Group, inner: Group, *, by: Party, now: datetime) -> None:
    """Takes `inner` out of `group`."""
    gone, _ = GroupNesting.objects.filter(parent=group, child=inner).delete()
    if gone:
        data = {"name": group.name, "inner": inner.name}
        audit.record("group.unnested", actor=by, target=_party(group), data=data, now=now)


def _closes_circle(edges: Mapping[str, set[str]], parent: str, child: str) -> bool:
    return child in in_a_circle(edges).get(parent, ())


def _lock() -> None:
    """Changes of groups of a tenant, and files applied to it, happen one after the other."""
    Tenant.objects.select_for_update(no_key=True).get()


def _free_name(name: str, own: Group | None) -> str:
    for _, fix in faults(GROUP.keys["name"].shape, name):
        raise refusal("name", "shape", fix)
    others = Group.objects.filter(name=name)
    if own is not None:
        others = others.exclude(pk=own.pk)
    if others.exists():
        raise refusal("name", "taken", NAME_TAKEN)
    return name


def _party(group: Group) -> Party:
    return Party("group", group.pk, group.name)
