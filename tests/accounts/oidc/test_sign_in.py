"""An application signs somebody in: asking, agreeing, and what it gets."""

import re
import time
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import KeySet

from accounts.models import Consent
from accounts.oidc.keys import forget_signing_keys, signing_keys
from tests.accounts.oidc.applications import CALLBACK, App, make_app, sent_back, tokens_for
from tests.cast import Acme, Beta
from tests.services.signed_in import signed_in_client

BROWSER = {"sec-fetch-mode": "navigate", "sec-fetch-site": "cross-site"}


def id_token_of(app: App, tokens: dict[str, Any]) -> dict[str, Any]:
    """The claims, once the signature is checked with the published keys."""
    keys = Client(headers={"host": app.host}).get("/oidc/keys/").json()
    token = jwt.decode(tokens["id_token"], KeySet.import_key_set(keys), algorithms=["RS256"])
    return dict(token.claims)


def test_somebody_signed_in_is_sent_back_with_a_code_that_is_worth_tokens(acme: Acme) -> None:
    app = make_app(acme)
    client = signed_in_client(acme, acme.alice, proved=("app_code",))

    back = sent_back(client.get(app.asks()))
    answer = app.redeems(back["code"])

    assert back["to"] == CALLBACK
    assert (back["state"], back["iss"]) == ("st-1", f"http://{acme.host}/oidc")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    tokens = answer.json()
    assert "refresh_token" not in tokens
    claims = id_token_of(app, tokens)
    assert claims["iss"] == back["iss"]
    assert (claims["aud"], claims["nonce"]) == (app.row.client_id, "no-1")
    assert claims["exp"] - claims["iat"] == 600
    assert abs(claims["auth_time"] - time.time()) < 60
    assert (claims["amr"], claims["acr"]) == (["pwd", "otp", "mfa"], "aal2")
    assert (claims["email"], claims["email_verified"]) == (acme.alice.user_id, True)
    assert claims["preferred_username"] == acme.alice.user_id


def test_the_claims_about_a_person_are_those_of_the_scopes(acme: Acme) -> None:
    app = make_app(acme)
    client = signed_in_client(acme, acme.alice)
    wide, narrow = tokens_for(app, client), tokens_for(app, client, scope="openid")

    told = app.learns(wide["access_token"]).json()
    less = app.learns(narrow["access_token"]).json()

    assert told["sub"] == id_token_of(app, wide)["sub"]
    assert told["name"] == acme.alice.display_name
    assert less == {"sub": told["sub"]}


def test_a_person_has_another_name_at_every_application(acme: Acme) -> None:
    one, other = make_app(acme), make_app(acme, "Wiki")
    client = signed_in_client(acme, acme.alice)

    subjects = {
        app.learns(tokens_for(app, client)["access_token"]).json()["sub"] for app in (one, other)
    }
    again = one.learns(tokens_for(one, client)["access_token"]).json()["sub"]

    assert len(subjects) == 2
    assert again in subjects
    assert str(acme.alice.pk) not in subjects
    assert acme.alice.pk.hex not in subjects


def test_somebody_not_signed_in_signs_in_and_comes_back_to_the_same_request(acme: Acme) -> None:
    app = make_app(acme)
    client = Client(headers={"host": acme.host})

    sent = client.get(app.asks())

    assert sent.status_code == 303
    assert sent.headers["Location"].startswith("/sign-in/?next=%2Foidc%2Fauthorize%2F%3F")


def test_a_browser_from_another_site_is_led_on_by_a_page_so_that_its_cookies_come_along(
    acme: Acme,
) -> None:
    app = make_app(acme)
    client = signed_in_client(acme, acme.alice)

    page = client.get(app.asks(), headers=BROWSER)
    body = page.content.decode()
    [onward] = re.findall(r'content="0;url=([^"]+)"', body)
    back = client.get(onward.replace("&amp;", "&"), headers=BROWSER)

    assert page.status_code == 200
    assert sent_back(back)["to"] == CALLBACK


def test_people_are_asked_once_whether_they_agree(acme: Acme) -> None:
    app = make_app(acme, first_party=False)
    client = signed_in_client(acme, acme.alice)

    page = client.get(app.asks())
    asked = page.context["asked"]
    form = {"request": asked, "decision": "allow"}
    agreed = client.post("/oidc/answer/", form)
    again = client.get(app.asks())
    more = client.get(app.asks(scope="openid profile email offline_access"))

    assert page.status_code == 200
    assert app.row.name in page.content.decode()
    assert sent_back(agreed)["code"]
    assert sent_back(again)["code"]
    assert more.status_code == 200
    with acme.inside():
        assert Consent.objects.get().scopes == ["email", "openid", "profile"]


def test_who_does_not_agree_goes_back_without_a_code(acme: Acme) -> None:
    app = make_app(acme, first_party=False)
    client = signed_in_client(acme, acme.alice)
    asked = client.get(app.asks()).context["asked"]

    back = sent_back(client.post("/oidc/answer/", {"request": asked, "decision": "deny"}))

    assert (back["error"], back["state"]) == ("access_denied", "st-1")
    assert "code" not in back
    with acme.inside():
        assert not Consent.objects.exists()


