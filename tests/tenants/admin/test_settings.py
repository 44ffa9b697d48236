"""The organisation's own page: what can be changed there, how it is refused, who may."""

import html

import pytest

from tenants.context import tenant_context
from tenants.models import Tenant
from tests.tenants.admin.cast import House, contoso
from tests.tenants.admin.desk import Desk, colleague, is_saved, row_page, trail
from tests.tenants.admin.test_policy_editor import errors_at

pytestmark = pytest.mark.django_db
TABLE = "tenants/tenant"


@pytest.fixture
def own() -> House:
    return contoso()


@pytest.fixture
def desk(own: House) -> Desk:
    return Desk(own.admin)


def tenant_of(house: House) -> Tenant:
    with tenant_context(house.tenant):
        return Tenant.objects.get()


def test_what_changed_is_stored_and_named_in_the_trail(own: House, desk: Desk) -> None:
    answer = desk.send(
        row_page(own, TABLE),
        name="Contoso AG",
        languages="de, en-GB, de",
        disclosure="concealed",
        reveal_reason="on",
        helpdesk_phone="+1 425 555 0199",
        brand_color="#0b5cad",
    )

    tenant = tenant_of(own)
    assert is_saved(answer)
    assert (tenant.name, tenant.languages) == ("Contoso AG", ["de", "en-GB"])
    assert (tenant.disclosure, tenant.reveal_reason) == ("concealed", True)
    assert tenant.helpdesk_email == f"help@{own.domain}"
    [event] = trail(own, "settings.changed")
    assert event.actor_label == own.admin
    assert set(event.data["fields"]) == {
        "name",
        "languages",
        "disclosure",
        "reveal_reason",
        "helpdesk_phone",
        "brand_color",
    }


def test_saving_what_stands_changes_nothing_and_tells_nothing(own: House, desk: Desk) -> None:
    assert is_saved(desk.send(row_page(own, TABLE)))
    assert trail(own, "settings.changed") == []


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "", "required"),
        ("languages", "en, klingon", "Use a language the product speaks"),
        ("helpdesk_email", "nobody", "Write an address like"),
        ("helpdesk_url", "ftp://help.example", "begins with https://"),
        ("helpdesk_url", "javascript:alert(1)", "begins with https://"),
        ("brand_color", "blue", "# and six digits"),
        ("brand_logo", "a\tb", "control characters"),
    ],
)
def test_what_can_not_be_is_told_at_its_field(
    field: str, value: str, words: str, own: House, desk: Desk
) -> None:
    page = row_page(own, TABLE)

    refused = desk.send(page, **{field: value, "reveal_reason": "on"})

    assert refused.status_code == 200
    assert words in errors_at(refused.content.decode(), field)
    assert not tenant_of(own).reveal_reason
    assert trail(own, "settings.changed") == []


def test_names_that_only_the_operator_gives_are_shown_with_the_word_who_does(
    own: House, desk: Desk
) -> None:
    for page in (row_page(own, TABLE), "tenants/domain/", "tenants/host/"):
        assert "the operator's matter" in html.unescape(desk.read(page))
    text = desk.read(row_page(own, TABLE))
    assert own.domain in text
    assert own.host in text
    assert desk.client.get("/admin/tenants/domain/add/").status_code == 403


def test_the_slug_and_the_suspension_are_not_the_tenants_to_change(own: House, desk: Desk) -> None:
    answer = desk.send(row_page(own, TABLE), slug="other", active="", profile="government")

    tenant = tenant_of(own)
    assert is_saved(answer)
    assert (tenant.slug, tenant.active, tenant.profile) == ("contoso", True, "public")


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("organizational_branding_administrator", 302),
        ("user_administrator", 403),
        ("security_reader", 403),
    ],
)
def test_the_settings_take_their_own_permission(role: str, status: int, own: House) -> None:
    page = row_page(own, TABLE)
    fields = Desk(own.admin).filled(page, name="Renamed")

    answer = colleague(own, role).post(page, fields)

    assert answer.status_code == status
    assert (tenant_of(own).name == "Renamed") is (status == 302)
    assert len(trail(own, "admin.denied")) == (status == 403)
