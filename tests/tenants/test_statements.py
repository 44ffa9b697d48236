"""The first statement of a transaction, whichever it is, takes the sentence along that tells the
tenant."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from tenants.models import Domain
from tenants.statements import numbered, run
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


def test_marks_become_numbers_and_a_percent_sign_stays_one() -> None:
    assert numbered("a = %s AND b LIKE 'x%%' AND c = %s") == "a = $1 AND b LIKE 'x%' AND c = $2"