def test_the_answer_of_a_browser_goes_on_by_a_page(acme: Acme) -> None:
    """Our own policy stops a form that ends on another site."""
    app = make_app(acme, first_party=False)
    client = signed_in_client(acme, acme.alice)
    asked = client.get(app.asks()).context["asked"]

    page = client.post("/oidc/answer/", {"request": asked, "decision": "allow"}, headers=BROWSER)

    assert page.status_code == 200
    assert f"0;url={CALLBACK}?" in page.content.decode()


@pytest.mark.parametrize(
    ("prompt", "error"),
    [("none", "login_required"), ("none login", "invalid_request")],
)
def test_without_a_page_nobody_is_signed_in_who_is_not_yet(
    acme: Acme, prompt: str, error: str
) -> None:
    app = make_app(acme)
    client = Client(headers={"host": acme.host})

    back = sent_back(client.get(app.asks(prompt=prompt)))

    assert (back["to"], back["error"]) == (CALLBACK, error)
    assert back["iss"] == f"http://{acme.host}/oidc"


def test_without_a_page_who_is_signed_in_and_agreed_is_sent_back(acme: Acme) -> None:
    first, third = make_app(acme), make_app(acme, "Survey", first_party=False)
    client = signed_in_client(acme, acme.alice)

    assert sent_back(client.get(first.asks(prompt="none")))["code"]
    assert sent_back(client.get(third.asks(prompt="none")))["error"] == "consent_required"
    assert sent_back(client.get(first.asks(prompt="none", max_age="0")))["error"] == (
        "login_required"
    )


@pytest.mark.parametrize("wish", [{"prompt": "login"}, {"max_age": "0"}, {"max_age": "junk"}])
def test_an_application_can_have_people_sign_in_afresh(acme: Acme, wish: dict[str, str]) -> None:
    app = make_app(acme)
    client = signed_in_client(acme, acme.alice)

    sent = client.get(app.asks(**wish))
    back = sent.headers["Location"]
    still_out = client.get(app.asks())
    # The wish goes along, so that an older session does not do.
    wanted = re.search(r"fresh%3D(\d+)", back)
    assert wanted is not None
    anew = signed_in_client(acme, acme.alice)
    granted = anew.get(app.asks(**wish, fresh=wanted[1]))
    too_old = anew.get(app.asks(**wish, fresh=str(int(time.time()) + 100)))

    assert back.startswith("/sign-in/?next=")
    assert still_out.headers["Location"].startswith("/sign-in/")
    assert sent_back(granted)["code"]
    assert too_old.headers["Location"].startswith("/sign-in/")


def test_a_sign_in_that_is_recent_enough_will_do(acme: Acme) -> None:
    app = make_app(acme)
    client = signed_in_client(acme, acme.alice)

    assert sent_back(client.get(app.asks(max_age="3600")))["code"]


def test_somebody_of_another_organisation_is_asked_to_change_the_account(
    acme: Acme, beta: Beta
) -> None:
    app = make_app(acme)
    client = signed_in_client(beta, beta.alice)

    page = client.get(app.asks(), headers={"host": "localhost"})
    form = {"request": page.context["asked"], "decision": "switch"}
    switched = client.post("/oidc/answer/", form, headers={"host": "localhost"})
    after = client.get(app.asks(), headers={"host": "localhost"})

    assert page.status_code == 200
    assert switched.status_code == 303
    assert after.headers["Location"].startswith("/sign-in/")


def test_on_the_shared_host_the_client_id_says_whose_application_it_is(acme: Acme) -> None:
    app = make_app(acme)
    client = signed_in_client(acme, acme.alice)

    back = sent_back(client.get(app.asks(), headers={"host": "localhost"}))
    answer = app.redeems(back["code"], host="localhost")

    assert back["iss"] == "http://localhost/oidc"
    assert id_token_of(app, answer.json())["iss"] == "http://localhost/oidc"


def test_a_public_application_signs_people_in_with_a_challenge_alone(acme: Acme) -> None:
    app = make_app(acme, public=True, redirect_uris=[CALLBACK, "com.acme.app://signed-in"])
    client = signed_in_client(acme, acme.alice)

    tokens = tokens_for(app, client)
    native = client.get(app.asks(redirect_uri="com.acme.app://signed-in"))

    assert app.secret == ""
    assert app.learns(tokens["access_token"]).status_code == 200
    assert native.headers["Location"].startswith("com.acme.app://signed-in?")


def test_the_document_of_the_provider_names_what_there_is(acme: Acme) -> None:
    client = Client(headers={"host": acme.host})

    told = client.get("/oidc/.well-known/openid-configuration").json()

    assert told["issuer"] == f"http://{acme.host}/oidc"
    assert told["response_types_supported"] == ["code"]
    assert told["code_challenge_methods_supported"] == ["S256"]
    for name, url in told.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            path = url.removeprefix(f"http://{acme.host}")
            assert client.get(path).status_code != 404


def test_the_keys_show_nothing_private_and_old_ones_for_a_while() -> None:
    now = timezone.now()
    first = signing_keys(now)
    token = first.sign({"sub": "x"})
    forget_signing_keys()
    later = signing_keys(now + timedelta(days=90))
    forget_signing_keys()
    much_later = signing_keys(now + timedelta(days=93))

    assert first.current.kid != later.current.kid
    assert later.find_claims(token) == {"sub": "x"}
    assert much_later.current.kid == later.current.kid
    assert much_later.find_claims(token) is None
    private = {"d", "p", "q", "dp", "dq", "qi"}
    assert all(not private & key.keys() for key in later.public()["keys"])
