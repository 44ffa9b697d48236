"""What the database's own catalogue says about the walls, beyond what the product asks at a start.

Asked as the runtime role. What is expected comes from the models and migrations, so that a table,
reference or function added later is expected too.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from django.db import models
from django.db.migrations.loader import MigrationLoader

from tenants.checks import role_errors, table_errors, walled_tables
from tenants.ops import LookupFunction
from tenants.rls import OPS_ROLE
from tenants.scoping import tenant_models

# What a function that runs as another role may answer a customer: ids of tenants. Whatever answers
# with more does so only while the installation's own row is in force, and says so in its body.
IDS = frozenset({"uuid"})
GUARDS = ("platform", "app.tenant")

TENANT_COLUMNS = """
SELECT c.oid::regclass::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.attname = 'tenant_id' AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f')
AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' ORDER BY 1
"""
VIEWS = """
SELECT c.oid::regclass::text, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid=c.relnamespace
WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND (c.relkind = 'm' OR
  c.relkind = 'v' AND NOT coalesce('security_invoker=true' = ANY(c.reloptions), false)) ORDER BY 1
"""
DEFINERS = """
SELECT p.proname, p.prorettype::regtype::text, p.proowner::regrole::text,
  coalesce(p.proconfig, '{}'), p.prosrc FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.prosecdef AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' ORDER BY 1
"""
OWNED = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND pg_has_role(current_user, c.relowner, 'MEMBER') ORDER BY 1
"""
REFERENCES = """
SELECT c.conrelid::regclass::text, c.confrelid::regclass::text, (SELECT array_agg(a.attname::text
  ORDER BY k.place) FROM unnest(c.conkey) WITH ORDINALITY k(number, place)
  JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number)
FROM pg_constraint c WHERE c.contype = 'f' AND c.convalidated
"""
OPS_COLUMNS = """
SELECT c.relname, a.attname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname = ANY(%s)
AND has_column_privilege(%s, c.oid, a.attnum, 'SELECT')
"""


def problems(cursor: Any) -> list[str]:
    """Everything that is missing or too much, one line each, beginning with whose it is."""
    return [
        *(str(error.msg) for error in (*role_errors(cursor), *table_errors(cursor))),
        *_unknown_tables(cursor),
        *_open_views(cursor),
        *_definers(cursor),
        *_owned(cursor),
        *_references(cursor),
        *_ops_columns(cursor),
    ]


def _rows(cursor: Any, query: str, *values: Any) -> list[tuple[Any, ...]]:
    cursor.execute(query, list(values) or None)
    found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def _unknown_tables(cursor: Any) -> Iterator[str]:
    known = walled_tables()
    for (table,) in _rows(cursor, TENANT_COLUMNS):
        if table not in known:
            yield f"{table}: has a tenant and is behind no wall"


def _open_views(cursor: Any) -> Iterator[str]:
    for view, kind in _rows(cursor, VIEWS):
        yield f"{view}: {'is materialized' if kind == 'm' else 'reads as its owner'}"


@cache
def named_functions() -> dict[str, LookupFunction]:
    """The functions that run as another role, as migrations make them."""
    migrations = MigrationLoader(None).disk_migrations.values()
    return {
        operation.name: operation
        for migration in migrations
        for operation in migration.operations
        if isinstance(operation, LookupFunction)
    }


def _definers(cursor: Any) -> Iterator[str]:
    found = _rows(cursor, DEFINERS)
    for name, returns, owner, config, body in found:
        if name not in named_functions():
            yield f"{name}: runs as another role and is named nowhere"
        if returns not in IDS and not all(guard in body for guard in GUARDS):
            yield f"{name}: answers customers with more than ids"
        if owner != OPS_ROLE:
            yield f"{name}: runs as {owner}"
        if config != ["search_path=public, pg_temp"]:
            yield f"{name}: its search path is not fixed"
    for name in named_functions().keys() - {row[0] for row in found}:
        yield f"{name}: is missing"


def _owned(cursor: Any) -> Iterator[str]:
    for (name,) in _rows(cursor, OWNED):
        yield f"{name}: the runtime role owns it"


def composite_references() -> set[tuple[str, str, str]]:
    """(table, column, table pointed at) of every reference between tables of tenants."""
    own = set(tenant_models())
    keys: list[Any] = [
        field
        for model in own
        for field in model._meta.local_fields
        if isinstance(field, models.ForeignKey) and field.related_model in own
    ]
    return {
        (key.model._meta.db_table, key.column, key.related_model._meta.db_table) for key in keys
    }


def _references(cursor: Any) -> Iterator[str]:
    there = {
        (table, columns[1], target)
        for table, target, columns in _rows(cursor, REFERENCES)
        if len(columns) == 2 and columns[0] == "tenant_id"
    }
    for table, column, target in sorted(composite_references() - there):
        yield f"{table}: {column} may point into another tenant's {target}"


def ops_columns() -> set[tuple[str, str]]:
    """What the role behind the functions may read, as migrations say."""
    return {
        (table, column)
        for function in named_functions().values()
        for table, columns in function.reads.items()
        for column in columns
    }


def _ops_columns(cursor: Any) -> Iterator[str]:
    tables = sorted(walled_tables())
    for table, column in _rows(cursor, OPS_COLUMNS, tables, OPS_ROLE):
        if (table, column) not in ops_columns():
            yield f"{table}: the look-up functions may read {column}"
