"""Functions that run as another role: what each can tell a customer about another one (R-3).

Most answer with ids; any other answers only while the installation's own row is in force. They are
found in the catalogue, so a function added later is called too.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from tenants.context import tenant_context
from tenants.services import get_platform
from tests.cast import Acme, Beta
from tests.isolation.catalogue import DEFINERS, IDS
from tests.services.postgres import RUNTIME
from tests.services.session import database, shared_cluster

ARGUMENTS = """
SELECT coalesce(array_agg(t.typname::text ORDER BY k.place) FILTER (WHERE t.oid IS NOT NULL), '{}')
FROM pg_proc p LEFT JOIN unnest(p.proargtypes) WITH ORDINALITY k(type, place) ON true
LEFT JOIN pg_type t ON t.oid = k.type WHERE p.proname = %s AND p.prosecdef GROUP BY p.oid
"""
TEXTS = ("", "slug", "beta", "domain", "beta.example")


def values_of(kind: str, beta: Beta) -> tuple[Any, ...]:
    """What is tried for an argument of this type."""
    known: dict[str, tuple[Any, ...]] = {
        "uuid": (beta.id, None),
        "text": TEXTS,
        "varchar": TEXTS,
        "timestamptz": (datetime(2100, 1, 1, tzinfo=UTC),),
        "bytea": (bytes(32),),
        "bool": (True, False),
    }
    return known.get(kind, (1_000,))


def answers(cursor: Any, name: str, beta: Beta) -> Iterator[tuple[Any, ...]]:
    """Everything the function says to every mixture of arguments."""
    cursor.execute(ARGUMENTS, [name])
    [kinds] = cursor.fetchone()
    for values in product(*(values_of(kind, beta) for kind in kinds)):
        marks = sql.SQL(", ").join(
            sql.SQL("{}::{}").format(sql.Placeholder(), sql.Identifier(kind)) for kind in kinds
        )
        cursor.execute(sql.SQL("SELECT * FROM {}({})").format(sql.Identifier(name), marks), values)
        yield from cursor.fetchall()


def told(beta: Beta) -> dict[str, list[tuple[Any, ...]]]:
    """What each function says now, by name."""
    with connection.cursor() as cursor:
        cursor.execute(DEFINERS)
        names = [row[0] for row in cursor.fetchall()]
        return {name: list(answers(cursor, name, beta)) for name in names}


def more_than_ids() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(DEFINERS)
        return {row[0] for row in cursor.fetchall() if row[1] not in IDS}


@pytest.mark.django_db
def test_a_customer_hears_nothing_but_ids(acme: Acme, beta: Beta) -> None:
    get_platform()
    with acme.inside():
        to_acme = told(beta)
    to_nobody = told(beta)

    for found in (to_acme, to_nobody):
        assert found["sspr_tenants"], "the functions are called rightly"
        said = {name: rows for name, rows in found.items() if name in more_than_ids()}
        assert {name: rows for name, rows in said.items() if rows} == {}
        values = {v for name in found.keys() - said.keys() for row in found[name] for v in row}
        assert {type(value) for value in values} <= {UUID, type(None)}


@pytest.mark.django_db
def test_the_installation_hears_more(acme: Acme, beta: Beta) -> None:
    """Else the functions might be silent for another reason."""
    with tenant_context(get_platform()):
        found = told(beta)

    assert {name for name in more_than_ids() if not found[name]} == set()


def test_a_function_that_tells_more_is_heard(acme: Acme, beta: Beta) -> None:
    """One that is made for a moment, without a guard, in a transaction that is rolled back."""
    with psycopg.connect(shared_cluster().superuser_url(database())) as opened:
        cursor = opened.cursor()
        cursor.execute(
            "CREATE FUNCTION spy(name text) RETURNS TABLE (found text) SECURITY DEFINER"
            " LANGUAGE sql AS $$ SELECT 'heard' WHERE name = 'slug' $$"
        )
        cursor.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(RUNTIME)))
        assert list(answers(cursor, "spy", beta)) == [("heard",)]
        opened.rollback()
