"""How people are found: by the beginning of names and user IDs, folded, by the database's own
columns; and by the reference of a journey."""

import pytest
from django.test import Client

from accounts.models import User
from accounts.people import guest_lookup
from accounts.search_keys import folded
from tenants.admin.search import TOO_SHORT
from tenants.context import tenant_context
from tests.tenants.admin.cast import CANARY, House, canary, contoso, signed_in

pytestmark = pytest.mark.django_db
PEOPLE = "/admin/accounts/user/"
CAST = (
    ("amueller", "Jörg Müller", "Jörg", "Müller"),
    ("zcruz", "María de la Cruz", "María", "de la Cruz"),
    ("anna.anders", "Anna Anders", "", ""),
    ("bare", "", "", ""),
    ("lukasz", "Łukasz Żak", "Łukasz", "Żak"),
    ("olga", "Ольга Иванова", "", ""),
)


@pytest.fixture
def own() -> House:
    house = contoso()
    with tenant_context(house.tenant):
        User.objects.bulk_create(
            User(
                user_id=f"{name}@contoso.example",
                display_name=display,
                given_name=given,
                surname=surname,
                password="!",
            )
            for name, display, given, surname in CAST
        )
        User.objects.filter(user_id="bare@contoso.example").update(
            kind="guest", guest_lookup=guest_lookup("bare.one@mail.example")
        )
    return house


@pytest.fixture
def client(own: House) -> Client:
    return signed_in(own.admin)


def found(client: Client, text: str, **more: str) -> list[str]:
    shown = client.get(PEOPLE, {"q": text, **more}).content.decode()
    names = [*(name for name, *_ in CAST), "ada", "bob"]
    return sorted(name for name in names if f">{name}@contoso.example</a>" in shown)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("müller", ["amueller"]),
        ("MULLER", ["amueller"]),
        ("jorg mul", ["amueller"]),
        ("Müller, Jörg", ["amueller"]),
        ("amue", ["amueller"]),
        ("amueller@contoso.example", ["amueller"]),
        ("  Jörg   Müller ", ["amueller"]),
        ("de la cruz", ["zcruz"]),
        ("maria de la c", ["zcruz"]),
        ("de la cruz maria", ["zcruz"]),
        ("anders", ["anna.anders"]),
        ("anders anna", ["anna.anders"]),
        ("an", ["anna.anders"]),
        ("lukasz zak", ["lukasz"]),
        ("иванова", ["olga"]),
        ("bare.one@mail.example", ["bare"]),
        ("bare", ["bare"]),
        ("uller", []),
        ("jorg anders", []),
        ("%%", []),
        ("a_", []),
        ("ada@contoso.example", ["ada"]),
    ],
)
def test_people_are_found_by_the_beginning_of_their_words(
    text: str, names: list[str], client: Client
) -> None:
    assert found(client, text) == names


@pytest.mark.parametrize("text", ["a", " ü ", ",", "´"])
def test_a_single_letter_is_refused_with_a_sentence(text: str, client: Client) -> None:
    page = client.get(PEOPLE, {"q": text})

    assert page.status_code == 200
    assert TOO_SHORT in page.content.decode()
    assert found(client, text) == []


def test_a_filter_holds_for_what_is_found(client: Client) -> None:
    assert found(client, "bare", kind="guest") == ["bare"]
    assert found(client, "bare", kind="member") == []


def test_of_very_many_the_first_are_shown_and_it_is_said(
    own: House, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.admin.UserAdmin.most_found", 2)
    with tenant_context(own.tenant):
        User.objects.bulk_create(
            User(user_id=f"smith{number}@contoso.example", surname="Smith", password="!")
            for number in range(3)
        )

    text = signed_in(own.admin).get(PEOPLE, {"q": "smith"}).content.decode()

    assert "More than 2 people match" in text
    assert text.count("@contoso.example</a>") == 2


def test_a_reference_finds_its_person_and_says_so(own: House, client: Client) -> None:
    spoken = own.reference.lower().replace("-", " ")

    text = client.get(PEOPLE, {"q": spoken}).content.decode()

    assert f"{own.reference} is a journey of {own.person}." in text
    assert found(client, spoken) == ["bob"]


def test_a_reference_of_another_tenant_finds_nobody(client: Client) -> None:
    other = canary()

    text = client.get(PEOPLE, {"q": other.reference}).content.decode()

    assert "is a journey" not in text
    assert CANARY not in text
    assert found(client, other.reference) == []


def test_the_columns_follow_the_names_however_a_person_is_saved(own: House) -> None:
    with tenant_context(own.tenant):
        person = User.objects.get(user_id="bare@contoso.example")
        assert (person.name_key, person.given_key, person.surname_key) == ("", "", "")
        person.display_name = "Ünal Ağa"
        person.save()
        person.refresh_from_db()
        assert (person.given_key, person.surname_key) == ("unal aga", "aga")
        User.objects.filter(pk=person.pk).update(surname="Ökten")
        person.refresh_from_db()
        assert (person.name_key, person.surname_key) == ("unal aga", "okten")
        person.given_name = "İnci"
        User.objects.bulk_update([person], ["given_name"])
        person.refresh_from_db()
        assert person.given_key == "inci"


@pytest.mark.parametrize(
    "name",
    ["Straße", "ÅNGSTRÖM", "Żółć", "Ελλάδα", "ЁЖ", "José", "名前", "O'Neil", "İI ı", "Ǆ ﬁ 🙂"],
)
def test_the_database_folds_like_the_search(name: str, own: House) -> None:
    with tenant_context(own.tenant):
        User.objects.filter(user_id="bare@contoso.example").update(display_name=name)
        person = User.objects.get(user_id="bare@contoso.example")

    assert person.name_key == folded(name)
