"""Journeys on the administration site: found by reference or person, told in order."""

import re

import pytest

from resets.admin import REASONS
from resets.models import Flow
from tenants.context import tenant_context
from tenants.reference import find_reference
from tests.tenants.admin.cast import House, canary, contoso, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def own() -> House:
    return contoso()


def listed(text: str) -> bool:
    return 'id="result_list"' in text


@pytest.mark.parametrize("table", ["resets/flow", "tenants/auditevent", "notifications/message"])
def test_a_journey_is_found_by_its_reference_however_it_is_typed(table: str, own: House) -> None:
    client = signed_in(own.admin)
    spoken = own.reference.lower().replace("-", " ")
    assert find_reference(spoken) == own.reference

    for text in (own.reference, spoken):
        assert listed(client.get(f"/admin/{table}/", {"q": text}).content.decode())
    for text in ("AAAA-AAAA", "nonsense", "\x01"):
        assert not listed(client.get(f"/admin/{table}/", {"q": text}).content.decode())


@pytest.mark.parametrize("table", ["resets/flow", "tenants/auditevent"])
def test_a_journey_is_found_by_its_person(table: str, own: House) -> None:
    client = signed_in(own.admin)

    found = client.get(f"/admin/{table}/", {"q": own.person.upper()}).content.decode()
    nobody = client.get(f"/admin/{table}/", {"q": "nobody@contoso.example"}).content.decode()

    assert listed(found)
    assert not listed(nobody)


def test_a_reference_of_another_tenant_finds_nothing(own: House) -> None:
    other = canary()
    client = signed_in(own.admin)

    assert not listed(client.get("/admin/resets/flow/", {"q": other.reference}).content.decode())


def test_the_timeline_tells_every_step_in_order(own: House) -> None:
    client = signed_in(own.admin)

    text = client.get(f"/admin/resets/flow/{own.rows['resets/flow']}/change/").content.decode()

    steps = [
        "User started to recover the account",
        "User completed the email verification option",
        "User set a new password",
    ]
    places = [text.index(step) for step in steps]
    assert places == sorted(places)
    for told in ("09:30:00 UTC", "09:30:20 UTC", "09:30:40 UTC", "b••••@p••••.example", "queued"):
        assert told in text


def test_a_refusal_is_explained_in_words(own: House) -> None:
    client = signed_in(own.admin)
    page = f"/admin/resets/flow/{own.rows['resets/flow']}/change/"

    for reason, sentence in REASONS.items():
        with tenant_context(own.tenant):
            Flow.objects.update(state="refused", reason=reason)
        told = f"{reason}: {sentence}".replace("'", "&#x27;")
        assert told in client.get(page).content.decode()


def test_what_somebody_unknown_typed_is_not_shown(own: House) -> None:
    client = signed_in(own.admin)
    with tenant_context(own.tenant):
        Flow.objects.update(user=None)

    text = client.get(f"/admin/resets/flow/{own.rows['resets/flow']}/change/").content.decode()

    assert re.search(r"Person</dt>\s*<dd>\s*Unknown", text)
    assert "sealed" not in text


def test_a_journey_nobody_finished_is_shown_as_expired(own: House) -> None:
    client = signed_in(own.admin)
    with tenant_context(own.tenant):
        Flow.objects.update(state="proving")

    text = client.get("/admin/resets/flow/").content.decode()

    assert "proving, then left until it expired" in text
