"""What happens when a wall is taken away: the other still holds, and it is noticed (G-6, A-090)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import models
from django.db.models import Manager
from psycopg import sql

from accounts.models import User
from tenants.checks import table_errors, walled_tables
from tenants.context import tenant_context
from tenants.models import Tenant
from tenants.scoping import TenantManager, tenant_models
from tests.isolation.canary import Scene, leaks, snapshot
from tests.isolation.catalogue import composite_references, named_functions, problems
from tests.isolation.crawl import crawl
from tests.isolation.probes import ORM_READS, ORM_WRITES
from tests.isolation.test_addresses import (
    administrator,
    asked_at_random,
    is_unknown,
    likeliest,
    parametrized,
)
from tests.services.postgres import OWNER, RUNTIME
from tests.services.session import copy_template, database, shared_cluster

TABLES = sorted(walled_tables())
FREE = "USING (true) WITH CHECK (true)"
INSIDE = "{column} = NULLIF(current_setting('app.tenant', true), '')::uuid"
REPLACED = "DROP POLICY tenant_isolation ON {table}; CREATE POLICY tenant_isolation ON {table} "
# Each is tried on every table of a tenant. {column} names the tenant.
TABLE_MUTATIONS = {
    "policy dropped": "DROP POLICY tenant_isolation ON {table}",
    "not forced": "ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
    "switched off": "ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
    "everything shown": REPLACED + f"USING (true) WITH CHECK ({INSIDE})",
    "everything taken": REPLACED + f"USING ({INSIDE}) WITH CHECK (true)",
    "without a tenant": REPLACED + f"USING ({INSIDE} OR current_setting('app.tenant', true) = '')",
    "not that tenant": REPLACED + f"USING (NOT {INSIDE}) WITH CHECK (NOT {INSIDE})",
    "for readers only": REPLACED + f"FOR SELECT USING ({INSIDE})",
    "for somebody else": REPLACED + f"TO {OWNER} USING ({INSIDE}) WITH CHECK ({INSIDE})",
    "one more": f"CREATE POLICY more ON {{table}} TO {RUNTIME} {FREE}",
    "given away": f"ALTER TABLE {{table}} OWNER TO {RUNTIME}",
}
TALKATIVE = """
CREATE FUNCTION sspr_tenants(a int) RETURNS TABLE (name text) LANGUAGE sql SECURITY DEFINER
AS 'SELECT name::text FROM tenants_tenant'
"""
BESIDE = {
    "bypass": (f"ALTER ROLE {RUNTIME} BYPASSRLS", "could go around"),
    "superuser": (f"ALTER ROLE {RUNTIME} SUPERUSER", "could go around"),
    "membership": (f"GRANT {OWNER} TO {RUNTIME}", "could go around"),
    "operations": (f"GRANT sspr_ops TO {RUNTIME}", "could go around"),
    "a view": ("CREATE VIEW people AS SELECT * FROM accounts_user", "people: reads as its owner"),
    "a copy": (
        "CREATE MATERIALIZED VIEW people AS SELECT * FROM accounts_user",
        "people: is materialized",
    ),
    "a table": ("CREATE TABLE notes (tenant_id uuid)", "notes: has a tenant"),
    "a function": (
        "CREATE FUNCTION spy() RETURNS uuid LANGUAGE sql SECURITY DEFINER AS 'SELECT NULL::uuid'",
        "spy: runs as another role and is named nowhere",
    ),
    "a talkative function": (TALKATIVE, "sspr_tenants: answers customers with more than ids"),
    "a path": ("ALTER FUNCTION sspr_tenants() RESET search_path", "sspr_tenants: its search path"),
    "a power": ("ALTER FUNCTION sspr_tenants() OWNER TO postgres", "sspr_tenants: runs as"),
    "a column": ("GRANT SELECT (password) ON accounts_user TO sspr_ops", "may read password"),
    "a loss": ("DROP FUNCTION sspr_tenants()", "sspr_tenants: is missing"),
}


@pytest.fixture(scope="module")
def copy(django_db_setup: None) -> Iterator[psycopg.Connection]:
    """A database of our own as superuser; every mutation in it is rolled back."""
    name = f"sspr_mutated_{database()}"
    copy_template(shared_cluster(), name)
    with psycopg.connect(shared_cluster().superuser_url(name)) as opened:
        yield opened
    with shared_cluster().connect() as opened:
        opened.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def mutated(copy: psycopg.Connection, *statements: str) -> Iterator[psycopg.Cursor]:
    """The database with these statements done, seen as the runtime role."""
    with copy.cursor() as cursor:
        try:
            for statement in statements:
                cursor.execute(statement.encode())
            cursor.execute(f"SET LOCAL ROLE {RUNTIME}".encode())
            yield cursor
        finally:
            copy.rollback()


def test_the_catalogue_is_as_it_should_be(copy: psycopg.Connection) -> None:
    with mutated(copy) as cursor:
        assert problems(cursor) == []

    assert len(TABLES) > 20
    assert len(composite_references()) > 10
    assert len(named_functions()) > 4


@pytest.mark.parametrize("kind", TABLE_MUTATIONS)
def test_a_mutated_wall_is_noticed_on_every_table(kind: str, copy: psycopg.Connection) -> None:
    """By the check that is asked at every start."""
    survived = []
    for table, column in walled_tables().items():
        statement = TABLE_MUTATIONS[kind].format(table=table, column=column)
        with mutated(copy, statement) as cursor:
            said = [str(error.msg) for error in table_errors(cursor)]
        if [line.partition(":")[0] for line in said] != [table]:
            survived.append((table, said))

    assert survived == []


@pytest.mark.parametrize("kind", BESIDE)
def test_what_leads_around_the_walls_is_noticed(kind: str, copy: psycopg.Connection) -> None:
    statement, words = BESIDE[kind]

    with mutated(copy, statement) as cursor:
        assert any(words in line for line in problems(cursor))


@pytest.mark.parametrize("reference", sorted(composite_references()), ids="-".join)
def test_a_reference_that_lost_its_tenant_is_noticed(
    reference: tuple[str, str, str], copy: psycopg.Connection
) -> None:
    table, column, target = reference
    drop = f'ALTER TABLE {table} DROP CONSTRAINT "{table}_{column}_same_tenant"'

    with mutated(copy, drop) as cursor:
        assert problems(cursor) == [f"{table}: {column} may point into another tenant's {target}"]


@pytest.fixture
def no_filter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wall 1 gone: every manager gives every row, as a forgotten filter would."""

    def everything(self: Any) -> models.QuerySet[Any]:
        return Manager.get_queryset(self)

    monkeypatch.setattr(TenantManager, "get_queryset", everything)
    monkeypatch.setattr(type(Tenant.objects), "get_queryset", everything)


