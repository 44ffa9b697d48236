"""Checking and planning the directories of a file."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from tenants import audit
from tenants.config.document import Document, Plan, shown
from tenants.config.shapes import Table

from .anchors import anchor_problem, canonical_anchor
from .models import Connector
from .services.drills import CANARY_FIELDS, CANARY_IS_PERSON, is_persons, set_canary

NAME = "connectors"
KIND_STAYS = "The kind of a directory can't be changed: its agents are set up for it."
_FIELDS: Mapping[str, tuple[str, ...]] = {"enabled": ("enabled",), "canary": CANARY_FIELDS}
"""Key of the file → columns that are written with it."""


class ConnectorPlan:
    """The directories of one file, and those that stand already.

    `kinds` are all of them by name, once this file is applied; `canaries` their accounts for
    drills.
    """

    def __init__(self, document: Document, table: Table) -> None:
        self.document, self.table = document, table
        self.given: list[dict[str, Any]] = document.data.get(NAME, [])
        self.present: dict[str, Connector] = {}
        self.kinds: dict[str, str] = {}
        self.canaries: dict[str, str] = {}

    def validate(self) -> None:
        self.present = {row.name: row for row in Connector.objects.all()}
        self.kinds = {name: row.kind for name, row in self.present.items()}
        self.canaries = {name: row.canary for name, row in self.present.items()}
        named: set[str] = set()
        for index, row in enumerate(self.given):
            if not row or "name" not in row:
                continue
            if row["name"] in named:
                self._refuse(index, "name", "Name each directory once.")
            named.add(row["name"])
            self._check(index, row)

    def _check(self, index: int, row: Mapping[str, Any]) -> None:
        values = self._values(row)
        name, kind = values["name"], values["kind"]
        before = self.present.get(name)
        if before is not None and before.kind != kind:
            self._refuse(index, "kind" if "kind" in row else "name", KIND_STAYS)
        problem = self._canary_problem(before, kind, values["canary"])
        if problem:
            self._refuse(index, "canary", problem)
        self.kinds[name], self.canaries[name] = kind, values["canary"]

    @staticmethod
    def _canary_problem(before: Connector | None, kind: str, canary: str) -> str:
        if not canary:
            return ""
        if before is not None and is_persons(before, canary):
            return CANARY_IS_PERSON
        return anchor_problem(kind, canary)

    def _refuse(self, index: int, key: str, fix: str) -> None:
        self.document.report.add((NAME, index, key), fix)

    def _values(self, row: Mapping[str, Any]) -> dict[str, Any]:
        values = self.table.filled(row)
        values["canary"] = canonical_anchor(values["kind"], values["canary"])
        return values

    def plan(self, plan: Plan) -> None:
        for row in self.given:
            values = self._values(row)
            before = self.present.get(values["name"])
            if before is None:
                plan.create("connector", values["name"])
                plan.on_write(partial(self._add, values))
            else:
                self._plan_changes(plan, before, values)

    def _plan_changes(self, plan: Plan, row: Connector, values: Mapping[str, Any]) -> None:
        changed = [key for key in _FIELDS if getattr(row, key) != values[key]]
        for key in changed:
            plan.update("connector", row.name, key, shown(getattr(row, key), values[key]))
        if changed:
            plan.on_write(partial(self._change, row, values, changed))

    def _add(self, values: Mapping[str, Any]) -> None:
        row = Connector(name=values["name"], kind=values["kind"], enabled=values["enabled"])
        row.tenant_id = self.document.tenant_id
        set_canary(row, values["canary"])
        row.save(force_insert=True)
        self._record("connector.added", {"connector": row.name, "kind": row.kind})

    def _change(self, row: Connector, values: Mapping[str, Any], changed: list[str]) -> None:
        row.enabled = values["enabled"]
        if "canary" in changed:
            set_canary(row, values["canary"])
        row.save(update_fields=[column for key in changed for column in _FIELDS[key]])
        self._record("connector.changed", {"connector": row.name, "fields": changed})

    def _record(self, event: str, data: dict[str, object]) -> None:
        audit.record(event, actor=self.document.actor, data=data, now=self.document.now)
