"""People on the administration site: how they are found, and what is told of them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import ContactPoint, User
from accounts.people import guest_lookup
from tenants.context import tenant_context
from tests.tenants.admin.cast import House, contoso, make_person, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def own() -> House:
    house = contoso()
    with tenant_context(house.tenant):
        make_person("zoe@contoso.example", "Zoe Zimmer")
        guest = make_person("guest_fabrikam.example#ext#@contoso.example", "Gus Guest")
        User.objects.filter(pk=guest.pk).update(
            kind="guest", guest_lookup=guest_lookup("gus@fabrikam.example")
        )
    return house


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("zoe@contoso.example", ["zoe@contoso.example"]),
        ("ZOE@", ["zoe@contoso.example"]),
        ("Zoe Z", ["zoe@contoso.example"]),
        ("zoe z", ["zoe@contoso.example"]),
        ("gus@fabrikam.example", ["guest_fabrikam.example#ext#@contoso.example"]),
        ("immer", []),
        ("%", []),
        ("_oe", []),
        ("x" * 300, []),
    ],
)
def test_people_are_found_by_the_beginning_of_what_is_indexed(
    text: str, found: list[str], own: House
) -> None:
    client = signed_in(own.admin)

    page = client.get("/admin/accounts/user/", {"q": text})

    everybody = [own.admin, own.person, "zoe@contoso.example"]
    everybody.append("guest_fabrikam.example#ext#@contoso.example")
    names = [user_id for user_id in everybody if f">{user_id}</a>" in page.content.decode()]
    assert page.status_code == 200
    assert names == found


def test_a_list_costs_the_same_however_many_people_there_are(own: House) -> None:
    client = signed_in(own.admin)
    client.get("/admin/accounts/user/")

    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get("/admin/accounts/user/")
    with tenant_context(own.tenant):
        for number in range(30):
            make_person(f"p{number}@contoso.example", f"Person {number}", roles=["global_reader"])
    with CaptureQueriesContext(connection) as many:
        text = client.get("/admin/accounts/user/").content.decode()

    assert "34 shown" in text
    assert len(many) == len(few)


def test_the_page_of_a_person_tells_what_is_registered_and_masks_it(own: House) -> None:
    client = signed_in(own.admin)

    text = client.get(f"/admin/accounts/user/{own.rows['accounts/user']}/change/").content.decode()

    for told in ("b••••@p••••.example", "•••••••42", "A phone", "1 registered", "A staff"):
        assert told in text
    assert "first_pet" not in text


def test_a_contact_that_was_tampered_with_is_said_to_be_unreadable(own: House) -> None:
    client = signed_in(own.admin)
    with tenant_context(own.tenant):
        ContactPoint.objects.filter(kind="mobile_phone").update(sealed=b"x" * 80)

    page = client.get(f"/admin/accounts/user/{own.rows['accounts/user']}/change/")

    assert page.status_code == 200
    assert "can&#x27;t be read" in page.content.decode()


def test_the_open_sessions_of_a_person_are_counted(own: House) -> None:
    client = signed_in(own.admin)
    signed_in(own.admin)
    with tenant_context(own.tenant):
        admin = User.objects.get(user_id=own.admin)

    text = client.get(f"/admin/accounts/user/{admin.pk}/change/").content.decode()

    told = text.partition("Open sessions")[2].partition("</dd>")[0]
    assert told.split()[-1] == "2"
