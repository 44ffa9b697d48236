"""Several tables in one statement: the rows are those that single queries give, walls included."""

from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from accounts.models import AuthenticatorDevice, ContactPoint, QuestionAnswer, User
from tenants.context import NoTenant, OtherTenant, tenant_context, tenant_reading
from tenants.models import Domain, ResetPolicy, Subscription, Tenant
from tenants.together import Change, Changes, Given, Reading
from tests.cast import Acme, Organisation


def test_rows_of_many_tables_come_back_as_single_queries_give_them(acme: Acme) -> None:
    models: tuple[Any, ...] = (Tenant, ResetPolicy, Subscription, Domain, User, ContactPoint)
    with acme.inside():
        Tenant.objects.get()
        with CaptureQueriesContext(connection) as queries:
            found = Reading(lambda: [model.objects.all() for model in models]).rows()
        assert len(queries) == 1
        for model, rows in zip(models, found, strict=True):
            ours = {row.pk: _values(row) for row in rows}
            assert ours == {row.pk: _values(row) for row in model.objects.all()}
            assert ours
            assert not any(row._state.adding for row in rows)


def _values(row: object) -> dict[str, object]:
    fields = row._meta.concrete_fields  # type: ignore[attr-defined]  # a model
    values = {field.attname: getattr(row, field.attname) for field in fields}
    return {k: bytes(v) if isinstance(v, memoryview) else v for k, v in values.items()}


def test_columns_can_be_left_out_and_nothing_found_is_nothing(acme: Acme) -> None:
    with acme.inside():
        people, devices, answers = Reading(
            lambda: (
                User.objects.filter(pk=Given("user")).only("pk", "user_id"),
                AuthenticatorDevice.objects.filter(user=Given("user"), confirmed=True),
                QuestionAnswer.objects.filter(user=Given("nobody")),
            )
        ).rows(user=acme.bob.pk, nobody=acme.dave.pk)

    assert [person.user_id for person in people] == [acme.bob.user_id]
    assert people[0].get_deferred_fields() >= {"display_name", "password"}
    assert devices[0].read_seed is not None
    assert answers == []


def test_without_a_tenant_nothing_is_read_and_of_another_tenant_nothing_is_found(
    acme: Acme, beta: Organisation
) -> None:
    people = Reading(lambda: (User.objects.filter(pk=Given("user")),))
    with pytest.raises(NoTenant):
        people.rows(user=acme.bob.pk)
    with acme.inside():
        assert [row.pk for row in people.rows(user=acme.bob.pk)[0]] == [acme.bob.pk]
    with beta.inside():
        assert people.rows(user=acme.bob.pk) == [[]]


