"""Signing in here with an account at another service: there, back, and every way to cheat."""

import sys
from types import ModuleType
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.federation.metadata import forget_metadata
from accounts.models import Credential, IdentityProvider, Redirection, User
from tenants.models import AuditEvent
from tests.accounts.federation.conftest import begin, give_account, make_provider
from tests.cast import Acme, Beta
from tests.services.identity_provider import IdentityProviderDouble

START = "/sign-in/with/partner/"


@pytest.fixture
def entered(monkeypatch: pytest.MonkeyPatch) -> list[tuple[User, tuple[str, ...], str]]:
    """Who was signed in, with what, and where they wanted to go."""
    found: list[tuple[User, tuple[str, ...], str]] = []

    def finish_sign_in(request: Any, user: User, methods: Any, now: Any) -> HttpResponse:
        found.append((user, tuple(methods), request.GET["next"]))
        return HttpResponse(status=303, headers={"Location": "/in/"})

    module: Any = ModuleType("accounts.signin.services")
    module.finish_sign_in = finish_sign_in
    monkeypatch.setitem(sys.modules, "accounts.signin.services", module)
    return found


@pytest.fixture
def connected(
    acme: Acme, provider: IdentityProvider, partner: IdentityProviderDouble
) -> Credential:
    with acme.inside():
        return give_account(acme.alice, provider, partner.subject)


@pytest.fixture
def client(acme: Acme) -> Client:
    return Client(headers={"host": acme.host})


def trail(acme: Acme) -> list[tuple[str, str]]:
    with acme.inside():
        rows = AuditEvent.objects.filter(type="provider.answered").order_by("created_at")
        return [(row.result, row.data["cause"]) for row in rows]


def test_the_owner_of_a_connected_account_is_signed_in_and_goes_on(
    acme: Acme, client: Client, connected: Credential, partner: Any, entered: list[Any]
) -> None:
    page = client.get(f"{START}?next=/security-info/")
    back = begin(client, f"{START}?next=/security-info/")
    answer = client.get(back)

    assert "Continue to Partner" in page.content.decode()
    assert (answer.status_code, answer.headers["Location"]) == (303, "/in/")
    assert entered == [(acme.alice, ("external_identity",), "/security-info/")]
    [asked] = partner.asked
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["nonce"]) >= 43
    assert asked["scope"] == "openid"
    assert asked["redirect_uri"] == f"http://{acme.host}{START}callback/"
    assert "prompt" not in asked
    assert trail(acme) == [("success", "")]
    with acme.inside():
        connected.refresh_from_db()
        assert connected.used_at is not None


def test_a_browser_is_led_away_by_a_page(client: Client, connected: Credential) -> None:
    """Our own policy stops a form that ends on another site."""
    page = client.post(START, headers={"sec-fetch-mode": "navigate"})

    assert page.status_code == 200
    assert "0;url=http://127.0.0.1:" in page.content.decode()
    [cookie] = [c for name, c in client.cookies.items() if name.startswith("sspr_away")]
    assert (cookie["samesite"], cookie["httponly"]) == ("Lax", True)


def test_nobody_is_found_by_an_email(
    acme: Acme, client: Client, provider: IdentityProvider, entered: list[Any]
) -> None:
    """The provider swears that this is alice's address; nobody is made, connected, signed in."""
    with acme.inside():
        people, accounts = User.objects.count(), Credential.objects.count()

    answer = client.get(begin(client))

    assert answer.status_code == 403
    assert entered == []
    assert trail(acme) == [("failure", "not_connected")]
    with acme.inside():
        assert (User.objects.count(), Credential.objects.count()) == (people, accounts)


@pytest.mark.parametrize(
    ("claims", "cause"),
    [
        ({"iss": "https://evil.example"}, "issuer"),
        ({"aud": "somebody-else"}, "audience"),
        ({"aud": ["sspr-at-partner", "somebody-else"]}, "audience"),
        ({"aud": ["sspr-at-partner", "x"], "azp": "x"}, "audience"),
        ({"azp": "somebody-else"}, "audience"),
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"exp": 1}, "expired"),
        ({"exp": None}, "expired"),
        ({"exp": "tomorrow"}, "expired"),
        ({"exp": True}, "expired"),
        ({"iat": 1}, "issued"),
        ({"iat": 2**36}, "issued"),
        ({"nbf": 2**36}, "not_yet"),
        ({"sub": None}, "subject"),
        ({"sub": ""}, "subject"),
        ({"sub": 7}, "subject"),
        ({"sub": "x" * 300}, "subject"),
    ],
    ids=str,
)
def test_an_id_token_that_is_not_for_us_now_signs_nobody_in(
    acme: Acme,
    client: Client,
    connected: Credential,
    partner: Any,
    entered: list[Any],
    claims: dict[str, Any],
    cause: str,
) -> None:
    partner.claims = claims

    refused = client.get(begin(client))

    assert refused.status_code == 400
    assert entered == []
    assert trail(acme) == [("failure", cause)]
    partner.claims = {}
    assert client.get(begin(client)).status_code == 303


@pytest.mark.parametrize("alg", ["none", "HS256"])
def test_an_id_token_without_the_providers_signature_signs_nobody_in(
    acme: Acme, client: Client, connected: Credential, partner: Any, entered: list[Any], alg: str
) -> None:
    partner.alg = alg

    assert client.get(begin(client)).status_code == 400
    assert (entered, trail(acme)) == ([], [("failure", "signature")])


