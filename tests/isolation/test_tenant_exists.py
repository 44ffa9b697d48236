"""Every row's tenant exists: by a reference of its own, or by one to a row that has it."""

import pytest
from django.db import connection

from tenants.checks import walled_tables

pytestmark = pytest.mark.django_db
BELONGS = """
SELECT count(*) FROM pg_constraint k
JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
WHERE k.conrelid = %s::regclass AND k.contype = 'f' AND k.convalidated
GROUP BY k.oid
HAVING bool_or(a.attname = 'tenant_id') AND bool_and(a.attnotnull)
"""
REFERENCES = """
SELECT array_agg(a.attname::text ORDER BY a.attname = 'tenant_id') FROM pg_constraint k
JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
WHERE k.conrelid = %s::regclass AND k.contype = 'f' GROUP BY k.oid
"""
LEAN = ("tenants_auditpending", "tenants_auditseal", "resets_challenge", "resets_gate")


@pytest.mark.parametrize("table", sorted(set(walled_tables()) - {"tenants_tenant"}))
def test_no_row_is_of_a_tenant_that_is_not_there(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(BELONGS, [table])
        assert cursor.fetchall()


@pytest.mark.parametrize("table", LEAN)
def test_what_grows_fast_is_checked_once_for_each_reference(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(REFERENCES, [table])
        found = [columns for (columns,) in cursor.fetchall()]

    assert found
    assert all(len(columns) == 2 and columns[1] == "tenant_id" for columns in found)