@pytest.mark.django_db(transaction=True)
def test_reading_needs_no_transaction_and_leaves_no_tenant_behind(
    acme: Acme, beta: Organisation
) -> None:
    people = Reading(lambda: (User.objects.filter(pk=Given("user")),))
    with tenant_reading(acme.id):
        with CaptureQueriesContext(connection) as queries:
            [found] = people.rows(user=acme.bob.pk)
        assert not {query["sql"] for query in queries} & {"BEGIN", "COMMIT"}
        assert len(queries) == 1
        assert [row.pk for row in found] == [acme.bob.pk]
        assert list(User.objects.all()) == []  # the database was not told
        with tenant_context(acme.id):
            assert User.objects.filter(pk=acme.bob.pk).exists()
        with pytest.raises(OtherTenant), tenant_reading(beta.id):
            people.rows(user=acme.bob.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_user")
        assert cursor.fetchone()[0] == 0


def test_changes_of_many_tables_are_one_statement(acme: Acme) -> None:
    with acme.inside():
        contact = ContactPoint.objects.get(user=acme.bob, kind="alternate_email")
        rows = ContactPoint.objects.filter(pk=Given("contact"))
        raising = Change(lambda: rows, version=F("version") + 1)
        forgetting = Change(lambda: QuestionAnswer.objects.filter(user=Given("user")))
        changes = Changes()
        changes.add(Domain(name="one.example"), Domain(name="two.example"))
        acme.bob.display_name = "Robert"
        changes.update(acme.bob, "display_name")
        acme.bob.given_name = "Rob"
        changes.update(acme.bob, "given_name")
        changes.execute(*raising.of(contact=contact.pk))
        changes.execute(*forgetting.of(user=acme.alice.pk))
        with CaptureQueriesContext(connection) as queries:
            changes.write()
        assert len(queries) == 1
        changes.write()  # nothing is left to write

        assert Domain.objects.filter(name__in=["one.example", "two.example"]).count() == 2
        bob = User.objects.get(pk=acme.bob.pk)
        assert (bob.display_name, bob.given_name) == ("Robert", "Rob")
        assert ContactPoint.objects.get(pk=contact.pk).version == contact.version + 1
        assert not QuestionAnswer.objects.filter(user=acme.alice).exists()


def test_a_row_that_is_added_takes_its_later_values_along(acme: Acme) -> None:
    with acme.inside():
        changes = Changes()
        domain = Domain(name="new.example", verified=False)
        changes.add(domain)
        domain.verified = True
        changes.update(domain, "verified")
        changes.write()

        assert Domain.objects.get(name="new.example").verified


def test_changes_refuse_rows_of_another_tenant(acme: Acme, beta: Organisation) -> None:
    with beta.inside():
        theirs = Domain.objects.first()
    with acme.inside():
        changes = Changes()
        with pytest.raises(OtherTenant):
            changes.update(theirs, "verified")
        with pytest.raises(OtherTenant):
            changes.add(Domain(name="theirs.example", tenant=beta.tenant))


def test_one_row_as_two_objects_is_refused(acme: Acme) -> None:
    with acme.inside():
        changes = Changes()
        changes.update(User.objects.get(pk=acme.bob.pk), "display_name")
        with pytest.raises(ValueError, match="two objects"):
            changes.update(User.objects.get(pk=acme.bob.pk), "given_name")


def test_when_one_change_fails_none_is_made(acme: Acme) -> None:
    changes = Changes()
    with acme.inside():
        acme.bob.display_name = "Nobody"
        changes.update(acme.bob, "display_name")
        changes.add(Domain(name=acme.domain))
    with pytest.raises(IntegrityError), acme.inside():
        changes.write()

    with acme.inside():
        assert User.objects.get(pk=acme.bob.pk).display_name != "Nobody"


def test_constants_stand_in_the_statement_and_what_is_given_does_not(acme: Acme) -> None:
    """PostgreSQL uses a partial index for a plan that it keeps only where it reads the constant."""
    reading = Reading(
        lambda: (
            User.objects.exclude(source=User.Source.CLOUD).filter(user_id=Given("user_id")),
            User.objects.filter(surname="100 % O'Neill \\ 1", is_active=True).order_by("pk")[:7],
        )
    )
    with acme.inside():
        acme.bob.surname = "100 % O'Neill \\ 1"
        acme.bob.save()
        with CaptureQueriesContext(connection) as queries:
            found = reading.rows(user_id=acme.carol.user_id)
        statement, _, marks = reading._compiled

    assert found == [[], [acme.bob]]
    assert len(queries) == 1
    assert "'cloud'" in statement
    assert not any(isinstance(mark, str | int) for mark in marks)


def test_rows_found_by_a_constant_are_changed(acme: Acme) -> None:
    locked = Change(lambda: User.objects.filter(surname="Brown", pk=Given("user")), is_active=False)
    with acme.inside():
        changes = Changes()
        changes.execute(*locked.of(user=acme.bob.pk))
        changes.execute(*locked.of(user=acme.carol.pk))
        changes.write()
        for person in (acme.bob, acme.carol):
            person.refresh_from_db()

    assert (acme.bob.is_active, acme.carol.is_active) == (False, True)
