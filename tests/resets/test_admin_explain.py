"""What would happen, told on the page of a person."""

import html

import pytest

from accounts.models import User
from tenants.context import tenant_context
from tenants.models import ResetPolicy
from tests.tenants.admin.cast import House, canary, contoso
from tests.tenants.admin.desk import Desk, row_page

pytestmark = pytest.mark.django_db
PAGE = "what-would-happen/"


@pytest.fixture
def own() -> House:
    return contoso()


def read(house: House) -> str:
    return html.unescape(Desk(house.admin).read(row_page(house, "accounts/user", PAGE)))


def change(house: House, **fields: object) -> None:
    with tenant_context(house.tenant):
        User.objects.filter(user_id=house.person).update(**fields)


def test_it_says_that_the_person_may_and_with_what(own: House) -> None:
    with tenant_context(own.tenant):
        ResetPolicy.objects.update(
            methods=["email", "app_code", "mobile_phone"], require_licence=False
        )

    text = read(own)

    assert "The person may reset, with 2 of the methods below." in text
    assert "The organisation's reset policy" in text
    assert "App code, Mobile phone, Email" in text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"is_active": False}, "the person is disabled (disabled)"),
        ({}, "the person has no licence (SSPR_0012)"),
        ({"kind": "guest", "origin": "personal"}, "a recovery of its own (personal_account)"),
    ],
)
def test_it_says_why_not(fields: dict[str, object], words: str, own: House) -> None:
    change(own, **fields)

    assert words in read(own)


def test_of_a_partners_guest_nothing_of_the_home_organisation_is_told(own: House) -> None:
    other = canary()
    change(own, kind="guest", origin="partner", home="beta-canary", user_id=other.person)
    with tenant_context(own.tenant):
        own_page = Desk(own.admin).read(row_page(own, "accounts/user", PAGE))

    assert "The policy of the home organisation decides." in own_page
    assert "SSPR_" not in own_page


def test_the_page_of_somebody_else_is_unknown(own: House) -> None:
    other = canary()

    answer = Desk(own.admin).client.get(f"/admin/{row_page(other, 'accounts/user', PAGE)}")

    assert answer.status_code == 404
