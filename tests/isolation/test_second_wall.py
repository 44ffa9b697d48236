"""Wall 2: what PostgreSQL itself lets through to the runtime role, asked in plain SQL."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connection, transaction
from django.db.models import ForeignKey, QuerySet
from psycopg import sql
from psycopg.types.json import Jsonb

from accounts.models import ContactPoint, User
from tenants.checks import walled_tables
from tenants.context import tenant_context
from tenants.lookup import (
    find_tenant,
    platform_id,
    tenant_ids,
    tenants_of_guest,
    tenants_with_messages,
    tenants_with_unsealed,
)
from tenants.models import Group, Tenant
from tenants.rls import OPS_ROLE
from tenants.scoping import tenant_models
from tenants.services import get_platform
from tests.cast import Acme, Beta
from tests.isolation.rows import NOW, make_rows
from tests.services.postgres import RUNTIME
from tests.services.session import database, shared_cluster

TABLES = sorted(walled_tables())
REFERENCES = [
    (model._meta.db_table, field.column, field.remote_field.model._meta.db_table)
    for model in tenant_models()
    for field in model._meta.local_fields
    if isinstance(field, ForeignKey) and field.name != "tenant"
]
UNIQUE = {
    (model._meta.db_table, field.column)
    for model in tenant_models()
    for field in model._meta.local_fields
    if field.is_relation and field.unique
}
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def runtime(transactional_db: None) -> Iterator[psycopg.Connection]:
    """A connection of its own, as the product's role."""
    with psycopg.connect(shared_cluster().url(RUNTIME, database())) as opened:
        yield opened


def column_of(table: str) -> sql.Identifier:
    return sql.Identifier(walled_tables()[table])


def set_tenant(opened: psycopg.Connection, tenant: UUID) -> None:
    opened.execute("SELECT set_config('app.tenant', %s, true)", [str(tenant)])


def seen_in(opened: psycopg.Connection, table: str) -> set[UUID]:
    """The tenants whose rows of this table can be read."""
    query = sql.SQL("SELECT DISTINCT {} FROM {}").format(column_of(table), sql.Identifier(table))
    return {row[0] for row in opened.execute(query).fetchall()}


@pytest.fixture
def filled(acme: Acme, beta: Beta) -> tuple[Acme, Beta]:
    """Both tenants, with a row in every walled table."""
    for organisation in (acme, beta):
        with organisation.inside():
            make_rows(organisation)
    return acme, beta


def test_without_a_tenant_no_table_shows_a_row_and_with_one_only_its_own(
    filled: tuple[Acme, Beta], runtime: psycopg.Connection
) -> None:
    acme, beta = filled

    assert {table: seen_in(runtime, table) for table in TABLES} == {
        table: set() for table in TABLES
    }
    for organisation in (acme, beta):
        set_tenant(runtime, organisation.id)
        assert {table: seen_in(runtime, table) for table in TABLES} == {
            table: {organisation.id} for table in TABLES
        }
        runtime.commit()


def test_after_a_commit_nothing_is_left_set(
    filled: tuple[Acme, Beta], runtime: psycopg.Connection
) -> None:
    """PostgreSQL leaves an empty text behind, not NULL; a policy that casts it would fail."""
    set_tenant(runtime, filled[0].id)
    runtime.commit()

    row = runtime.execute("SELECT current_setting('app.tenant', true)").fetchone()
    assert row == ("",)
    assert {table: seen_in(runtime, table) for table in TABLES} == {
        table: set() for table in TABLES
    }


def given_columns(runtime: psycopg.Connection, table: str) -> sql.Composed:
    """The columns a row is written with; the database itself makes the others."""
    rows = runtime.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'",
        [table],
    ).fetchall()
    return sql.SQL(", ").join(sql.Identifier(name) for (name,) in rows)


