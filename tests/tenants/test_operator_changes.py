"""What operators change: in one transaction with the organisation's own trail."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ContactPoint, User
from resets.services import NoFlow, Origin, start
from tenants.context import tenant_context
from tenants.lookup import find_tenant
from tenants.models import Domain, Host, ResetPolicy, Subscription, Tenant
from tenants.operator import changes
from tenants.services import get_platform
from tests.cast import PASSWORD, Acme, Beta
from tests.services.signed_in import prove_client
from tests.tenants.admin.cast import try_sign_in
from tests.tenants.operator_cast import (
    OPERATOR,
    REASON,
    events_in,
    make_operator,
    opened,
    operator_client,
    types_in,
)

pytestmark = pytest.mark.django_db
NEW = {
    "slug": "Contoso",
    "name": "Contoso Ltd",
    "plan": "p1",
    "trial_started": "2026-11-01",
    "domain": "Contoso.example",
    "admin": "Ada@contoso.example",
    "email": "ada@contoso.example",
    "alternate_email": "ada@post.example",
    "mobile_phone": "+1 4255550177",
}


@pytest.fixture(autouse=True)
def _operator() -> None:
    make_operator()


def post(client: Client, tenant: Any, page: str, **fields: str) -> Any:
    return client.post(f"/operator/tenants/{tenant.id}/{page}/", fields)


def both(tenant: Any, event_type: str) -> dict[str, Any]:
    """The data of the one event of this type, the same in both trails."""
    [own] = events_in(tenant.id, event_type)
    [platform] = events_in(get_platform(), event_type)
    assert own.actor_label == platform.actor_label == OPERATOR
    assert own.data == platform.data
    found: dict[str, Any] = own.data
    return found


def test_a_new_organisation_has_plan_domain_policy_and_an_administrator_without_password() -> None:
    answer = operator_client().post("/operator/tenants/add/", NEW)

    assert answer.status_code == 302
    tenant = find_tenant(slug="contoso")
    assert tenant is not None
    assert tenant == find_tenant(domain="contoso.example")
    with tenant_context(tenant):
        ada = User.objects.get()
        subscription = Subscription.objects.get()
        assert (ada.user_id, ada.roles) == ("ada@contoso.example", ["global_administrator"])
        assert not ada.has_usable_password()
        kinds = set(ContactPoint.objects.values_list("kind", flat=True))
        assert kinds == {"primary_email", "alternate_email", "mobile_phone"}
        assert (subscription.plan, str(subscription.trial_started)) == ("p1", "2026-11-01")
        assert ResetPolicy.objects.get().enabled == "all"
    assert set(types_in(tenant)) >= {"tenant.created", "policy.applied"}
    assert {event.actor_label for event in events_in(tenant)} == {OPERATOR}
    assert types_in(get_platform(), "tenant") == ["tenant.created"]
    told = [event.data for event in (*events_in(tenant), *events_in(get_platform()))]
    assert "post.example" not in str(told)


def test_the_first_administrator_finds_two_methods_on_the_portal() -> None:
    operator_client().post("/operator/tenants/add/", {**NEW, "trial_started": ""})
    tenant = find_tenant(slug="contoso")
    assert tenant is not None

    start(
        "ada@contoso.example",
        host_tenant=None,
        organisation="",
        origin=Origin("192.0.2.1", "en"),
        now=timezone.now(),
    )

    [event] = events_in(tenant, "flow.started")
    assert (event.data["policy"], event.data["gates_required"]) == ("administrator", 2)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("slug", "Acme", "organisation of this short name already"),
        ("slug", "-x-", "Use small letters, digits and dashes"),
        ("domain", "acme.example", "belongs to the organisation acme"),
        ("domain", "nodot", "Write a domain like"),
        ("admin", "ada@elsewhere.example", "not among"),
        ("admin", "ada", "Write name@domain"),
        ("email", "nowhere", "Write an address"),
        ("mobile_phone", "12", "number"),
        ("plan", "gold", "not one of the available choices"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_makes_nothing(
    field: str, value: str, words: str, acme: Acme
) -> None:
    client = operator_client()

    answer = client.post("/operator/tenants/add/", {**NEW, field: value})

    assert answer.status_code == 200
    text = answer.content.decode()
    assert words in text
    assert f'id="id_{field}_error"' in text
    assert find_tenant(slug="contoso") is None
    assert types_in(acme.id) == []
    assert types_in(get_platform(), "tenant") == []


def test_a_slug_that_is_taken_in_the_same_moment_changes_nothing_of_its_owner(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenants.operator.directory.find_owner", lambda kind, value: None)

    answer = operator_client().post("/operator/tenants/add/", {**NEW, "slug": "acme"})

    assert "There is a tenant of this slug already" in answer.content.decode()
    with acme.inside():
        assert Tenant.objects.get().name == "Acme"


def test_a_suspended_organisation_answers_like_none_until_it_is_reactivated(acme: Acme) -> None:
    client = opened(acme.id)
    admin = Client(headers={"host": acme.host})
    assert (
        try_sign_in(acme.carol.user_id, PASSWORD, client=admin, host=acme.host).status_code == 302
    )
    prove_client(admin)
    assert admin.get("/admin/").status_code == 200

    assert post(client, acme, "state", reason="").status_code == 200
    assert post(client, acme, "state", reason="They did not pay").status_code == 302

    nobodys = client.get("/", headers={"host": "nobody.example"})
    for path in ("/", "/reset/", "/admin/", "/admin/login/"):
        answer = admin.get(path)
        assert (answer.status_code, answer.content) == (404, nobodys.content)
    assert find_tenant(domain=acme.domain) is None
    assert both(acme, "tenant.suspended") == {"tenant": "acme", "purpose": "They did not pay"}
    assert client.get(f"/operator/tenants/{acme.id}/").status_code == 200

    assert post(client, acme, "state", reason="They paid at last").status_code == 302

    assert admin.get("/").status_code == 200
    assert both(acme, "tenant.reactivated")["purpose"] == "They paid at last"


def test_a_journey_of_a_suspended_organisation_is_over(acme: Acme) -> None:
    from resets.services import read_flow

    client = opened(acme.id)
    origin = Origin("192.0.2.1", "en")
    started = start(
        acme.alice.user_id, host_tenant=None, organisation="", origin=origin, now=timezone.now()
    )
    assert started.handle is not None
    read_flow(started.handle, now=timezone.now())

    post(client, acme, "state", reason="They did not pay")

    with pytest.raises(NoFlow):
        read_flow(started.handle, now=timezone.now())


def test_a_plan_is_changed_and_both_trails_know_what_it_was(acme: Acme) -> None:
    client = opened(acme.id)

    assert post(client, acme, "plan", plan="gold").status_code == 200
    assert post(client, acme, "plan", plan="p2", trial_started="soon").status_code == 200
    assert post(client, acme, "plan", plan="p2", trial_started="2026-11-05").status_code == 302

    with acme.inside():
        row = Subscription.objects.get()
        assert (row.pk, row.plan, str(row.trial_started)) == (
            acme.subscription.pk,
            "p2",
            "2026-11-05",
        )
    assert both(acme, "tenant.plan_changed") == {
        "tenant": "acme",
        "plan": "p2",
        "trial_started": "2026-11-05",
        "plan_before": "p1",
        "trial_before": None,
    }


@pytest.mark.parametrize(
    ("kind", "name", "model"),
    [("domain", "new.example", Domain), ("host", "reset.new.example", Host)],
)
def test_a_name_is_added_and_taken_away(kind: str, name: str, model: Any, acme: Acme) -> None:
    client = opened(acme.id)

    added = post(client, acme, "names", kind=kind, action="add", name=f" {name.upper()} ")
    assert added.status_code == 302
    with acme.inside():
        assert model.objects.filter(name=name).exists()
    assert find_tenant(**{kind: name}) == acme.id
    assert both(acme, "tenant.name_added") == {"tenant": "acme", "kind": kind, "name": name}

    assert post(client, acme, "names", kind=kind, action="remove", name=name).status_code == 302
    assert find_tenant(**{kind: name}) is None
    assert both(acme, "tenant.name_removed")["name"] == name


@pytest.mark.parametrize(
    ("kind", "action", "name", "words"),
    [
        ("domain", "add", "beta.example", "belongs to the organisation beta"),
        ("host", "add", "beta.sspr.test", "belongs to the organisation beta"),
        ("domain", "add", "acme.example", "belongs to this organisation"),
        ("domain", "add", "nodot", "Write a domain like"),
        ("host", "add", "a:8000", "without a port"),
        ("host", "add", "localhost", "the shared host"),
        ("host", "add", "", "required"),
        ("domain", "remove", "acme.example", "still have user IDs"),
        ("domain", "remove", "beta.example", "does not belong"),
    ],
)
def test_a_name_that_can_not_be_changed_says_why(
    kind: str, action: str, name: str, words: str, acme: Acme, beta: Beta
) -> None:
    client = opened(acme.id)

    answer = post(client, acme, "names", kind=kind, action=action, name=name)

    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert find_tenant(domain="acme.example") == acme.id
    assert find_tenant(domain="beta.example") == beta.id
    assert types_in(acme.id, "tenant") == []


def test_a_change_whose_event_can_not_be_written_is_not_made(
    acme: Acme, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = opened(acme.id)
    client.raise_request_exception = False

    def fail(*args: object) -> None:
        raise RuntimeError("no trail")

    monkeypatch.setattr(changes, "note", fail)

    assert post(client, acme, "state", reason=REASON).status_code == 500
    assert post(client, acme, "plan", plan="free").status_code == 500
    with acme.inside():
        assert Tenant.objects.get().active
        assert Subscription.objects.get().plan == "p1"
