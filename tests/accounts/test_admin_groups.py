"""Groups edited on the administration site: names, members, groups inside groups, removal."""

import html

import pytest

from accounts.groups import is_in_group
from tenants.context import tenant_context
from tenants.models import Group, GroupNesting, ResetPolicy
from tests.tenants.admin.cast import House, canary, contoso
from tests.tenants.admin.desk import Desk, colleague, is_saved, row_page, trail
from tests.tenants.admin.test_policy_editor import errors_at

pytestmark = pytest.mark.django_db
TABLE = "tenants/group"


@pytest.fixture
def own() -> House:
    return contoso()


@pytest.fixture
def desk(own: House) -> Desk:
    return Desk(own.admin)


def group_of(house: House, name: str) -> Group:
    with tenant_context(house.tenant):
        found: Group = Group.objects.get(name=name)
        return found


def page_of(house: House, name: str, more: str) -> str:
    return f"{TABLE}/{group_of(house, name).pk}/{more}"


def test_a_group_is_added_and_renamed_under_a_name_that_is_free(own: House, desk: Desk) -> None:
    taken = desk.send(f"{TABLE}/add/", name="A staff")
    added = desk.send(f"{TABLE}/add/", name="pilot")
    clash = desk.send(page_of(own, "pilot", "change/"), name="A staff")
    renamed = desk.send(page_of(own, "pilot", "change/"), name="pioneers")

    assert "a group of this name already" in errors_at(taken.content.decode(), "name")
    assert "a group of this name already" in errors_at(clash.content.decode(), "name")
    assert is_saved(added)
    assert is_saved(renamed)
    assert [event.data for event in trail(own, "group.created")] == [{"name": "pilot"}]
    assert [event.data for event in trail(own, "group.renamed")] == [
        {"name": "pioneers", "before": "pilot"}
    ]


def test_members_are_added_and_taken_out_by_user_id(own: House, desk: Desk) -> None:
    other = canary()
    join, leave = (page_of(own, "A inner", more) for more in ("join/", "leave/"))

    nobody = desk.send(join, people=f"{own.person}\n{other.person}")
    empty = desk.send(join)
    added = desk.send(join, people=f"{own.person.upper()}\n\n{own.admin}")
    taken = desk.send(leave, person=own.admin)

    assert "See line 2." in errors_at(nobody.content.decode(), "people")
    assert "Name a person" in errors_at(empty.content.decode(), "person")
    assert is_saved(added)
    assert is_saved(taken)
    with tenant_context(own.tenant):
        assert is_in_group(own.rows["accounts/user"], group_of(own, "A inner").pk)
    assert sorted(event.target_label for event in trail(own, "group.member_added")) == sorted(
        [own.person, own.admin]
    )
    assert [event.target_label for event in trail(own, "group.member_removed")] == [own.admin]


def test_a_circle_of_groups_is_refused_at_the_field(own: House, desk: Desk) -> None:
    desk.send(f"{TABLE}/add/", name="third")

    assert is_saved(desk.send(page_of(own, "A inner", "nest/"), inner="third"))
    itself = desk.send(page_of(own, "third", "nest/"), inner="third")
    round_trip = desk.send(page_of(own, "third", "nest/"), inner="A staff")

    for refused in (itself, round_trip):
        assert "inside itself" in errors_at(refused.content.decode(), "inner")
    with tenant_context(own.tenant):
        assert GroupNesting.objects.count() == 2
    assert is_saved(
        desk.send(page_of(own, "A inner", "unnest/"), inner=str(group_of(own, "third").pk))
    )
    assert [event.data for event in trail(own, "group.unnested")] == [
        {"name": "A inner", "inner": "third"}
    ]


def test_a_group_of_another_tenant_is_neither_put_in_nor_taken_out(own: House, desk: Desk) -> None:
    other = canary()
    theirs = group_of(other, "BETA-CANARY staff")

    for value in (theirs.name, str(theirs.pk)):
        answer = desk.send(page_of(own, "A inner", "nest/"), inner=value)
        assert "no group of this name" in errors_at(answer.content.decode(), "inner")
    answer = desk.send(page_of(own, "A staff", "unnest/"), inner=str(theirs.pk))
    assert "not one of the available choices" in errors_at(answer.content.decode(), "inner")


def test_a_group_is_not_removed_while_the_policy_points_at_it(own: House, desk: Desk) -> None:
    page = page_of(own, "A staff", "remove/")
    with tenant_context(own.tenant):
        ResetPolicy.objects.update(group=group_of(own, "A staff"), enabled="selected")

    refused = desk.send(page)
    with tenant_context(own.tenant):
        ResetPolicy.objects.update(group=None, enabled="all")
    removed = desk.send(page)

    assert "The reset policy lets this group reset" in html.unescape(refused.content.decode())
    assert is_saved(removed)
    with tenant_context(own.tenant):
        assert not Group.objects.filter(name="A staff").exists()
    assert [event.data for event in trail(own, "group.removed")] == [
        {"name": "A staff", "members": 1}
    ]


@pytest.mark.parametrize(
    ("role", "status"),
    [("groups_administrator", 302), ("helpdesk_administrator", 403), ("global_reader", 403)],
)
def test_groups_take_their_own_permission(role: str, status: int, own: House) -> None:
    someone = colleague(own, role)

    answer = someone.post(row_page(own, TABLE), {"name": "renamed"})

    assert answer.status_code == status
    with tenant_context(own.tenant):
        assert Group.objects.filter(name="renamed").exists() is (status == 302)


def test_suggestions_carry_what_the_field_takes(own: House, desk: Desk) -> None:
    query = {"app_label": "tenants", "model_name": "resetpolicy", "field_name": "group"}

    answer = desk.client.get("/admin/autocomplete/", {**query, "term": "A st"})

    assert [found["value"] for found in answer.json()["results"]] == ["A staff"]