def test_another_tenants_rows_are_neither_made_nor_moved_nor_changed(
    filled: tuple[Acme, Beta], runtime: psycopg.Connection
) -> None:
    acme, beta = filled
    for table in TABLES:
        name, column = sql.Identifier(table), column_of(table)
        set_tenant(runtime, acme.id)
        copied = sql.SQL("CREATE TEMP TABLE stolen ON COMMIT DROP AS SELECT * FROM {}").format(name)
        runtime.execute(copied)
        runtime.execute(sql.SQL("UPDATE stolen SET {} = %s").format(column), [beta.id])
        given = given_columns(runtime, table)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            runtime.execute(
                sql.SQL("INSERT INTO {} ({}) SELECT {} FROM stolen").format(name, given, given)
            )
        runtime.rollback()
        if table in {"tenants_auditevent", "tenants_auditseal"}:
            continue  # never changed at all; the audit tests show it

        set_tenant(runtime, acme.id)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            runtime.execute(sql.SQL("UPDATE {} SET {} = %s").format(name, column), [beta.id])
        runtime.rollback()

        set_tenant(runtime, acme.id)
        where = sql.SQL("UPDATE {} SET {} = {} WHERE {} = %s")
        changed = runtime.execute(where.format(name, column, column, column), [beta.id])
        assert changed.rowcount == 0
        gone = runtime.execute(
            sql.SQL("DELETE FROM {} WHERE {} = %s").format(name, column), [beta.id]
        )
        assert gone.rowcount == 0
        runtime.rollback()


def test_no_reference_reaches_into_another_tenant(
    filled: tuple[Acme, Beta], runtime: psycopg.Connection
) -> None:
    """Plain foreign keys would: PostgreSQL checks them without looking at policies."""
    acme, beta = filled
    assert len(REFERENCES) > 10
    for table, column, target in REFERENCES:
        if table in {"tenants_auditevent", "tenants_auditseal"}:
            continue
        set_tenant(runtime, beta.id)
        query = sql.SQL("SELECT id FROM {} ORDER BY id LIMIT 1").format(sql.Identifier(target))
        theirs = runtime.execute(query).fetchone()
        if (table, column) in UNIQUE:  # else the taken key would be what stops it
            runtime.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        runtime.commit()
        assert theirs is not None

        set_tenant(runtime, acme.id)
        names = map(sql.Identifier, (table, column, table))
        one = "UPDATE {} SET {} = %s WHERE id = (SELECT id FROM {} ORDER BY id LIMIT 1)"
        assert runtime.execute(sql.SQL(one).format(*names), theirs).rowcount == 1
        with pytest.raises(psycopg.errors.IntegrityError, match="same_tenant"):
            runtime.execute("SET CONSTRAINTS ALL IMMEDIATE")
        runtime.rollback()


def test_a_seal_does_not_point_at_another_tenants_event(
    filled: tuple[Acme, Beta], runtime: psycopg.Connection
) -> None:
    acme, beta = filled
    set_tenant(runtime, beta.id)
    event = uuid4()
    runtime.execute(
        "INSERT INTO tenants_auditevent SELECT (jsonb_populate_record(e, %s)).*"
        " FROM tenants_auditevent e LIMIT 1",
        [Jsonb({"id": str(event)})],
    )
    runtime.commit()

    set_tenant(runtime, acme.id)
    runtime.execute(
        "INSERT INTO tenants_auditseal (id, tenant_id, event_id, sequence, hash)"
        " VALUES (gen_random_uuid(), %s, %s, 99, '')",
        [acme.id, event],
    )
    with pytest.raises(psycopg.errors.IntegrityError, match="same_tenant"):
        runtime.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_savepoint_that_is_rolled_back_keeps_the_tenant(acme: Acme) -> None:
    with acme.inside():
        for opened in (transaction.atomic, acme.inside):
            with pytest.raises(ZeroDivisionError):
                fail_inside(opened)

        assert setting() == str(acme.id)
        assert User.objects.exists()
        assert not Group.objects.filter(name="gone").exists()
    assert setting() == ""


def test_in_somebody_elses_transaction_the_tenant_ends_with_its_context(
    acme: Acme, beta: Beta
) -> None:
    with transaction.atomic():
        with acme.inside():
            assert setting() == str(acme.id)
        assert setting() == ""
        with pytest.raises(ZeroDivisionError):
            fail_inside(beta.inside)
        assert setting() in {"", None}
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM accounts_user")
            assert cursor.fetchone() == (0,)


def fail_inside(opened: Callable[[], AbstractContextManager[Any]]) -> None:
    with opened():
        Group.objects.create(name="gone")
        raise ZeroDivisionError


def setting() -> str | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.tenant', true)")
        found: str | None = cursor.fetchone()[0]
        return found


