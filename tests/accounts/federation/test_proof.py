"""A sign-in at another service as a proof: in a reset, and when an account is connected."""

from typing import Any

import pytest
from django.contrib.sessions.backends.base import SessionBase
from django.test import Client, RequestFactory

from accounts.models import Credential, IdentityProvider, User
from accounts.registration.methods.external_identity import AccountRegistrable
from accounts.signin.person import find_signed_in
from accounts.signin.sessions import SessionStore
from tests.accounts.federation.conftest import NOW, give_account, go_there
from tests.cast import NEW_PASSWORD, Acme, make_person
from tests.resets.visitor import Clock, Page, Visitor
from tests.resets.walks import set_policy
from tests.services.identity_provider import IdentityProviderDouble
from tests.services.signed_in import signed_in_client


@pytest.fixture
def frank(acme: Acme, provider: IdentityProvider, partner: IdentityProviderDouble) -> User:
    """Somebody who has nothing but an account at the partner's, which is enough here."""
    set_policy(acme, methods_required=1, methods=["external_identity"])
    with acme.inside():
        person = make_person("frank", acme.domain, licence=acme.subscription)
        give_account(person, provider, partner.subject)
        return person


@pytest.fixture
def visitor(acme: Acme) -> Visitor:
    return Visitor(acme.host, Clock(NOW))


def away_and_back(visitor: Visitor, *, by: Visitor | None = None) -> Page:
    """Presses the button of the page, signs in there, comes back; `by` another browser."""
    form = visitor.shown.form
    browser = by or visitor
    with visitor.clock.running():
        back = go_there(browser.client.post(form.action, form.values))
        browser.page = Page(browser.client.get(back))
    return browser.shown


def test_a_sign_in_at_the_partner_lets_somebody_set_a_new_password(
    acme: Acme, frank: User, visitor: Visitor, partner: Any
) -> None:
    page = visitor.start(frank.user_id)
    assert "Continue to Partner" in page.text

    returned = away_and_back(visitor)
    assert partner.asked[-1]["prompt"] == "login"
    assert partner.asked[-1]["max_age"] == "300"
    value = returned.form.values["assertion"]
    assert value not in visitor.path
    visitor.fill()
    done = visitor.fill(new_password=NEW_PASSWORD)

    assert done.state == "done"
    with acme.inside():
        frank.refresh_from_db()
        assert frank.check_password(NEW_PASSWORD)


def test_another_account_there_proves_nothing(frank: User, visitor: Visitor, partner: Any) -> None:
    visitor.start(frank.user_id)
    right, partner.subject = partner.subject, "somebody-else"
    away_and_back(visitor)
    assert visitor.fill().state == "proving"

    partner.subject = right
    away_and_back(visitor)
    assert visitor.fill().state == "choosing"


@pytest.mark.parametrize("said", [{"auth_time": None}, {"auth_time": 1}], ids=["none", "old"])
def test_a_sign_in_there_that_is_not_fresh_proves_nothing(
    frank: User, visitor: Visitor, partner: Any, said: dict[str, Any]
) -> None:
    visitor.start(frank.user_id)
    form = visitor.shown.form
    partner.claims = said
    page = away_and_back(visitor)
    assert (page.status, page.state) == (400, "error")

    partner.claims = {}
    with visitor.clock.running():
        back = go_there(visitor.client.post(form.action, form.values))
        visitor.page = Page(visitor.client.get(back))
    assert visitor.fill().state == "choosing"


def test_who_signs_in_for_another_browser_gives_it_nothing(
    acme: Acme, frank: User, visitor: Visitor
) -> None:
    """A lured person comes back in the own browser, where there is no journey."""
    visitor.start(frank.user_id)
    form = visitor.shown.form
    lured = Visitor(acme.host, visitor.clock)
    lured.get("/reset/")
    tokens = lured.shown.form.values["csrfmiddlewaretoken"]
    with visitor.clock.running():
        sent = lured.client.post(form.action, {**form.values, "csrfmiddlewaretoken": tokens})
        back = go_there(sent)
        lured.page = Page(lured.client.get(back))

    assert lured.fill().status == 401
    assert visitor.post(form.values["goes_on"], {"assertion": ""}).state == "proving"
    away_and_back(visitor)
    assert visitor.fill().state == "choosing"


def test_a_page_of_ours_has_to_send_there(frank: User, visitor: Visitor) -> None:
    visitor.start(frank.user_id)
    form = visitor.shown.form

    for wrong in (
        {"ticket": "junk"},
        {"ticket": form.values["ticket"][:-1] + "x"},
        {"goes_on": "https://evil.example/"},
        {"goes_on": "//evil.example/reset/"},
        {"goes_on": "/admin/"},
    ):
        with visitor.clock.running():
            assert visitor.client.post(form.action, {**form.values, **wrong}).status_code == 400


def _add(acme: Acme, client: Client) -> Any:
    """The page of the security info, as its own views call it."""
    request: Any = RequestFactory().post(
        "/security-info/add/external_identity/",
        {"provider": "partner"},
        headers={"host": acme.host},
    )
    key = client.cookies["sspr_session"].value
    session: SessionBase = SessionStore(key)
    request.session, request.host_tenant, request.front = session, acme.id, acme.tenant
    person = find_signed_in(request)
    assert person is not None
    return AccountRegistrable().add(request, person, "/done/")


def _came_back(acme: Acme, client: Client) -> Page:
    sent = _add(acme, client)
    for name, morsel in sent.cookies.items():
        client.cookies[name] = morsel.value
    return Page(client.get(go_there(sent)))


def test_a_signed_in_person_connects_an_account_by_signing_in_there(
    acme: Acme, provider: IdentityProvider, partner: Any
) -> None:
    client = signed_in_client(acme, acme.alice, proved=("app_code",))
    form = _came_back(acme, client).form

    linked = client.post(form.action, {"assertion": form.values["assertion"]})
    again = client.post(form.action, {"assertion": form.values["assertion"]})

    assert (linked.status_code, linked.headers["Location"]) == (303, "/done/")
    assert again.status_code == 400
    with acme.inside():
        row = Credential.objects.get(method="external_identity")
        assert (row.user_id, row.name) == (acme.alice.pk, "Partner")
        assert partner.subject.encode() not in bytes(row.sealed)


def test_an_account_is_connected_with_nobody_else_by_what_came_back(
    acme: Acme, provider: IdentityProvider
) -> None:
    client = signed_in_client(acme, acme.alice, proved=("app_code",))
    form = _came_back(acme, client).form
    mallory = signed_in_client(acme, acme.bob, proved=("app_code",))

    assert mallory.post(form.action, {"assertion": form.values["assertion"]}).status_code == 400
    with acme.inside():
        assert not Credential.objects.filter(method="external_identity").exists()


def test_an_account_belongs_to_one_person(
    acme: Acme, provider: IdentityProvider, partner: Any
) -> None:
    with acme.inside():
        give_account(acme.bob, provider, partner.subject)
    client = signed_in_client(acme, acme.alice, proved=("app_code",))
    form = _came_back(acme, client).form

    assert client.post(form.action, {"assertion": form.values["assertion"]}).status_code == 409
    with acme.inside():
        assert Credential.objects.get(method="external_identity").user_id == acme.bob.pk
