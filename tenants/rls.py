"""Wall 2: row-level security in PostgreSQL, and what the runtime role may do.

Every tenant table gets forced row-level security with one policy for reads and writes, and a
composite foreign key beside each plain one, because PostgreSQL checks plain foreign keys without
looking at policies. On SQLite (the embedded database of the demo) there is only wall 1.
"""

from collections.abc import Callable, Iterator, Sequence
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


class OnTables(Operation):
    """Runs statements for the tables of some models, on PostgreSQL alone."""

    reversible = True

    def __init__(self, *model_names: str) -> None:
        self.model_names = model_names

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (self.__class__.__qualname__, list(self.model_names), {})

    def statements(self, models: Sequence[Any]) -> Iterator[str]:
        raise NotImplementedError

    def undoing(self, models: Sequence[Any]) -> Iterator[str]:
        raise NotImplementedError

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Changes the database only."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        self._run(schema_editor, self.statements, to_state.apps, app_label)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        self._run(schema_editor, self.undoing, from_state.apps, app_label)

    def _run(
        self,
        schema_editor: Any,
        make: Callable[[Sequence[Any]], Iterator[str]],
        apps: Any,
        app_label: str,
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        for statement in make([apps.get_model(app_label, name) for name in self.model_names]):
            schema_editor.execute(statement, params=None)


class IsolateTenantTables(OnTables):
    """Migration operation: puts wall 2 around tables, in the migration that creates them."""

    def statements(self, models: Sequence[Any]) -> Iterator[str]:
        # The keys that the composite references need come first.
        for make in (isolation_sql, same_tenant_sql):
            for model in models:
                yield from make(model)

    def undoing(self, models: Sequence[Any]) -> Iterator[str]:
        for model in models:
            table = model._meta.db_table
            yield f'DROP POLICY "{POLICY}" ON "{table}"'
            yield f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY'
            yield f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY'

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


class DropCovered(OnTables):
    """Migration operation: takes from tables that grow fast what their other keys say already.

    A plain foreign key beside the composite one; the one to the tenant, where a composite one leads
    to a row that has it; the index of the tenant alone, with which others begin; and the pair of
    tenant and id where nothing refers to it. Each would be kept and checked with every row.
    """

    def statements(self, models: Sequence[Any]) -> Iterator[str]:
        for model in models:
            yield _COVERED.replace("{table}", model._meta.db_table)

    def undoing(self, models: Sequence[Any]) -> Iterator[str]:
        """Nothing is missing without them."""
        return iter(())


_COVERED = """
DO $$
DECLARE
  found text;
  tenant int2 := (SELECT attnum FROM pg_attribute
                  WHERE attrelid = '{table}'::regclass AND attname = 'tenant_id');
BEGIN
  FOR found IN
    SELECT plain.conname FROM pg_constraint plain JOIN pg_constraint pair USING (conrelid, contype)
    JOIN pg_attribute a ON a.attrelid = pair.conrelid AND a.attnum = pair.conkey[2]
    WHERE conrelid = '{table}'::regclass AND contype = 'f'
      AND cardinality(plain.conkey) = 1 AND cardinality(pair.conkey) = 2
      AND (plain.conkey[1] = pair.conkey[2] OR (plain.conkey[1] = tenant AND a.attnotnull))
    UNION
    SELECT row.conname FROM pg_constraint row
    WHERE row.conrelid = '{table}'::regclass AND row.conname = '{table}_tenant_row'
      AND NOT EXISTS (SELECT FROM pg_constraint f
                      WHERE f.contype = 'f' AND f.conindid = row.conindid)
  LOOP
    EXECUTE format('ALTER TABLE "{table}" DROP CONSTRAINT %I', found);
  END LOOP;
  FOR found IN
    SELECT indexrelid::regclass::text FROM pg_index
    WHERE indrelid = '{table}'::regclass AND NOT indisunique
      AND indnkeyatts = 1 AND indkey[0] = tenant
  LOOP
    EXECUTE format('DROP INDEX %s', found);
  END LOOP;
END $$"""
