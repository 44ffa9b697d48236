"""The check of the walls passes as migrated, notices each damage, and is asked at every start."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from django.apps import apps
from django.core import checks
from django.core.management import call_command
from django.db import connections, models
from django.test.utils import isolate_apps
from psycopg import sql

from tenants.checks import (
    every_tenant_column_is_walled,
    refuse_unsafe_start,
    role_errors,
    row_level_security_stands,
    table_errors,
    walled_tables,
)
from tenants.rls import OPS_ROLE
from tests.services.ports import NotReady
from tests.services.postgres import OWNER, RUNTIME
from tests.services.server import ServerProcess
from tests.services.session import ROOT, copy_template, database, shared_cluster

DAMAGED = "sspr_damaged"


@pytest.fixture
def damaged(db: None) -> Iterator[str]:
    """The name of a copy of the database that may be broken."""
    name = f"{DAMAGED}_{database()}"
    copy_template(shared_cluster(), name)
    yield name
    with shared_cluster().connect() as opened:
        opened.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def found_in(name: str, role: str = RUNTIME) -> list[str]:
    """What the checks say about this database, asked as this role."""
    with closing(psycopg.connect(shared_cluster().url(role, name))) as opened:
        cursor = opened.cursor()
        return [str(error.msg) for error in (*role_errors(cursor), *table_errors(cursor))]


def damage(name: str, *statements: str) -> None:
    with shared_cluster().connect(name) as opened:
        for statement in statements:
            opened.execute(statement.encode())


@pytest.mark.django_db
def test_the_walls_stand_as_migrated() -> None:
    assert row_level_security_stands(None, databases=["default"]) == []
    assert every_tenant_column_is_walled(None) == []
    assert len(walled_tables()) > 20
    refuse_unsafe_start()
    call_command("check", databases=["default"])


def test_without_a_database_asked_for_nothing_is_asked() -> None:
    assert row_level_security_stands(None) == []
    assert row_level_security_stands(None, databases=["owner"]) == []


POLICY = "CREATE POLICY tenant_isolation ON accounts_user"
INSIDE = "tenant_id = NULLIF(current_setting('app.tenant', true), '')::uuid"
DROP = "DROP POLICY tenant_isolation ON accounts_user"
DAMAGES = {
    "a dropped policy": ([DROP], "missing or changed"),
    "not forced": (["ALTER TABLE accounts_user NO FORCE ROW LEVEL SECURITY"], "not forced"),
    "switched off": (["ALTER TABLE accounts_user DISABLE ROW LEVEL SECURITY"], "not forced"),
    "reads open": ([DROP, f"{POLICY} USING (true) WITH CHECK ({INSIDE})"], "missing or changed"),
    "writes open": ([DROP, f"{POLICY} USING ({INSIDE}) WITH CHECK (true)"], "missing or changed"),
    "no NULLIF": (
        [DROP, f"{POLICY} USING (tenant_id = current_setting('app.tenant', true)::uuid)"],
        "missing or changed",
    ),
    "reads only": ([DROP, f"{POLICY} FOR SELECT USING ({INSIDE})"], "unexpected policy"),
    "restrictive": (
        [DROP, f"{POLICY} AS RESTRICTIVE USING ({INSIDE}) WITH CHECK ({INSIDE})"],
        "missing or changed",
    ),
    "one more": (["CREATE POLICY more ON accounts_user USING (true)"], "unexpected policy"),
    "one more for writing": (
        [f"CREATE POLICY more ON accounts_user FOR ALL TO {OPS_ROLE} USING (true)"],
        "unexpected policy",
    ),
    "a missing table": (["DROP TABLE accounts_session CASCADE"], "run migrate"),
    "another owner": ([f"ALTER TABLE accounts_user OWNER TO {RUNTIME}"], "runtime role owns it"),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_wall_is_noticed(kind: str, damaged: str) -> None:
    statements, words = DAMAGES[kind]
    assert found_in(damaged) == []

    damage(damaged, *statements)

    [problem] = found_in(damaged)
    assert problem.startswith("accounts_")
    assert words in problem


@pytest.mark.parametrize("role", [OWNER, "postgres"])
def test_a_role_that_could_go_around_is_noticed(role: str, damaged: str) -> None:
    problems = found_in(damaged, role)

    assert "could go around row-level security" in problems[0]
    assert all("owns it" in problem for problem in problems[1:])
    assert len(problems) == 1 + len(walled_tables())


@pytest.mark.parametrize(
    "power", ["BYPASSRLS", "CREATEROLE", "SUPERUSER", "IN ROLE sspr_ops", "IN ROLE {passing}"]
)
@pytest.mark.parametrize("inherits", ["INHERIT", "NOINHERIT"])
def test_a_power_is_noticed_however_it_came(power: str, inherits: str, damaged: str) -> None:
    """A membership that is not inherited still lets the role say SET ROLE."""
    odd, passing = f"sspr_odd_{database()}", f"sspr_passing_{database()}"
    power, password = power.format(passing=passing), shared_cluster().password
    with shared_cluster().connect(damaged) as opened:
        opened.execute(f"CREATE ROLE {passing} NOLOGIN BYPASSRLS".encode())
        opened.execute(f"CREATE ROLE {odd} LOGIN PASSWORD '{password}' {inherits} {power}".encode())
        try:
            assert any("could go around" in problem for problem in found_in(damaged, odd))
        finally:
            opened.execute(f"DROP ROLE {odd}, {passing}".encode())


def test_a_database_without_tables_is_not_migrated(damaged: str) -> None:
    """A database of the same cluster knows the roles, but has none of the tables."""
    damage(damaged, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")

    problems = found_in(damaged)

    assert len(problems) == len(walled_tables())
    assert all("the table is missing; run migrate" in problem for problem in problems)


def test_a_cluster_without_the_roles_is_not_migrated() -> None:
    class Cursor:
        def execute(self, statement: str, values: list[str]) -> None:
            assert values == [OPS_ROLE, OPS_ROLE]

        def fetchone(self) -> tuple[bool, bool]:
            return (False, False)

    assert [error.id for error in role_errors(Cursor())] == ["sspr.E003"]


@pytest.mark.django_db
@isolate_apps("tenants")
def test_a_model_with_a_tenant_must_be_walled(monkeypatch: pytest.MonkeyPatch) -> None:
    class Careless(models.Model):
        tenant = models.ForeignKey("tenants.Tenant", models.CASCADE)

        class Meta:
            app_label = "tenants"

        def __str__(self) -> str:
            return "careless"

    known = list(apps.get_models())
    monkeypatch.setattr(apps, "get_models", lambda: [*known, Careless])

    [error] = every_tenant_column_is_walled(None)
    assert error.id == "sspr.E001"
    assert "Careless" in error.msg
    with pytest.raises(SystemExit):
        refuse_unsafe_start()


def start(arguments: list[str], url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_start_is_refused_with_one_line(damaged: str) -> None:
    damage(damaged, DROP, "ALTER TABLE accounts_contactpoint NO FORCE ROW LEVEL SECURITY")
    url = shared_cluster().url(RUNTIME, damaged)

    done = start(["manage.py", "work", "--once"], url)

    assert done.returncode == 78
    [line] = done.stderr.splitlines()
    assert line.startswith("refusing to start: accounts_")
    assert "(sspr.E005), and 1 more" in line


def test_a_server_ends_instead_of_starting_worker_after_worker(damaged: str) -> None:
    damage(damaged, DROP)
    server = ServerProcess({"DATABASE_URL": shared_cluster().url(RUNTIME, damaged)})

    with pytest.raises(NotReady, match=r"refusing to start: accounts_user: its policy"):
        server.start()


def test_a_database_that_does_not_answer_is_no_safe_start() -> None:
    done = start(
        ["-W", "ignore", "-c", "import sspr_project.wsgi"],
        "postgres://nobody:hunter2@127.0.0.1:1/nothing",
    )

    assert done.returncode == 3
    [line] = done.stderr.splitlines()
    assert "the database can't be asked: OperationalError (sspr.E002)" in line
    assert "hunter2" not in done.stderr + done.stdout


def test_where_there_is_no_second_wall_there_is_nothing_to_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections["default"], "vendor", "sqlite")

    assert row_level_security_stands(None, databases=["default"]) == []


def test_the_checks_are_registered() -> None:
    registered = checks.registry.registry.get_checks(include_deployment_checks=True)

    assert every_tenant_column_is_walled in registered
    assert row_level_security_stands in registered
