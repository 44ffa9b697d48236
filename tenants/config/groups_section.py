"""The section groups: names, and which groups are inside which. Members come from accounts."""

import uuid
from collections.abc import Mapping
from typing import Any

from ..models import Group, GroupNesting
from .document import Document, Plan
from .sections import Section
from .shapes import Key, Listing, Table, Text

GROUP = Table(
    {
        "name": Key(Text(100, shortest=1), "the name of the group", required=True),
        "members": Key(Listing(Text(113)), "user IDs", default=()),
        "groups": Key(Listing(Text(100)), "names of groups inside this one", default=()),
    }
)


class GroupWork:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.rows: list[dict[str, Any]] = document.data.get("groups", [])
        self.nested: dict[str, set[str]] = {}

    def validate(self) -> None:
        if not self.rows:
            return
        named: set[str] = set()
        for index, row in enumerate(self.rows):
            name = (row or {}).get("name")
            if name in named:
                self.document.report.add(("groups", index, "name"), "Name each group once.")
            if name:
                named.add(name)
        known = named | self.document.group_ids.keys()
        edges = self._edges(known)
        self._check_cycles(edges)

    def _edges(self, known: set[str]) -> dict[str, set[str]]:
        """What is inside what once this file is applied: its own word, else what stands."""
        edges = self._standing()
        for index, row in enumerate(self.rows):
            inner = [(at, name) for at, name in enumerate((row or {}).get("groups", ())) if name]
            for at, name in inner:
                if name not in known:
                    fix = "There is no such group: add it to the file, or take it out here."
                    self.document.report.add(("groups", index, "groups", at), fix)
            if row and "name" in row:
                edges[row["name"]] = {name for _, name in inner}
        return edges

    def _standing(self) -> dict[str, set[str]]:
        self.nested = {}
        for parent, child in GroupNesting.objects.values_list("parent__name", "child__name"):
            self.nested.setdefault(parent, set()).add(child)
        return {name: set(inner) for name, inner in self.nested.items()}

    def _check_cycles(self, edges: Mapping[str, set[str]]) -> None:
        looped = in_a_circle(edges)
        for index, row in enumerate(self.rows):
            for at, name in enumerate((row or {}).get("groups", ())):
                if name in looped.get((row or {}).get("name", ""), ()):
                    fix = "This group would be inside itself: break the circle here."
                    self.document.report.add(("groups", index, "groups", at), fix)

    def plan(self, plan: Plan) -> None:
        new = [row["name"] for row in self.rows if row["name"] not in self.document.group_ids]
        groups = [Group(id=uuid.uuid4(), name=name) for name in new]
        for group in groups:
            plan.create("group", group.name)
            self.document.group_ids[group.name] = group.id
            self.document.new_groups.add(group.name)
        if groups:
            plan.on_write(lambda: Group.objects.bulk_create(groups, batch_size=1000))
        for row in self.rows:
            self._plan_nesting(plan, row["name"], set(row.get("groups", ())))

    def _plan_nesting(self, plan: Plan, name: str, wanted: set[str]) -> None:
        present = self.nested.get(name, set())
        if wanted == present:
            return
        if name not in self.document.new_groups:
            words = [f"+{inner}" for inner in sorted(wanted - present)]
            words += [f"-{inner}" for inner in sorted(present - wanted)]
            plan.update("group", name, "groups", ", ".join(words))
        ids = self.document.group_ids
        added = [
            GroupNesting(parent_id=ids[name], child_id=ids[inner])
            for inner in sorted(wanted - present)
        ]
        gone = [ids[inner] for inner in present - wanted]
        nestings = GroupNesting.objects

        def write() -> None:
            nestings.filter(parent_id=ids[name], child_id__in=gone).delete()
            nestings.bulk_create(added, batch_size=1000)

        plan.on_write(write)


def in_a_circle(edges: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Each edge that is part of a circle, as parent → children."""
    component = _components(edges)
    return {
        parent: {
            child
            for child in children
            if child == parent or component.get(child) == component[parent]
        }
        for parent, children in edges.items()
    }


def _components(edges: Mapping[str, set[str]]) -> dict[str, int]:
    """The strongly connected component of each node, by Kosaraju's two walks."""
    order: list[str] = []
    seen: set[str] = set()
    for start in edges:
        _walk(start, edges, seen, order)
    backward: dict[str, set[str]] = {}
    for parent, children in edges.items():
        for child in children:
            backward.setdefault(child, set()).add(parent)
    component: dict[str, int] = {}
    assigned: set[str] = set()
    for number, start in enumerate(reversed(order)):
        found: list[str] = []
        _walk(start, backward, assigned, found)
        component.update(dict.fromkeys(found, number))
    return component


def _walk(start: str, edges: Mapping[str, set[str]], seen: set[str], order: list[str]) -> None:
    """Depth first from `start` over what was not seen; nodes in the order they are left."""
    if start in seen:
        return
    seen.add(start)
    stack = [(start, iter(edges.get(start, ())))]
    while stack:
        node, children = stack[-1]
        following = next((child for child in children if child not in seen), None)
        if following is None:
            order.append(node)
            stack.pop()
        else:
            seen.add(following)
            stack.append((following, iter(edges.get(following, ()))))


def export(out: dict[str, Any]) -> None:
    rows: dict[str, dict[str, Any]] = {
        name: {"name": name, "members": [], "groups": []}
        for name in sorted(Group.objects.values_list("name", flat=True))
    }
    for parent, child in GroupNesting.objects.values_list("parent__name", "child__name"):
        rows[parent]["groups"].append(child)
    for row in rows.values():
        row["groups"].sort()
    if rows:
        out["groups"] = list(rows.values())


SECTION = Section(
    name="groups",
    keys={"groups": Key(Listing(GROUP), "groups of people, written as [[groups]]")},
    open=GroupWork,
    export=export,
)
