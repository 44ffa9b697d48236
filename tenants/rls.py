"""Wall 2: row-level security in PostgreSQL, and what the runtime role may do.

Every tenant table gets forced row-level security with one policy for reads and writes, and a
composite foreign key beside each plain one, because PostgreSQL checks plain foreign keys without
looking at policies. On SQLite (the embedded database of the demo) there is only wall 1.
"""

from typing import Any

from django.db import models
from django.db.migrations.operations.base import Operation

POLICY = "tenant_isolation"
POLICY_EXPRESSION = "NULLIF(current_setting('app.tenant'::text, true), ''::text)"
OPS_ROLE = "sspr_ops"


def _tenant_column(model: Any) -> str:
    return "id" if model._meta.label_lower == "tenants.tenant" else "tenant_id"


def _scoped_references(model: Any) -> list[tuple[str, str]]:
    """(column, referenced table) of each foreign key to another tenant table."""
    return [
        (field.column, field.remote_field.model._meta.db_table)
        for field in model._meta.local_fields
        if isinstance(field, models.ForeignKey)
        and field.name != "tenant"
        and any(other.name == "tenant" for other in field.remote_field.model._meta.local_fields)
    ]


class IsolateTenantTables(Operation):
    """Migration operation: puts wall 2 around tables, in the migration that creates them."""

    reversible = True

    def __init__(self, *model_names: str) -> None:
        self.model_names = model_names

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Changes the database only."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        models = [to_state.apps.get_model(app_label, name) for name in self.model_names]
        # The keys that the composite references need come first.
        for make in (isolation_sql, same_tenant_sql):
            for model in models:
                for statement in make(model):
                    schema_editor.execute(statement)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        for name in self.model_names:
            table = from_state.apps.get_model(app_label, name)._meta.db_table
            schema_editor.execute(f'DROP POLICY "{POLICY}" ON "{table}"')
            schema_editor.execute(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')
            schema_editor.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (self.__class__.__qualname__, list(self.model_names), {})

    def describe(self) -> str:
        return f"Put row-level security around {', '.join(self.model_names)}"


def isolation_sql(model: Any) -> list[str]:
    table, column = model._meta.db_table, _tenant_column(model)
    inside = f"{column} = NULLIF(current_setting('app.tenant', true), '')::uuid"
    statements = [
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
        f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
        (
            f'CREATE POLICY "{POLICY}" ON "{table}" FOR ALL TO PUBLIC '
            f"USING ({inside}) WITH CHECK ({inside})"
        ),
    ]
    if column == "tenant_id":
        statements.append(
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_tenant_row" UNIQUE (tenant_id, id)'
        )
    return statements


def same_tenant_sql(model: Any) -> list[str]:
    """A foreign key that carries the tenant along, beside each plain one of the table."""
    table = model._meta.db_table
    return [
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_{name}_same_tenant" '
        f'FOREIGN KEY (tenant_id, {name}) REFERENCES "{target}" (tenant_id, id) '
        "DEFERRABLE INITIALLY DEFERRED"
        for name, target in _scoped_references(model)
    ]
