"""Wall 1: no table of a tenant is read or written without a tenant, nor another tenant's row."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, models, transaction

from accounts.models import ContactPoint, User
from tenants.context import NoTenant, OtherTenant, tenant_context
from tenants.models import Group, Subscription, Tenant
from tenants.scoping import TenantManager, TenantModel, tenant_models
from tests.cast import Acme, Beta, make_group
from tests.isolation.rows import make_rows

MODELS = sorted(tenant_models(), key=lambda model: model._meta.label)
READS: dict[str, Callable[[Any], object]] = {
    "all": lambda rows: list(rows.all()),
    "first": lambda rows: rows.first(),
    "get": lambda rows: rows.get(pk="00000000-0000-4000-8000-000000000000"),
    "count": lambda rows: rows.count(),
    "exists": lambda rows: rows.exists(),
    "aggregate": lambda rows: rows.aggregate(n=models.Count("pk")),
    "values": lambda rows: list(rows.values_list("pk")),
    "iterator": lambda rows: list(rows.iterator()),
    "in_bulk": lambda rows: rows.in_bulk(),
    "filter": lambda rows: list(rows.filter(pk="00000000-0000-4000-8000-000000000000")),
    "exclude": lambda rows: list(rows.exclude(pk="00000000-0000-4000-8000-000000000000")),
    "union": lambda rows: list(rows.all().union(rows.all())),
    "raw": lambda rows: list(rows.raw("SELECT 1 AS id")),
    "subquery": lambda rows: Tenant.objects.filter(pk__in=rows.values("tenant_id")).exists(),
}
WRITES: dict[str, Callable[[Any], object]] = {
    "update": lambda rows: rows.update(id="00000000-0000-4000-8000-000000000000"),
    "delete": lambda rows: rows.all().delete(),
    "create": lambda rows: rows.create(),
    "get_or_create": lambda rows: rows.get_or_create(pk="00000000-0000-4000-8000-000000000000"),
    "bulk_create": lambda rows: rows.bulk_create([rows.model()]),
    "bulk_update": lambda rows: rows.bulk_update([rows.model()], ["id"]),
    "save": lambda rows: rows.model().save(),
    "delete one": lambda rows: rows.model().delete(),
    "refresh": lambda rows: rows.model().refresh_from_db(),
}


def label(model: type[models.Model]) -> str:
    return model._meta.label


def test_the_list_of_models_is_not_empty_and_holds_what_matters() -> None:
    assert {User, ContactPoint, Group, Subscription} <= set(MODELS)


@pytest.mark.django_db
@pytest.mark.parametrize("way", READS)
@pytest.mark.parametrize("model", MODELS, ids=label)
def test_a_read_without_a_tenant_raises(model: type[TenantModel], way: str) -> None:
    with pytest.raises(NoTenant):
        READS[way](model.objects)


@pytest.mark.django_db
@pytest.mark.parametrize("way", WRITES)
@pytest.mark.parametrize("model", MODELS, ids=label)
def test_a_write_without_a_tenant_raises(model: type[TenantModel], way: str) -> None:
    with pytest.raises(NoTenant):
        WRITES[way](model.objects)


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_django_itself_uses_the_same_manager(model: type[TenantModel]) -> None:
    assert isinstance(model._base_manager, TenantManager)
    assert isinstance(model._default_manager, TenantManager)
    assert not hasattr(model, "unscoped")


@pytest.mark.django_db
@pytest.mark.parametrize("way", ["first", "count", "exists"])
def test_the_tenants_own_row_needs_a_tenant_too(way: str) -> None:
    with pytest.raises(NoTenant):
        READS[way](Tenant.objects)


def test_relations_are_not_followed_without_a_tenant(acme: Acme) -> None:
    with acme.inside():
        alice = User.objects.get(pk=acme.alice.pk)

    with pytest.raises(NoTenant):
        _ = alice.licence
    with pytest.raises(NoTenant):
        alice.contacts.count()
    with pytest.raises(NoTenant):
        alice.refresh_from_db()


def test_a_queryset_shows_the_tenant_in_whose_context_it_is_read(acme: Acme, beta: Beta) -> None:
    """A form field or admin class may build one at import; it means nobody's rows until then."""
    everybody = User.objects.order_by("user_id").values_list("user_id", flat=True)

    with acme.inside():
        here = list(everybody.all())
    with beta.inside():
        there = list(everybody.all())

    assert "alice@acme.example" in here
    assert there == ["alice@beta.example", "bob@beta.example"]


