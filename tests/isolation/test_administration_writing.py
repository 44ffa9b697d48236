"""What the forms and actions of every administration site take: nothing of another tenant.

Generated from the registries of the sites (R-4; A-085, A-086, A-088): each form is filled in as
its page shows it, with another tenant's ids where a row is chosen, or with fields it does not have.
"""

from typing import Any

from django.test import Client

from accounts.models import GroupMember
from tenants.admin import TenantModelAdmin, tenant_site
from tenants.models import AuditEvent
from tests.isolation.answers import text_of
from tests.isolation.canary import Scene, leaks, state
from tests.isolation.tables import (
    Table,
    accepts,
    columns,
    filled_in,
    forms_of,
    ids_of_target,
    own_tables,
    pages_of,
    pointed_at,
    relation_fields,
    relations,
    request_of,
)


def test_no_form_offers_or_takes_the_other_tenants_rows(
    client_of_acme: Client, scene: Scene
) -> None:
    found = own_tables(client_of_acme)

    with scene.acme.inside():
        problems = [problem for each in found for problem in form_problems(each, scene)]

    assert problems == []


def form_problems(table: Table, scene: Scene) -> list[str]:
    """Fields of the table's forms in which a row of beta could be seen or chosen."""
    request = request_of(scene.acme.carol, scene)
    row = table.model._default_manager.first()
    fields = [
        (f"{table.label}.{name}", each)
        for form in forms_of(table, request, row)
        for name, each in relation_fields(form).items()
    ]
    made = [
        (f"{table.label}.{each.name}", table.model_admin.formfield_for_dbfield(each, request))
        for each in relations(table.model)
    ]
    return [
        name for name, field in (*fields, *made) if field is not None and is_open_to(field, scene)
    ]


def is_open_to(field: Any, scene: Scene) -> bool:
    theirs = ids_of_target(scene.theirs, field)
    shown = {str(getattr(value, "value", value)) for value, _ in field.choices}
    taken = [pk for pk in theirs if accepts(field, pk)]
    return bool(taken or shown & {str(pk) for pk in theirs})


class MemberAdmin(TenantModelAdmin):
    """An administration that edits, so that its forms have something to choose."""

    fields = ("group", "user")


def test_a_form_that_is_there_is_looked_into(scene: Scene) -> None:
    table = Table(MemberAdmin(GroupMember, tenant_site))
    request = request_of(scene.acme.carol, scene)

    with scene.acme.inside():
        [to_add, to_change] = forms_of(table, request, GroupMember.objects.first())
        fields = relation_fields(to_add)
        assert form_problems(table, scene) == []
        assert accepts(fields["user"], scene.acme.bob.pk)
        assert not accepts(fields["user"], scene.beta.bob.pk)

    assert set(fields) == set(relation_fields(to_change)) == {"group", "user"}


def test_a_form_with_the_other_tenants_ids_saves_nothing(
    client_of_acme: Client, scene: Scene
) -> None:
    """Beta's ids in every field that names a row, in forms that are right otherwise (A-085)."""
    for table in own_tables(client_of_acme):
        foreign = {
            name: str(scene.theirs[each.related_model][0])
            for each in relations(table.model)
            if each.related_model in scene.theirs
            for name in (each.name, each.attname if each.concrete else each.name)
        }
        for page in pages_of(table, scene):
            values = filled_in(client_of_acme, page)
            shown = {name: value for name, value in foreign.items() if name in values}
            before = state(scene)
            answer = client_of_acme.post(page, {**values, **(shown or foreign)})
            assert not leaks(scene, text_of(answer), *foreign.values()), page
            after = state(scene)
            if shown:
                assert answer.status_code in {200, 400, 403, 404, 405}, page
                assert after == before, page
            assert of_beta(scene, after) == of_beta(scene, before), page
            assert pointed_at(table, scene).isdisjoint(scene.foreign), page


def of_beta(scene: Scene, found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name.startswith(scene.beta.domain)}


PROTECTED = {
    "tenant": "",
    "tenant_id": "",
    "id": "",
    "is_staff": "on",
    "is_superuser": "on",
    "role": "global_administrator",
    "session_epoch": "99",
    "created_at_0": "2001-01-01",
    "created_at_1": "00:00:00",
    "locked_until": "",
    "frozen_at": "",
    "password": "x",
    "platform": "on",
    "version": "99",
}


def test_a_form_with_fields_it_does_not_have_writes_none_of_them(
    client_of_acme: Client, scene: Scene
) -> None:
    """Mass assignment (A-088): what a form does not show, it does not write."""
    for table in own_tables(client_of_acme):
        for page in pages_of(table, scene):
            values = filled_in(client_of_acme, page)
            own = protected_values(table, scene)
            added = {k: v or str(scene.beta.id) for k, v in PROTECTED.items() if k not in values}
            answer = client_of_acme.post(page, {**values, **added})
            assert answer.status_code < 500, page
            assert protected_values(table, scene) == own, page


def protected_values(table: Table, scene: Scene) -> list[Any]:
    names = [
        each.attname
        for each in columns(table.model)
        if each.concrete
        and each.name in {"id", "tenant", "session_epoch", "created_at", "platform", "password"}
    ]
    with scene.acme.inside():
        pks = scene.own[table.model]
        rows = table.model._default_manager.filter(pk__in=pks).order_by("pk")
        return list(rows.values_list(*names))


def test_no_action_touches_the_other_tenants_rows(client_of_acme: Client, scene: Scene) -> None:
    """Every action of every list, and those that are not offered, with beta's ids (A-086)."""
    before = state(scene)
    refused = asked = 0
    for table in own_tables(client_of_acme):
        with scene.acme.inside():
            request = request_of(scene.acme.carol, scene)
            actions = [*table.model_admin.get_actions(request), "delete_selected"]
        asked += len(set(actions))
        for action in dict.fromkeys(actions):
            for across in ("0", "1"):
                data = {
                    "action": action,
                    "select_across": across,
                    "index": "0",
                    "post": "yes",
                    "_selected_action": [str(pk) for pk in scene.theirs[table.model]],
                }
                answer = client_of_acme.post(table.list_url, data)
                refused += answer.status_code == 403
                assert not leaks(scene, text_of(answer), *data["_selected_action"]), table.label

    assert state(scene) == before
    assert refused == 2 * asked > 0
    with scene.acme.inside():
        assert AuditEvent.objects.filter(type="admin.denied").count() == refused
