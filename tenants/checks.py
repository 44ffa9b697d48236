"""System checks: the product refuses to start when a wall between tenants is missing (R-3)."""

import sys
from collections.abc import Sequence
from typing import Any

from django.core import checks
from django.db import DatabaseError, connections

from .rls import OPS_ROLE, POLICY, POLICY_EXPRESSION
from .scoping import tenant_models


def walled_tables() -> dict[str, str]:
    """Every table behind the walls, with the column that names the tenant."""
    from .models import Tenant

    tables = {model._meta.db_table: "tenant_id" for model in tenant_models()}
    return {Tenant._meta.db_table: "id", **tables}


@checks.register(checks.Tags.security)
def every_tenant_column_is_walled(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """A model with a tenant that is not a TenantModel would have neither wall."""
    from django.apps import apps

    from .scoping import TenantModel

    return [
        checks.Error(f"{model._meta.label} has a tenant but is not a TenantModel", id="sspr.E001")
        for model in apps.get_models()
        if any(field.name == "tenant" for field in model._meta.local_fields)
        and not issubclass(model, TenantModel)
    ]


@checks.register(checks.Tags.database)
def row_level_security_stands(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Runs where a database is asked for: `check --database default`, and at every start."""
    if not databases or "default" not in databases:
        return []
    connection = connections["default"]
    if connection.vendor != "postgresql":
        return []
    try:
        with connection.cursor() as cursor:
            return [*role_errors(cursor), *table_errors(cursor)]
    except DatabaseError as error:
        return [
            checks.Error(f"the database can't be asked: {type(error).__name__}", id="sspr.E002")
        ]


def refuse_unsafe_start() -> None:
    """Ends the process with one line when a wall is missing. What serves or works begins so."""
    found = [
        *every_tenant_column_is_walled(None),
        *row_level_security_stands(None, databases=["default"]),
    ]
    if found:
        first, more = found[0], len(found) - 1
        words = [f"{first.msg} ({first.id})", *([f"and {more} more"] if more else ())]
        sys.stderr.write(
            f"refusing to start: {', '.join(words)}; run manage.py check --database default\n"
        )
        raise SystemExit(78)


def role_errors(cursor: Any) -> list[checks.CheckMessage]:
    """Membership counts like the power itself: SET ROLE is one statement away."""
    cursor.execute(
        "SELECT bool_or(rolname = %s), bool_or(pg_has_role(current_user, oid, 'MEMBER')"
        " AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolname = %s)) FROM pg_roles",
        [OPS_ROLE, OPS_ROLE],
    )
    migrated, powerful = cursor.fetchone()
    if not migrated:
        return [checks.Error("the database is not migrated", id="sspr.E003")]
    if powerful:
        return [
            checks.Error(
                "the runtime role could go around row-level security",
                hint="Use a role without SUPERUSER, BYPASSRLS and CREATEROLE, in no other role.",
                id="sspr.E004",
            )
        ]
    return []


def table_errors(cursor: Any) -> list[checks.CheckMessage]:
    cursor.execute(
        "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity,"
        " pg_has_role(current_user, c.relowner, 'MEMBER')"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')"
    )
    found = {name: flags for name, *flags in cursor.fetchall()}
    cursor.execute(
        "SELECT tablename, policyname, permissive, roles::text[], cmd, qual, with_check"
        " FROM pg_policies WHERE schemaname = 'public'"
    )
    policies: dict[str, list[tuple[Any, ...]]] = {}
    for table, *policy in cursor.fetchall():
        policies.setdefault(table, []).append(tuple(policy))
    errors: list[checks.CheckMessage] = []
    for table, column in walled_tables().items():
        problem = _table_problem(found.get(table), policies.get(table, []), column)
        if problem:
            errors.append(checks.Error(f"{table}: {problem}", id="sspr.E005"))
    return errors


def _table_problem(flags: Any, policies: list[tuple[Any, ...]], column: str) -> str | None:
    if flags is None:
        return "the table is missing; run migrate"
    enabled, forced, owned = flags
    if owned:
        return "the runtime role owns it"
    if not (enabled and forced):
        return "row-level security is not forced"
    expected = f"({column} = ({POLICY_EXPRESSION})::uuid)"
    kept = False
    for name, permissive, roles, command, qual, check in policies:
        if name == POLICY and command == "ALL" and roles == ["public"]:
            kept = qual == expected and check == expected and permissive == "PERMISSIVE"
        elif roles != [OPS_ROLE] or command != "SELECT":
            return f"an unexpected policy lets rows through: {name}"
    return None if kept else "its policy is missing or changed"