def test_sql_past_the_first_wall_meets_the_second(acme: Acme, beta: Beta) -> None:
    """A forgotten filter, raw SQL, a manager of Django's own: still only one tenant's people."""
    with acme.inside():
        raw = {user.tenant_id for user in User.objects.raw("SELECT * FROM accounts_user")}
        unfiltered = all_tenants_of(User)
        contacts = all_tenants_of(ContactPoint)
        tenants = all_tenants_of(Tenant)

    assert raw == unfiltered == contacts == {acme.id}
    assert tenants == {acme.id}
    assert beta.id not in raw


def all_tenants_of(model: type[User] | type[ContactPoint] | type[Tenant]) -> set[UUID]:
    """As a queryset without our manager sees it."""
    column = "id" if model is Tenant else "tenant_id"
    return set(QuerySet(model).values_list(column, flat=True))


def test_the_lookups_answer_with_ids_and_only_when_asked_by_name(acme: Acme, beta: Beta) -> None:
    platform = get_platform()
    with acme.inside():
        lookup = User.objects.get(pk=acme.gina.pk).guest_lookup

    assert find_tenant(slug="acme") == find_tenant(domain="ACME.example") == acme.id
    assert find_tenant(host="Beta.sspr.test") == beta.id
    assert find_tenant(slug="nobody") is None
    assert find_tenant() is None
    assert tenant_ids() == [acme.id, beta.id]
    assert platform_id() == platform
    assert tenants_of_guest(bytes(lookup or b"")) == [acme.id]
    assert tenants_of_guest(bytes(32)) == []
    assert tenants_with_messages(NOW) == []
    assert tenants_with_unsealed() == []


@pytest.mark.parametrize("how", ["slug", "domain", "host"])
def test_a_suspended_tenant_is_not_found(how: str, acme: Acme) -> None:
    names = {"slug": "acme", "domain": acme.domain, "host": acme.host}
    assert find_tenant(**{how: names[how]}) == acme.id
    with acme.inside():
        Tenant.objects.update(active=False)

    assert find_tenant(**{how: names[how]}) is None


def test_what_the_lookups_read_is_closed_to_the_runtime_role(
    filled: tuple[Acme, Beta], runtime: psycopg.Connection
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        runtime.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(OPS_ROLE)))
    runtime.rollback()
    for statement in (
        "ALTER FUNCTION sspr_tenants() SECURITY INVOKER",
        "CREATE OR REPLACE FUNCTION sspr_platform() RETURNS SETOF uuid LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE accounts_user DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant_isolation ON accounts_user",
        "SET session_replication_role = replica",
        "SET row_security = off; SELECT * FROM accounts_user",
        "TRUNCATE accounts_user",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            runtime.execute(statement)
        runtime.rollback()
    # A table of the caller's own never stands in for the one a function reads.
    runtime.execute("CREATE TEMP TABLE tenants_tenant (id uuid, slug text, platform bool)")
    found = runtime.execute("SELECT count(*) FROM sspr_tenants()").fetchone()
    assert found == (2,)


def test_the_runtime_role_may_change_rows_and_only_add_to_the_audit_trail(
    runtime: psycopg.Connection,
) -> None:
    rights = {
        (table, right): runtime.execute(
            "SELECT has_table_privilege(current_user, %s, %s)", [table, right]
        ).fetchone()
        == (True,)
        for table in (*TABLES, "django_migrations")
        for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "REFERENCES")
    }

    for (table, right), given in rights.items():
        added_only = table in {"tenants_auditevent", "tenants_auditseal"}
        allowed = {"SELECT", "INSERT"} if added_only else {"SELECT", "INSERT", "UPDATE", "DELETE"}
        if table == "django_migrations":
            allowed = {"SELECT"}
        assert given is (right in allowed), (table, right)


def test_the_lookup_functions_return_nothing_but_ids(runtime: psycopg.Connection) -> None:
    rows = runtime.execute(
        "SELECT proname, prorettype::regtype::text, prosecdef, proowner::regrole::text, proconfig"
        " FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef"
    ).fetchall()

    assert {row[0] for row in rows} >= {"sspr_find_tenant", "sspr_tenants", "sspr_guest_tenants"}
    for name, returns, _, owner, config in rows:
        # Those of the operator site answer the installation alone, with what its pages show.
        assert returns == ("record" if name.startswith("sspr_operator_") else "uuid"), name
        assert owner == OPS_ROLE, name
        assert config == ["search_path=public, pg_temp"], name


def test_a_context_needs_no_row_and_shows_none_for_a_tenant_that_is_not_there(acme: Acme) -> None:
    with tenant_context(uuid4()):
        assert not User.objects.exists()
        assert not Tenant.objects.exists()