@pytest.mark.parametrize("model", MODELS, ids=label)
def test_no_row_of_another_tenant_is_found_changed_or_removed(
    model: type[TenantModel], acme: Acme, beta: Beta
) -> None:
    with beta.inside():
        row = make_rows(beta)[model]

    with acme.inside():
        assert not model.objects.filter(pk=row.pk).exists()
        with pytest.raises(model.DoesNotExist):
            model.objects.get(pk=row.pk)
        with pytest.raises(model.DoesNotExist):
            model._base_manager.get(pk=row.pk)
        with pytest.raises(OtherTenant):
            row.save()
        with pytest.raises(OtherTenant):
            row.delete()
        with pytest.raises(OtherTenant):
            model.objects.bulk_create([row])
        with pytest.raises(OtherTenant):
            model.objects.bulk_update([row], ["id"])
    with beta.inside():
        assert model.objects.filter(pk=row.pk).exists()


def test_updates_and_deletes_by_key_pass_over_another_tenants_row(acme: Acme, beta: Beta) -> None:
    with acme.inside():
        assert User.objects.filter(pk=beta.alice.pk).update(display_name="taken") == 0
        assert ContactPoint.objects.filter(user_id=beta.alice.pk).delete()[0] == 0

    with beta.inside():
        beta.alice.refresh_from_db()
        assert beta.alice.display_name != "taken"
        assert beta.alice.contacts.count() == 3


@pytest.mark.parametrize("name", ["tenant", "tenant_id"])
def test_no_statement_moves_rows_to_another_tenant(name: str, acme: Acme, beta: Beta) -> None:
    with acme.inside():
        with pytest.raises(OtherTenant):
            User.objects.update(**{name: beta.id})
        with pytest.raises(OtherTenant):
            User.objects.bulk_update([acme.alice], [name])


def test_a_row_is_not_moved_by_writing_its_tenant(acme: Acme, beta: Beta) -> None:
    with acme.inside():
        alice = User.objects.get(pk=acme.alice.pk)
        alice.tenant_id = beta.id
        with pytest.raises(OtherTenant):
            alice.save()

    # Under the other tenant it looks like a new row whose key is taken.
    with beta.inside(), pytest.raises((IntegrityError, DatabaseError)), transaction.atomic():
        alice.save()

    with acme.inside():
        assert User.objects.filter(pk=acme.alice.pk).exists()


def test_an_upsert_names_the_tenant_or_is_refused(acme: Acme, beta: Beta) -> None:
    with beta.inside():
        theirs = make_group("shared name")

    with acme.inside():
        with pytest.raises(OtherTenant):
            Group.objects.bulk_create(
                [Group(id=theirs.id, name="taken over")],
                update_conflicts=True,
                unique_fields=["id"],
                update_fields=["name"],
            )
        Group.objects.bulk_create(
            [Group(name="shared name")],
            update_conflicts=True,
            unique_fields=["tenant", "name"],
            update_fields=["name"],
        )
        assert Group.objects.get(name="shared name").pk != theirs.pk


def test_rows_of_the_tenant_in_force_are_changed_and_removed(acme: Acme) -> None:
    with acme.inside():
        group, other = make_group("one"), make_group("two")
        group.name = "renamed"
        assert Group.objects.bulk_update([group], ["name"], 10) == 1
        assert other.delete()[0] == 1
        assert [row.name for row in Group.objects.all()] == ["renamed"]


def test_a_new_row_belongs_to_the_tenant_in_force(acme: Acme) -> None:
    with acme.inside():
        by_save = make_group("saved")
        [by_bulk] = Group.objects.bulk_create([Group(name="bulk")])

    assert by_save.tenant_id == by_bulk.tenant_id == acme.id


def test_contexts_of_two_tenants_do_not_nest(acme: Acme, beta: Beta) -> None:
    with acme.inside():
        with acme.inside():
            assert User.objects.exists()
        with pytest.raises(OtherTenant), tenant_context(beta.id):
            pytest.fail("a second tenant came into force")
        assert User.objects.filter(pk=acme.alice.pk).exists()


def test_a_context_needs_an_id_and_no_name() -> None:
    with pytest.raises(NoTenant), tenant_context("acme"):  # type: ignore[arg-type]  # on purpose
        pytest.fail("a name came into force")


def test_after_an_exception_no_tenant_is_in_force(acme: Acme) -> None:
    def fail() -> None:
        with acme.inside():
            make_group("half done")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    with pytest.raises(NoTenant):
        User.objects.count()
    with acme.inside():
        assert not Group.objects.filter(name="half done").exists()
