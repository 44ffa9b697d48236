"""What a reset may cost, in things that can be counted: hashes, and tables that are read whole."""

import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import argon2._password_hasher
import argon2.low_level
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.config_rows import anchor_of
from accounts.models import ContactPoint, User
from benchmarks.harness.fill import Size, fill
from benchmarks.harness.people import Place
from benchmarks.measured.plans import faults_of, watched
from resets.models import Flow
from resets.services.standing import find_standing
from sspr_project.worker import run_once
from tests.cast import ALICE_EMAIL, NEW_PASSWORD, Acme, Beta, give_primary_email
from tests.plans import nodes_of
from tests.resets.conftest import Post
from tests.resets.visitor import Clock, Visitor
from tests.resets.walks import pass_app, pass_email, set_tenant, to_password
from tests.services.session import database, shared_cluster

PEOPLE, EVENTS = 6_000, 12_000
NEWCOMERS = 400
PLANS = ("force_custom_plan", "force_generic_plan")
PLAN = "EXPLAIN (FORMAT JSON) "
CARRIED_OUT = "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) "
READING = re.compile(r"(SELECT|UPDATE|DELETE|WITH)\b")


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every password hash and key derivation of this process, by name, whoever asks for it."""
    made: list[str] = []

    def count(module: Any, name: str) -> None:
        real: Callable[..., Any] = getattr(module, name)

        def counted(*arguments: Any, **options: Any) -> Any:
            made.append(name)
            return real(*arguments, **options)

        monkeypatch.setattr(module, name, counted)

    count(argon2.low_level, "hash_secret")
    count(argon2._password_hasher, "verify_secret")
    count(hashlib, "pbkdf2_hmac")
    count(hashlib, "scrypt")
    return made


def test_a_reset_makes_one_hash_and_none_before_the_last_proof(
    acme: Acme, visitor: Visitor, post: Post, hashes: list[str]
) -> None:
    to_password(visitor, acme.bob, post)
    before = list(hashes)

    visitor.fill(new_password=NEW_PASSWORD)
    run_once()

    assert visitor.shown.state == "done"
    assert before == []
    assert hashes == ["hash_secret"]


@pytest.mark.parametrize("disclosure", ["guided", "concealed"])
@pytest.mark.parametrize("user_id", ["bob@acme.example", "dave@acme.example", "no@acme.example"])
def test_no_start_of_a_stranger_makes_a_hash(
    acme: Acme, visitor: Visitor, hashes: list[str], disclosure: str, user_id: str
) -> None:
    set_tenant(acme, disclosure=disclosure)

    visitor.start(user_id)
    visitor.get(visitor.path)
    visitor.get("/help/")

    assert hashes == []


@pytest.fixture
def crowd(transactional_db: None, acme: Acme, beta: Beta, clock: Clock, post: Post) -> Acme:
    """Six thousand people in acme, with journeys, messages, counters and sealed events, and as many
    in other tenants: enough that PostgreSQL would rather use an index."""
    with acme.inside():
        give_primary_email(acme.bob, "bob@mail.example")
    first = Visitor(acme.host, clock)
    to_password(first, acme.bob, post)
    first.fill(new_password=NEW_PASSWORD)
    with clock.running():
        run_once()
    size = Size(PEOPLE, 60, EVENTS)
    giant = Place(acme.id, acme.domain, acme.host)
    spread = Place(beta.id, beta.domain, beta.host)
    with shared_cluster().connect(database()) as superuser:
        fill(superuser, size, spread, giant)
        # As they are after a reset that ended well, for the rest of their time.
        superuser.execute("UPDATE tenants_counter SET count = 0, ends_at = '2100-01-01'")
        superuser.execute("VACUUM ANALYZE tenants_counter")
    return acme


def _reset_alice(visitor: Visitor, crowd: Acme, post: Post) -> None:
    """With what the worker does about it."""
    visitor.start(crowd.alice.user_id)
    visitor.fill(method="app_code")
    pass_app(visitor, crowd.alice)
    pass_email(visitor, post, ALICE_EMAIL)
    visitor.fill(new_password=NEW_PASSWORD)
    with visitor.clock.running():
        run_once()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_no_statement_of_a_reset_reads_a_table_whole(crowd: Acme, clock: Clock, post: Post) -> None:
    visitor = Visitor(crowd.host, clock)
    with CaptureQueriesContext(connection) as captured:
        _reset_alice(visitor, crowd, post)

    assert visitor.shown.state == "done"
    statements = [query["sql"] for query in captured]
    assert len(statements) > 30
    assert list(_faults(crowd, statements)) == []
    # A plan that is kept serves the largest tenant as well as the smallest.
    looked_at = [_people_looked_at(crowd, plans) for plans in PLANS]
    assert 0 < max(looked_at) < 50
    unindexed = "SELECT id FROM accounts_user WHERE password = 'x'"
    assert list(_faults(crowd, [unindexed])) != []


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kept", [False, True], ids=["planned anew", "kept"])
def test_no_plan_of_a_reset_reads_in_vain(
    crowd: Acme, clock: Clock, post: Post, *, kept: bool
) -> None:
    connection.close()
    with watched(shared_cluster(), database(), kept=kept) as plans:
        visitor = Visitor(crowd.host, clock)
        _reset_alice(visitor, crowd, post)
        connection.close()

    assert visitor.shown.state == "done"
    assert plans.seen > 50
    assert plans.faults == {}


@pytest.mark.django_db(transaction=True)
def test_a_start_reads_few_people_of_a_table_that_was_never_analysed(
    acme: Acme, visitor: Visitor
) -> None:
    """As after many people were brought in at once, until PostgreSQL looks at the tables itself."""
    with acme.inside():
        many = [User(user_id=f"p{number}@{acme.domain}") for number in range(NEWCOMERS)]
        User.objects.bulk_create(many)
        rows = [ContactPoint(user=user, kind="alternate_email") for user in many]
        for row in rows:
            row.write("somebody@example.net", anchor_of(row.kind, "somebody@example.net"))
        ContactPoint.objects.bulk_create(rows)
    with CaptureQueriesContext(connection) as captured:
        visitor.start(acme.bob.user_id)
        visitor.get(visitor.path)

    read = sum(_people_read(acme, query["sql"]) for query in captured)
    assert 0 < read < 30 * NEWCOMERS, "all of them for each of them would be 160,000"


def _people_looked_at(crowd: Acme, plans: str) -> int:
    """How many people the database goes through to find out where the newest journey stands."""
    with crowd.inside(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL plan_cache_mode = {plans}")
        newest = Flow.objects.latest("started_at")
        before = _people_fetched()
        standing = find_standing(newest.pk, timezone.now())
        assert standing is not None
        assert standing.own is not None
        return _people_fetched() - before


def _people_fetched() -> int:
    """How many rows of people this transaction has looked at."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables"
            " WHERE relname = 'accounts_user'"
        )
        [[found]] = cursor.fetchall()
    return int(found)


