"""The walls of the administration site (R-4, A-084 to A-086): what is crawled is one's own."""

import re
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django import forms
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.admin.models import LogEntry
from django.test import Client

from accounts.models import Session, User
from resets.models import SpentCaptcha
from tenants.admin import TenantModelAdmin, tenant_site
from tenants.admin.checks import site_errors
from tenants.admin.forms import IntentForm
from tenants.admin.intents import EditableAdmin, Intent
from tenants.admin.permissions import Permission
from tenants.audit_chain import seal_pending
from tenants.context import tenant_context
from tenants.models import AuditEvent, Group
from tests.isolation.crawl import crawl
from tests.tenants.admin.cast import (
    ALTERNATE,
    CANARY,
    MOBILE,
    NOW,
    PASSWORD,
    House,
    canary,
    contoso,
    signed_in,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def own() -> House:
    return contoso()


@pytest.fixture
def other() -> House:
    return canary()


def test_a_crawl_as_administrator_shows_nothing_of_another_tenant_and_no_secret_of_its_own(
    own: House, other: House
) -> None:
    client = signed_in(own.admin)
    with tenant_context(own.tenant):
        hashes = set(User.objects.values_list("password", flat=True))

    pages = list(crawl(client, "/admin/", values=3))

    paths = {urlsplit(page.address).path for page in pages}
    assert {f"/admin/{name}/{pk}/change/" for name, pk in own.rows.items()} <= paths
    assert {page.status for page in pages} == {200, 302}
    leaks = [page.address for page in pages if re.search(CANARY, page.text, re.IGNORECASE)]
    assert leaks == []
    assert any(own.person in page.text for page in pages)
    whole = "\n".join(page.text for page in pages)
    secrets = {*hashes, ALTERNATE, MOBILE, PASSWORD, "argon2", "seed-of-twenty", "nonce-of-the"}
    assert [secret for secret in secrets if secret in whole] == []
    assert "b••••@p••••.example" in whole


@pytest.mark.parametrize("name", sorted(House.__annotations__))
def test_the_cast_has_every_side(name: str, own: House) -> None:
    assert getattr(own, name)


def test_a_row_of_another_tenant_is_as_unknown_as_a_random_one(own: House, other: House) -> None:
    client = signed_in(own.admin)

    for name, pk in other.rows.items():
        mine, theirs, nobodys = (
            client.get(f"/admin/{name}/{each}/change/") for each in (own.rows[name], pk, uuid4())
        )
        assert (mine.status_code, theirs.status_code, nobodys.status_code) == (200, 404, 404), name
        assert theirs.content == nobodys.content
        assert client.get(f"/admin/{name}/not-an-id/change/").status_code == 404


@pytest.mark.parametrize(
    ("table", "query"),
    [
        ("accounts/user", "password__startswith=argon2"),
        ("accounts/user", "password=x"),
        ("accounts/user", "session_epoch=0"),
        ("accounts/user", "contacts__sealed__isnull=0"),
        ("accounts/user", "manager__password__startswith=a"),
        ("resets/flow", "user__password__startswith=a"),
        ("resets/flow", "secret_hash__isnull=0"),
        ("tenants/auditevent", "tenant__slug=beta-canary"),
        ("notifications/message", "code_nonce__isnull=0"),
        ("writeback/connector", "secret__isnull=0"),
        ("writeback/agent", "seal__isnull=0"),
        ("writeback/writebackjob", "evidence__isnull=0"),
        ("writeback/directoryorder", "sealed__isnull=0"),
        ("writeback/reminder", "link__user__user_id=x"),
    ],
)
def test_nothing_can_be_looked_up_but_by_a_listed_filter(
    table: str, query: str, own: House
) -> None:
    client = signed_in(own.admin)

    assert client.get(f"/admin/{table}/").status_code == 200
    assert client.get(f"/admin/{table}/?{query}").status_code == 400


@pytest.mark.parametrize(
    ("table", "query"),
    [
        ("accounts/user", "kind=member"),
        ("accounts/user", "enabled=yes"),
        ("accounts/user", "roles=none"),
        ("tenants/auditevent", "result=success"),
        ("tenants/auditevent", "type=password.reset"),
        ("resets/flow", "state=done"),
        ("notifications/message", "state=queued"),
        ("notifications/message", "channel=email"),
        ("notifications/message", "kind=code"),
        ("writeback/agent", "state=pending"),
        ("writeback/writebackjob", "state=done"),
        ("writeback/writebackjob", "outcome=succeeded"),
        ("writeback/writebackjob", "purpose=order"),
    ],
)
def test_a_filter_finds_its_rows_and_a_value_it_does_not_list_finds_none(
    table: str, query: str, own: House
) -> None:
    client = signed_in(own.admin)
    row = f"{own.rows[table]}/change/"

    assert row in client.get(f"/admin/{table}/?{query}").content.decode()
    for stranger in ("zzz", "%00", "'--"):
        answer = client.get(f"/admin/{table}/?{query.partition('=')[0]}={stranger}")
        assert answer.status_code == 200
        assert row not in answer.content.decode()


@pytest.mark.parametrize("action", ["{}/change/", "{}/delete/", "{}/history/", ""])
def test_nothing_is_deleted_by_djangos_own_ways(action: str, own: House, other: House) -> None:
    client = signed_in(own.admin)
    before = counts(own), counts(other)

    for house in (own, other):
        for name, pk in house.rows.items():
            fields = {"name": "x", "action": "delete_selected", "_selected_action": str(pk)}
            answer = client.post(f"/admin/{name}/{action.format(pk)}", fields)
            assert answer.status_code in {200, 301, 302, 403, 404}, name

    assert (counts(own), counts(other)) == before
    assert LogEntry.objects.count() == 0


def test_every_intent_is_closed_for_rows_of_another_tenant(own: House, other: House) -> None:
    client = signed_in(own.admin)
    before = counts(own), counts(other)
    tried = 0

    for model, model_admin in tenant_site._registry.items():
        if isinstance(model_admin, EditableAdmin):
            pk = other.rows[f"{model._meta.app_label}/{model._meta.model_name}"]
            keys = [each.key for each in model_admin.intents]
            for key in [*keys, *(page.key for page in model_admin.pages)]:
                url = f"/admin/{model._meta.app_label}/{model._meta.model_name}/{pk}/{key}/"
                assert client.get(url).status_code == 404, url
                assert client.post(url, {"reason": "x", "name": "x"}).status_code == 404, url
                tried += 1

    assert tried > 10
    assert (counts(own), counts(other)) == before


def counts(house: House) -> tuple[int, ...]:
    with tenant_context(house.tenant):
        models = (User, Group)
        return tuple(model.objects.filter(pk__isnull=False).count() for model in models)


def test_what_was_denied_is_in_the_audit_trail(own: House) -> None:
    client = signed_in(own.admin)

    assert client.get("/admin/tenants/domain/").status_code == 200
    assert client.get("/admin/tenants/domain/add/").status_code == 403

    with tenant_context(own.tenant):
        [event] = AuditEvent.objects.filter(type="admin.denied")
    assert (event.actor_label, event.result) == (own.admin, "denied")
    assert event.data == {"path": "/admin/tenants/domain/add/"}


def test_the_autocomplete_of_a_relation_knows_the_own_people_alone(
    own: House, other: House
) -> None:
    client = signed_in(own.admin)
    field = {"app_label": "accounts", "model_name": "user", "field_name": "manager"}

    answers = {
        term: client.get("/admin/autocomplete/", {**field, "term": term})
        for term in ("bob@", "\x00", "")
    }

    assert [found["id"] for found in answers["bob@"].json()["results"]] == [
        str(own.rows["accounts/user"])
    ]
    assert answers["\x00"].json()["results"] == []
    assert str(other.rows["accounts/user"]) not in answers[""].content.decode()


def test_neither_passwords_nor_types_of_content_have_a_page(own: House, other: House) -> None:
    client = signed_in(own.admin)

    for path in ("password_change/", "r/1/2/", f"r/1/{other.rows['accounts/user']}/"):
        assert client.get(f"/admin/{path}").status_code == 404


def test_a_session_of_one_tenant_is_nothing_on_the_other_ones_host(
    own: House, other: House
) -> None:
    client = signed_in(own.admin, host="localhost")

    on_own, on_other, on_shared = (
        client.get("/admin/", headers={"host": host})
        for host in (own.host, other.host, "localhost")
    )

    assert on_own.status_code == 200
    assert on_other.status_code == 302
    assert on_other.headers["Location"].startswith("/admin/login/")
    with tenant_context(own.tenant):
        assert Session.objects.count() == 1
    assert on_shared.status_code in {200, 302}


@pytest.mark.parametrize("host", ["localhost", "contoso.localhost"])
def test_who_is_not_signed_in_gets_the_sign_in_page_alone(host: str, own: House) -> None:
    client = Client(headers={"host": host})

    paths = ["", "accounts/user/", "nothing/", "autocomplete/", "jsi18n/", "logout/"]
    paths += [f"{name}/{pk}/change/" for name, pk in own.rows.items()]

    for path in paths:
        answer = client.get(f"/admin/{path}")
        assert answer.status_code == 302, path
        assert answer.headers["Location"].startswith("/admin/"), path
        assert own.person not in answer.content.decode()


def test_sealed_events_show_their_number(own: House) -> None:
    client = signed_in(own.admin)
    page = f"/admin/tenants/auditevent/{own.rows['tenants/auditevent']}/change/"

    before = client.get(page).content.decode()
    with tenant_context(own.tenant):
        seal_pending(NOW)
    after = client.get(page).content.decode()

    assert "not sealed yet" in before
    assert "not sealed yet" not in after


def test_the_check_finds_what_goes_around_the_wall() -> None:
    site = AdminSite()
    site.register(Group, ModelAdmin)
    site.register(SpentCaptcha, TenantModelAdmin)

    assert [error.id for error in site_errors(site)] == ["sspr.E006", "sspr.E007"]
    assert site_errors(tenant_site) == []


def test_the_check_finds_a_field_that_offers_rows_of_no_tenant() -> None:
    class Choosing(IntentForm):
        captcha = forms.ModelChoiceField(queryset=SpentCaptcha.objects.all())
        group = forms.ModelChoiceField(queryset=Group.objects.all())

    class Editable(EditableAdmin):
        editor = Intent("choose", "Choose", Permission.GROUPS, Choosing)

    site = AdminSite()
    site.register(Group, Editable)

    assert [(error.id, error.msg) for error in site_errors(site)] == [
        ("sspr.E008", "tenants.Group: choose.captcha offers rows of no tenant")
    ]


def test_everything_the_site_shows_is_registered_behind_the_wall() -> None:
    labels = {model._meta.label for model in tenant_site._registry}

    assert labels == {
        "tenants.Tenant",
        "tenants.Domain",
        "tenants.Host",
        "tenants.Group",
        "tenants.Subscription",
        "tenants.ResetPolicy",
        "tenants.AuditEvent",
        "accounts.User",
        "accounts.ImportRun",
        "accounts.Credential",
        "accounts.Application",
        "accounts.IdentityProvider",
        "resets.Flow",
        "notifications.Message",
        "writeback.Connector",
        "writeback.Agent",
        "writeback.WritebackJob",
        "writeback.DirectoryOrder",
        "writeback.ExpiryReminders",
        "writeback.Reminder",
    }