def test_a_signature_of_a_stranger_signs_nobody_in_and_a_new_key_does(
    acme: Acme, client: Client, connected: Credential, partner: Any, entered: list[Any]
) -> None:
    assert client.get(begin(client)).status_code == 303
    partner.sign_with_a_stranger()
    assert client.get(begin(client)).status_code == 400

    forget_metadata()
    partner.rotate()

    assert client.get(begin(client)).status_code == 303
    assert len(entered) == 2


def test_an_answer_is_good_once(client: Client, connected: Credential, entered: list[Any]) -> None:
    back = begin(client)
    kept = {name: morsel.value for name, morsel in client.cookies.items()}

    first = client.get(back)
    for name, value in kept.items():
        client.cookies[name] = value
    second = client.get(back)

    assert (first.status_code, second.status_code) == (303, 400)
    assert len(entered) == 1


def test_an_answer_is_for_the_browser_that_went(
    acme: Acme, client: Client, connected: Credential, entered: list[Any]
) -> None:
    """Neither a lured victim nor a thief of the address gets in."""
    back = begin(client)
    other = Client(headers={"host": acme.host})
    begin(other)

    assert other.get(back).status_code == 400
    assert entered == []
    assert client.get(back).status_code == 303


def test_an_answer_of_another_provider_is_refused(
    acme: Acme, client: Client, connected: Credential, partner: Any, entered: list[Any]
) -> None:
    """Mixed up: the address of one provider, the answer of another."""
    twin = IdentityProviderDouble()
    twin.start()
    try:
        make_provider(acme, twin, slug="twin", name="Twin")
        assert client.get(begin(client).replace("/partner/", "/twin/")).status_code == 400
    finally:
        twin.stop()
    for named in ("https://evil.example", None):
        partner.answer = {"iss": named}
        assert client.get(begin(client)).status_code == 400

    assert entered == []
    assert trail(acme) == [("failure", "mixed_up")] * 2


@pytest.mark.parametrize(
    "told",
    [{"error": "access_denied", "code": None}, {"code": None}, {"code": "junk"}],
    ids=["denied", "nothing", "junk"],
)
def test_what_a_provider_says_went_wrong_is_told_in_our_words(
    client: Client, connected: Credential, partner: Any, entered: list[Any], told: dict[str, Any]
) -> None:
    partner.answer = {"error_description": "CANARY <b>", **told}

    answer = client.get(begin(client))

    assert answer.status_code == 400
    assert "CANARY" not in answer.content.decode()
    assert entered == []


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://evil.example"},
        {"jwks_uri": None},
        {"token_endpoint": "http://192.0.2.7/token"},
        {"token_endpoint": "https://10.0.0.7/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"response_types_supported": ["token"]},
    ],
    ids=str,
)
def test_a_provider_whose_document_is_wrong_is_gone_to_by_nobody(
    client: Client, connected: Credential, partner: Any, document: dict[str, Any]
) -> None:
    partner.document = document

    assert client.post(START).status_code == 503

    partner.document = {}
    forget_metadata()
    assert client.post(START).status_code == 303


def test_a_disabled_provider_leads_nowhere_and_takes_no_answer(
    acme: Acme,
    client: Client,
    provider: IdentityProvider,
    connected: Credential,
    entered: list[Any],
) -> None:
    back = begin(client)
    with acme.inside():
        IdentityProvider.objects.filter(pk=provider.pk).update(is_enabled=False)

    assert client.get(back).status_code == 400
    assert client.get(START).status_code == 404
    assert client.post(START).status_code == 404
    assert entered == []


@pytest.mark.parametrize("change", [{"is_active": False}, {"frozen_at": "2026-11-20T00:00Z"}])
def test_somebody_disabled_is_not_signed_in(
    acme: Acme, client: Client, connected: Credential, entered: list[Any], change: dict[str, Any]
) -> None:
    with acme.inside():
        User.objects.filter(pk=acme.alice.pk).update(**change)

    assert client.get(begin(client)).status_code == 403
    assert entered == []


def test_another_tenant_has_neither_the_provider_nor_the_account(
    acme: Acme, beta: Beta, client: Client, connected: Credential, partner: Any, entered: list[Any]
) -> None:
    theirs = Client(headers={"host": beta.host})
    assert theirs.get(START).status_code == 404
    back = begin(client)
    for name, morsel in client.cookies.items():
        theirs.cookies[name] = morsel.value
    assert theirs.get(back).status_code == 400

    make_provider(beta, partner)

    assert theirs.get(begin(theirs)).status_code == 403
    assert entered == []


def test_on_the_shared_host_the_organisation_is_named(
    acme: Acme, connected: Credential, entered: list[Any]
) -> None:
    shared = Client(headers={"host": "localhost"})

    assert shared.get(START).status_code == 404
    back = begin(shared, f"{START}?organisation=acme")
    assert shared.get(back).status_code == 303
    assert [user for user, *_ in entered] == [acme.alice]


def test_what_waits_is_sealed_and_ends_after_ten_minutes(
    acme: Acme, client: Client, connected: Credential, entered: list[Any]
) -> None:
    back = begin(client)
    with acme.inside():
        row = Redirection.objects.get()
        assert b"verifier" not in bytes(row.sealed)
        assert (row.expires_at - row.created_at).total_seconds() == 600
        Redirection.objects.update(expires_at=row.created_at)

    assert client.get(back).status_code == 400
    assert entered == []


def test_going_away_is_counted_by_network_address(
    client: Client, provider: IdentityProvider
) -> None:
    answers = [client.post(START).status_code for _ in range(61)]

    assert answers == [303] * 60 + [429]


def test_two_parameters_of_one_name_are_refused(
    client: Client, connected: Credential, entered: list[Any]
) -> None:
    assert client.get(begin(client) + "&code=x").status_code == 400
    assert entered == []