def _people_read(acme: Acme, statement: str) -> float:
    """How many rows of people a statement that only reads goes through, again and again."""
    if not statement.startswith("SELECT"):
        return 0
    read = 0.0
    for node in nodes_of(_plan_of(acme, CARRIED_OUT, statement)):
        if node.get("Relation Name") == "accounts_user":
            rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            read += rows * node["Actual Loops"]
    return read


def _plan_of(acme: Acme, explain: str, statement: str) -> object:
    with acme.inside(), connection.cursor() as cursor:
        cursor.execute(explain + statement.replace("%", "%%"), [])
        [[plan]] = cursor.fetchall()
    return plan


def _faults(crowd: Acme, statements: list[str]) -> Iterator[str]:
    with shared_cluster().connect(database()) as superuser:
        query = "SELECT relname, reltuples FROM pg_class WHERE relkind = 'r'"
        rows: dict[str, float] = dict(superuser.execute(query).fetchall())
    for statement in statements:
        if READING.match(statement):
            for fault in _plan_faults(crowd, statement, rows):
                yield f"{fault}: {statement[:400]}"


def _plan_faults(crowd: Acme, statement: str, rows: dict[str, float]) -> Iterator[str]:
    """What is read only is carried out once more, so that what it reads in vain shows."""
    explain = CARRIED_OUT if statement.startswith("SELECT") else PLAN
    yield from faults_of(next(nodes_of(_plan_of(crowd, explain, statement))), rows)
