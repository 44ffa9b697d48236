"""How statements travel to the database: numbered once, and the first one with its tenant.

Django reads a statement's text each time it is sent, to turn `%s` into the numbers PostgreSQL
wants. What is compiled or written once is numbered once here.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections
from psycopg.pq import TransactionStatus

TOLD = "set_config('app.tenant', %s, true)"
TELL = f"SELECT {TOLD}"


@dataclass
class _Debt:
    """The tenant that PostgreSQL has not been told yet in the transaction that is open, and what
    has to be sent before anything else."""

    tenant: str
    owed: bool = True
    before: Callable[[], None] | None = None


_debt: ContextVar[_Debt | None] = ContextVar("debt", default=None)


def take_debt(*, first: bool = False) -> str | None:
    """The tenant that whoever sends the next statement has to tell with it; nothing when
    PostgreSQL knows. first: the statement is what has to come before any other."""
    debt = _debt.get()
    if debt is None:
        return None
    before, debt.before = debt.before, None
    if before is not None and not first:
        before()
    if not debt.owed:
        return None
    debt.owed = False
    return debt.tenant


def send_before_others(send: Callable[[], None] | None) -> None:
    """Has this called before the next statement of the open transaction, unless that statement
    says itself that it comes first (`take_debt`); nothing takes it back. Only inside
    `told_with_the_first`."""
    debt = _debt.get()
    if debt is not None:
        debt.before = send


@cache
def is_embedded() -> bool:
    """Whether the database is SQLite; asked for every value that is written."""
    return connection.vendor == "sqlite"


@lru_cache(maxsize=1024)
def numbered(statement: str) -> str:
    """`a = %s AND b = %s` as PostgreSQL writes it: `a = $1 AND b = $2`."""
    first, *rest = statement.split("%s")
    parts = [first, *(f"${number}{part}" for number, part in enumerate(rest, start=1))]
    return "".join(parts).replace("%%", "%")


def run(statement: str, values: Sequence[Any]) -> Any:
    """Sends a statement with `%s` marks; the cursor, which the caller closes."""
    # `connection` looks for the thread's own each time that it is asked for anything.
    database: Any = connections[DEFAULT_DB_ALIAS]
    if is_embedded() or database.queries_logged:
        cursor: Any = database.cursor()
        cursor.execute(statement, values)
        return cursor
    database.close_if_health_check_failed()
    database.ensure_connection()
    cursor = database.make_cursor(psycopg.RawCursor(database.connection))
    cursor.execute(numbered(statement), values)
    return cursor


def telling(statement: str, columns: str) -> str:
    """The statement, which reads rows, with the tenant told before its first one.

    `columns` are those of a row that comes before all others, with `{told}` for the telling in one
    of them. PostgreSQL reads the parts of a UNION ALL one after the other; if it ever did not, the
    second wall would show no row.
    """
    told = columns.format(told=f"to_json({TOLD})")
    return f"SELECT {told} UNION ALL SELECT * FROM ({statement}) told"  # noqa: S608 - words of ours


def tell(tenant: str) -> None:
    """Tells the database's row-level security the tenant, for the transaction that is open."""
    if not is_embedded():
        run(TELL, [tenant]).close()


@contextmanager
def told_with_the_first(tenant: str) -> Iterator[None]:
    """The first statement inside takes the tenant along: in its own text, where whoever writes it
    takes the debt, and otherwise as a sentence before it that travels with it.

    COPY goes around Django's cursor and takes nothing along: it finds no tenant, and no row.
    """
    if is_embedded():
        yield
        return
    debt = _Debt(tenant)

    def take_along(
        execute: Callable[..., Any], statement: str, values: Any, many: bool, context: Any
    ) -> Any:
        if take_debt() is None:
            return execute(statement, values, many, context)
        if many or isinstance(context["cursor"].cursor, psycopg.ServerCursor):
            tell(tenant)
            return execute(statement, values, many, context)
        with together():
            tell(tenant)
            return execute(statement, values, many, context)

    token = _debt.set(debt)
    try:
        with connection.execute_wrapper(take_along):
            yield
    finally:
        _debt.reset(token)


@contextmanager
def together() -> Iterator[None]:
    """What is sent inside is answered at its end, all at once."""
    # A lost connection shows at the end of the pipeline, and Django has to learn of it.
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


@contextmanager
def alone() -> Iterator[None]:
    """What is sent inside is all that the transaction sends, and a single statement: where nothing
    was sent before, it is a transaction by itself and goes without BEGIN and COMMIT."""
    raw: Any = None if is_embedded() else connections[DEFAULT_DB_ALIAS].connection
    if raw is None or raw.autocommit or raw.pgconn.transaction_status != TransactionStatus.IDLE:
        yield
        return
    raw.autocommit = True
    try:
        yield
    finally:
        if not raw.closed:
            raw.autocommit = False
