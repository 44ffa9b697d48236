"""Rows that were read without a lock are written only in the version that was read."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from tenants.context import OtherTenant, tenant_reading
from tenants.counters import Count, count_up
from tenants.limits import LIMITS
from tenants.models import Counter, Domain
from tenants.together import Change, Changes, Given, Reading
from tenants.versions import ATTRIBUTE, Overtaken, RowVersion, version_of
from tests.cast import Acme, Beta
from tests.concurrency.conftest import NOW, elsewhere

pytestmark = pytest.mark.django_db(transaction=True)
READING = Reading(
    lambda: (User.objects.filter(pk=Given("user")).annotate(**{ATTRIBUTE: RowVersion()}),)
)
SPENDING = Change(lambda: User.objects.filter(pk=Given("user"), surname="Once"), surname="Spent")


@pytest.fixture
def bob(acme: Acme) -> User:
    """Read without a lock."""
    with tenant_reading(acme.id):
        [[found]] = READING.rows(user=acme.bob.pk)
    assert version_of(found)
    row: User = found
    return row


def _rename(acme: Acme, name: str = "Somebody else") -> None:
    with acme.inside():
        User.objects.filter(pk=acme.bob.pk).update(display_name=name)


def _name(acme: Acme) -> str:
    with acme.inside():
        return User.objects.get(pk=acme.bob.pk).display_name


def _held(bob: User) -> Changes:
    changes = Changes()
    changes.hold(bob, "surname")
    return changes


@pytest.mark.parametrize("overtaken", [False, True])
def test_all_changes_are_made_or_none(acme: Acme, bob: User, overtaken: bool) -> None:
    if overtaken:
        elsewhere(lambda: _rename(acme))
    with acme.inside():
        changes = _held(bob)
        bob.display_name = "Robert"
        changes.update(bob, "display_name")
        changes.add(Domain(name="with.example"))
        if overtaken:
            with pytest.raises(Overtaken):
                changes.write(ends=True)
        else:
            changes.write(ends=True)

    assert _name(acme) == ("Somebody else" if overtaken else "Robert")
    with acme.inside():
        assert Domain.objects.filter(name="with.example").exists() is not overtaken


@pytest.mark.parametrize("overtaken", [False, True])
def test_a_try_is_counted_with_the_row_or_not_at_all(
    acme: Acme, bob: User, overtaken: bool
) -> None:
    if overtaken:
        elsewhere(lambda: _rename(acme))
    counts = [Count(LIMITS["failed_proofs"], "bob"), Count(LIMITS["failed_by_address"], "here")]
    with acme.inside():
        if overtaken:
            with pytest.raises(Overtaken):
                count_up(counts, NOW, along=_written_with_surname(bob), ends=True)
        else:
            counted = count_up(counts, NOW, along=_written_with_surname(bob), ends=True)
            assert counted.totals["failed_proofs"][0] == 1

    with acme.inside():
        assert Counter.objects.filter(limit="failed_proofs").exists() is not overtaken


def _written_with_surname(bob: User) -> Changes:
    changes = _held(bob)
    changes.update(bob, "surname")
    return changes


def test_whoever_wrote_the_row_may_write_it_again(acme: Acme, bob: User) -> None:
    for name in ("first.example", "second.example"):
        with acme.inside():
            changes = _held(bob)
            changes.add(Domain(name=name))
            changes.write(ends=True)

    with acme.inside():
        assert Domain.objects.filter(name__in=["first.example", "second.example"]).count() == 2


def test_a_change_beside_the_row_is_noticed_by_whoever_read_the_row(acme: Acme, bob: User) -> None:
    """Both ways of holding it: locked, and in the version that was read."""

    def beside() -> None:
        with acme.inside():
            row = User.objects.select_for_update().get(pk=acme.bob.pk)
            changes = Changes()
            changes.hold(row, "surname")
            changes.add(Domain(name="beside.example"))
            changes.write()

    elsewhere(beside)

    with acme.inside():
        changes = _held(bob)
        changes.add(Domain(name="late.example"))
        with pytest.raises(Overtaken):
            changes.write()


def test_with_nothing_to_write_nothing_is_sent(acme: Acme, bob: User) -> None:
    elsewhere(lambda: _rename(acme))
    with CaptureQueriesContext(connection) as queries, acme.inside():
        _held(bob).write(ends=True)

    assert {query["sql"] for query in queries} <= {"BEGIN", "COMMIT"}


@pytest.mark.parametrize("overtaken", [False, True])
def test_the_row_is_locked_before_any_other_is(acme: Acme, bob: User, overtaken: bool) -> None:
    """Or two that each hold what the other one wants wait for each other."""
    if overtaken:
        elsewhere(lambda: _rename(acme))
    renaming = Domain.objects.filter(name=acme.domain)
    with acme.inside():
        changes = _held(bob)
        if overtaken:
            with pytest.raises(Overtaken):
                renaming.update(verified=False)
            return
        with CaptureQueriesContext(connection) as queries:
            renaming.update(verified=False)
        first, second = [query["sql"] for query in queries]
        assert ("accounts_user" in first, "tenants_domain" in second) == (True, True)
        bob.display_name = "Robert"
        changes.update(bob, "display_name")
        changes.write()

    assert _name(acme) == "Robert"


def _surname(acme: Acme, name: str) -> None:
    with acme.inside():
        User.objects.filter(pk=acme.alice.pk).update(surname=name)


@pytest.mark.parametrize("faster", [False, True])
def test_what_is_spent_once_is_spent_with_the_row(acme: Acme, bob: User, faster: bool) -> None:
    _surname(acme, "Once")
    with acme.inside():
        changes = _held(bob)
        bob.display_name = "Robert"
        changes.update(bob, "display_name")
        assert changes.spend(*SPENDING.of(user=acme.alice.pk))
        if faster:
            elsewhere(lambda: _surname(acme, "Spent"))
            with pytest.raises(Overtaken):
                changes.write(ends=True)
        else:
            changes.write(ends=True)

    assert (_name(acme) == "Robert") is not faster
    with acme.inside():
        assert User.objects.get(pk=acme.alice.pk).surname == "Spent"


@pytest.mark.parametrize("faster", [False, True])
def test_what_is_spent_once_is_spent_before_anything_else_is_sent(
    acme: Acme, bob: User, faster: bool
) -> None:
    _surname(acme, "Once")
    with acme.inside():
        changes = _held(bob)
        assert changes.spend(*SPENDING.of(user=acme.alice.pk))
        if faster:
            elsewhere(lambda: _surname(acme, "Somebody's"))
            with pytest.raises(Overtaken):
                Domain.objects.exists()
        else:
            assert Domain.objects.exists()
            changes.write(ends=True)

    with acme.inside():
        surname = User.objects.get(pk=acme.alice.pk).surname
        assert surname == ("Somebody's" if faster else "Spent")


def test_without_such_a_row_it_is_spent_at_once(acme: Acme) -> None:
    _surname(acme, "Once")
    with acme.inside():
        spending = SPENDING.of(user=acme.alice.pk)

        assert [Changes().spend(*spending) for _ in range(2)] == [True, False]


def test_a_row_of_another_tenant_is_not_held(acme: Acme, beta: Beta, bob: User) -> None:
    with beta.inside(), pytest.raises(OtherTenant):
        _held(bob)


@pytest.mark.parametrize("before", [False, True])
def test_changes_that_are_all_of_a_transaction_are_committed_by_themselves(
    acme: Acme, bob: User, before: bool
) -> None:
    with acme.inside():
        if before:
            assert Domain.objects.exists()
        changes = Changes()
        bob.display_name = "Robert"
        changes.update(bob, "display_name")
        changes.write(ends=True)
        seen = elsewhere(lambda: _name(acme))

    assert (seen == "Robert") is not before
    assert _name(acme) == "Robert"