APPENDED = {"tenants_auditevent", "tenants_auditseal"}


@pytest.mark.usefixtures("no_filter")
def test_without_the_filter_no_manager_shows_or_changes_another_tenants_row(scene: Scene) -> None:
    before = snapshot(scene.beta)
    ways = {**ORM_READS, **{name: way for name, way in ORM_WRITES.items() if name == "update"}}
    with tenant_context(scene.acme.id):
        crossed = [
            (model._meta.label, name)
            for model in tenant_models()
            for name, way in ways.items()
            if name != "related" and model._meta.db_table not in APPENDED
            if way(model, scene.theirs[model][0])
        ]
        seen = {row.tenant_id for model in tenant_models() for row in model.objects.all()}
        assert {row.pk for row in Tenant.objects.all()} == {scene.acme.id}

    assert (crossed, seen) == ([], {scene.acme.id})
    assert snapshot(scene.beta) == before


@pytest.mark.usefixtures("no_filter")
def test_without_the_filter_no_address_shows_another_tenants_row(scene: Scene) -> None:
    before = snapshot(scene.beta)
    client = administrator(scene, scene.acme.host)

    differing = [
        (method, address.template)
        for address in parametrized()
        for method in ("GET", "POST")
        for unknown in [asked_at_random(client, method, address)]
        if not is_unknown(scene, client, method, address, likeliest(scene, address), unknown)
    ]
    pages = list(crawl(client, "/admin/", values=3))

    assert differing == []
    assert len(pages) > 100
    assert [page.address for page in pages if leaks(scene, page.text)] == []
    assert [page.address for page in pages if page.status >= 500] == []
    assert snapshot(scene.beta) == before


@pytest.fixture
def no_policies(scene: Scene) -> Iterator[None]:
    """Wall 2 gone from two tables of this worker's own database, until the test is over."""
    tables = ("accounts_user", "tenants_group")
    with shared_cluster().connect(database()) as opened:
        for table in tables:
            opened.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY".encode())
        try:
            yield
        finally:
            for table in tables:
                opened.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY".encode())


@pytest.mark.django_db(transaction=True)
def test_a_leak_would_be_seen(scene: Scene, no_policies: None, no_filter: None) -> None:
    """With both walls gone the same pages, probes and questions of above do find beta."""
    client = administrator(scene, scene.acme.host)
    [people] = [each for each in parametrized() if each.template == PERSON]

    unknown = asked_at_random(client, "GET", people)
    theirs = likeliest(scene, people)

    assert not is_unknown(scene, client, "GET", people, theirs, unknown)
    assert any(leaks(scene, page.text) for page in crawl(client, "/admin/tenants/group/"))
    with tenant_context(scene.acme.id):
        assert ORM_READS["get"](User, theirs)


PERSON = "/admin/accounts/user/%(object_id)s/change/"
