"""The first statement of a transaction, whichever it is, takes the sentence along that tells the
tenant."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tenants.models import Domain
from tenants.statements import numbered, run
from tenants.together import Changes, Reading
from tests.cast import Acme, Beta


def _read_by_hand() -> list[str]:
    with run("SELECT user_id FROM accounts_user ORDER BY user_id", []) as cursor:
        return [user_id for (user_id,) in cursor.fetchall()]


def _read_piece_by_piece() -> list[str]:
    return [user.user_id for user in User.objects.order_by("user_id").iterator(chunk_size=2)]


def _read_in_a_savepoint() -> list[str]:
    with transaction.atomic():
        return [user.user_id for user in User.objects.order_by("user_id")]


def _read_after_many() -> list[str]:
    with connection.cursor() as cursor:
        rename = "UPDATE accounts_user SET surname = %s WHERE user_id = %s"
        cursor.executemany(rename, [("Adams", "nobody"), ("Brown", "nobody else")])
    return _read_by_hand()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "read", [_read_by_hand, _read_piece_by_piece, _read_in_a_savepoint, _read_after_many]
)
def test_whatever_comes_first_sees_the_rows_of_the_tenant_and_no_others(
    acme: Acme, beta: Beta, read: Callable[[], list[str]]
) -> None:
    with acme.inside():
        found = read()

    assert acme.alice.user_id in found
    assert beta.alice.user_id not in found
    assert _read_by_hand() == []


@pytest.mark.django_db(transaction=True)
def test_a_first_statement_that_fails_in_a_savepoint_leaves_the_tenant_told(acme: Acme) -> None:
    with acme.inside():
        with pytest.raises(IntegrityError), transaction.atomic():
            Domain.objects.bulk_create([Domain(name="two.example"), Domain(name="two.example")])

        assert acme.alice.user_id in _read_by_hand()


@pytest.mark.django_db(transaction=True)
def test_a_reading_tells_the_tenant_in_its_own_text_and_only_the_first_one(
    acme: Acme, beta: Beta
) -> None:
    people = Reading(lambda: (User.objects.all(), Domain.objects.all()))
    with CaptureQueriesContext(connection) as queries, acme.inside():
        [first, domains] = people.rows()
        [second, _] = people.rows()

    told, plain = [query["sql"] for query in queries if "accounts_user" in query["sql"]]
    assert ("set_config" in told, "set_config" in plain) == (True, False)
    assert len(queries) == len([told, plain]) + len(["BEGIN", "COMMIT"])
    assert {user.pk for user in first} == {user.pk for user in second}
    assert acme.alice.pk in {user.pk for user in first}
    assert beta.alice.pk not in {user.pk for user in first}
    assert {domain.tenant_id for domain in domains} == {acme.id}
    assert _read_by_hand() == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [1, 3])
def test_changes_that_come_first_tell_the_tenant_and_belong_to_it(
    acme: Acme, beta: Beta, number: int
) -> None:
    names = [f"name{each}.example" for each in range(number)]
    with CaptureQueriesContext(connection) as queries, acme.inside():
        changes = Changes()
        changes.add(*(Domain(name=name) for name in names[:1]))
        for name in names[1:]:
            changes.execute(
                "UPDATE tenants_domain SET verified = verified WHERE name <> %s", [name]
            )
        changes.write()

    # What looks for its rows is planned by the tenant that PostgreSQL knows.
    told = ["the tenant"] if number > 1 else []
    assert len(queries) == len(["BEGIN", *told, "the changes", "COMMIT"])
    with acme.inside():
        assert Domain.objects.filter(name=names[0]).exists()
    with beta.inside():
        assert not Domain.objects.filter(name=names[0]).exists()


@pytest.mark.django_db(transaction=True)
def test_changes_that_come_first_reach_no_row_of_another_tenant(acme: Acme, beta: Beta) -> None:
    rename = "UPDATE tenants_domain SET name = 'taken-' || name WHERE name LIKE %s"
    with acme.inside():
        changes = Changes()
        changes.execute(rename, ["%"])
        changes.write()

    with beta.inside():
        assert not Domain.objects.filter(name__startswith="taken-").exists()
    with acme.inside():
        assert Domain.objects.filter(name__startswith="taken-").exists()


def test_whose_host_it_is_is_planned_once_a_connection(db: None) -> None:
    """A function in SQL is planned anew each time it is called."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.lanname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang"
            " WHERE p.proname = 'sspr_find_tenant'"
        )
        assert cursor.fetchall() == [("plpgsql",)]


def test_marks_become_numbers_and_a_percent_sign_stays_one() -> None:
    assert numbered("a = %s AND b LIKE 'x%%' AND c = %s") == "a = $1 AND b LIKE 'x%' AND c = $2"
