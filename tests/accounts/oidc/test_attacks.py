"""What an attacker tries at the provider: each case stands beside the same step done right."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from joserfc import jwt
from joserfc.jwk import OctKey

from accounts.models import Authorization, Token, User
from tenants.models import AuditEvent
from tests.accounts.oidc.applications import (
    AFTERWARDS,
    App,
    code_for,
    make_app,
    sent_back,
    tokens_for,
)
from tests.cast import Acme, Beta
from tests.services.signed_in import signed_in_client

OFFLINE = "openid offline_access"


@pytest.fixture
def app(acme: Acme) -> App:
    return make_app(acme)


@pytest.fixture
def client(acme: Acme) -> Client:
    return signed_in_client(acme, acme.alice)


def refused(answer: Any, error: str, status: int = 400) -> bool:
    found = (answer.json()["error"], answer.status_code)
    assert found == (error, status), found
    return True


def test_a_code_is_worth_tokens_once_and_the_second_time_ends_the_first(
    acme: Acme, app: App, client: Client
) -> None:
    code = code_for(app, client, scope=OFFLINE)
    first = app.redeems(code).json()
    assert app.learns(first["access_token"]).status_code == 200

    assert refused(app.redeems(code), "invalid_grant")

    assert app.learns(first["access_token"]).status_code == 401
    assert refused(app.refreshes(first["refresh_token"]), "invalid_grant")
    with acme.inside():
        assert AuditEvent.objects.filter(type="application.replayed").count() == 1


def test_a_code_is_worth_nothing_to_another_application(
    acme: Acme, app: App, client: Client
) -> None:
    other = make_app(acme, "Wiki")
    code = code_for(app, client)

    assert refused(other.redeems(code, code_verifier=app.verifier), "invalid_grant")
    assert app.redeems(code).status_code == 200


def test_a_code_is_worth_nothing_after_a_minute(acme: Acme, app: App, client: Client) -> None:
    late, in_time = code_for(app, client), code_for(app, client)
    with acme.inside():
        row = Authorization.objects.order_by("created_at")[0]
        Authorization.objects.filter(pk=row.pk).update(
            code_expires_at=row.code_expires_at - timedelta(seconds=61)
        )

    assert refused(app.redeems(late), "invalid_grant")
    assert app.redeems(in_time).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"code_verifier": "x" * 64},
        {"code_verifier": None},
        {"redirect_uri": "https://app.example/callback/"},
        {"redirect_uri": None},
        {"grant_type": "password"},
    ],
    ids=["other verifier", "no verifier", "other address", "no address", "other grant"],
)
def test_a_code_is_redeemed_with_everything_it_was_asked_with(
    app: App, client: Client, wrong: dict[str, Any]
) -> None:
    answer = app.redeems(code_for(app, client), **wrong)

    assert answer.status_code == 400
    assert "access_token" not in answer.json()
    assert app.redeems(code_for(app, client)).status_code == 200


def test_a_verifier_without_a_challenge_is_refused(app: App, client: Client) -> None:
    """Somebody took the challenge out of the request on its way."""
    plain = {"code_challenge": None, "code_challenge_method": None}

    assert refused(app.redeems(code_for(app, client, **plain)), "invalid_grant")
    assert app.redeems(code_for(app, client, **plain), code_verifier=None).status_code == 200


@pytest.mark.parametrize(
    "wish",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge": "short"},
        {"response_type": "token"},
        {"response_type": "id_token"},
        {"response_type": "code id_token"},
        {"response_type": None},
        {"response_mode": "fragment"},
        {"scope": "profile"},
        {"scope": None},
        {"request": "eyJhbGciOiJub25lIn0.e30."},
        {"request_uri": "https://evil.example/"},
        {"nonce": "n" * 300},
    ],
    ids=str,
)
def test_what_is_not_offered_goes_back_as_an_error(
    acme: Acme, client: Client, wish: dict[str, Any]
) -> None:
    app = make_app(acme, "Public", public=True)

    back = sent_back(client.get(app.asks(**wish)))

    assert back["error"]
    assert "code" not in back
    assert back["state"] == "st-1"
    assert sent_back(client.get(app.asks()))["code"]


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/callback",
        "https://app.example/callback/",
        "https://app.example/callback?x=1",
        "https://app.example/callback#f",
        "https://app.example/Callback",
        "https://app.example:443/callback",
        "https://app.example/callback/../callback",
        "https://app.example@evil.example/callback",
        "http://app.example/callback",
        "javascript:alert(1)",
        "",
        None,
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_letter_by_letter_the_registered_one(
    app: App, client: Client, address: str | None
) -> None:
    answer = client.get(app.asks(redirect_uri=address))

    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert "evil.example" not in answer.content.decode()
    assert client.get(app.asks()).status_code == 303


def test_a_parameter_that_stands_twice_is_refused(app: App, client: Client) -> None:
    twice = client.get(app.asks() + "&redirect_uri=https://evil.example/")

    assert twice.status_code == 400
    assert client.get(app.asks()).status_code == 303


def test_another_tenants_application_does_not_exist_here(
    acme: Acme, beta: Beta, client: Client
) -> None:
    theirs, mine = make_app(beta), make_app(acme)
    forged = App(theirs.row, theirs.secret, acme.host, theirs.verifier)
    moved = theirs.row.client_id.replace(beta.id.hex, acme.id.hex)

    assert client.get(theirs.asks()).status_code == 400
    assert client.get(mine.asks(client_id=moved)).status_code == 400
    assert refused(forged.redeems("x"), "invalid_client", 401)
    assert refused(
        App(mine.row, theirs.secret, acme.host).redeems("x", client_id=moved), "invalid_client", 401
    )
    assert client.get(mine.asks()).status_code == 303


def test_a_code_and_a_token_are_good_in_their_own_tenant_alone(acme: Acme, beta: Beta) -> None:
    mine, theirs = make_app(acme), make_app(beta)
    client = signed_in_client(acme, acme.alice)
    code = code_for(mine, client, scope=OFFLINE)
    tokens = tokens_for(mine, client, scope=OFFLINE)
    access = tokens["access_token"]

    assert refused(theirs.redeems(code, code_verifier=mine.verifier), "invalid_grant")
    assert refused(theirs.refreshes(tokens["refresh_token"]), "invalid_grant")
    assert theirs.learns(access).status_code == 401
    assert theirs.learns(access.replace(acme.id.hex, beta.id.hex)).status_code == 401
    assert mine.learns(access).status_code == 200
    assert mine.redeems(code).status_code == 200


def test_people_of_another_tenant_get_no_code_for_an_application_of_this_one(
    acme: Acme, beta: Beta
) -> None:
    app = make_app(acme)
    client = signed_in_client(beta, beta.alice)
    form = {"request": app.asks().partition("?")[2], "decision": "allow"}

    answers = [
        client.get(app.asks(), headers={"host": "localhost"}),
        client.post("/oidc/answer/", form, headers={"host": "localhost"}),
    ]

    for answer in answers:
        assert "code=" not in answer.headers.get("Location", "").partition("?")[2].replace(
            "response_type%3Dcode", ""
        ).replace("response_type=code", "")
    with acme.inside():
        assert not Authorization.objects.exists()


@pytest.mark.parametrize("secret", ["wrong", "", None])
def test_an_application_needs_its_secret(
    acme: Acme, app: App, client: Client, secret: str | None
) -> None:
    code = code_for(app, client)

    assert refused(app.redeems(code, client_secret=secret), "invalid_client", 401)
    assert app.redeems(code).status_code == 200


def test_a_secret_comes_in_the_header_or_in_the_form_and_not_in_both(
    app: App, client: Client
) -> None:
    def call(password: str, **form: Any) -> Any:
        basic = base64.b64encode(f"{app.row.client_id}:{password}".encode()).decode()
        return Client(headers={"host": app.host}).post(
            "/oidc/token/",
            "&".join(
                f"{name}={value}"
                for name, value in {
                    "grant_type": "authorization_code",
                    "code": code_for(app, client),
                    "redirect_uri": "https%3A//app.example/callback",
                    "code_verifier": app.verifier,
                    **form,
                }.items()
            ),
            content_type="application/x-www-form-urlencoded",
            headers={"authorization": f"Basic {basic}"},
        )

    assert call(app.secret).status_code == 200
    assert refused(call("wrong"), "invalid_client", 401)
    assert refused(call(app.secret, client_secret=app.secret), "invalid_client", 401)


@pytest.mark.parametrize(
    "call",
    [
        {"data": "{}", "content_type": "application/json"},
        {
            "data": "grant_type=\xff".encode("latin-1"),
            "content_type": "application/x-www-form-urlencoded",
        },
        {"data": "grant_type=password&username=a&password=b"},
        {"data": ""},
    ],
    ids=["json", "bytes", "password", "nothing"],
)
def test_a_call_that_is_none_is_refused_plainly(app: App, call: dict[str, Any]) -> None:
    sent = {"content_type": "application/x-www-form-urlencoded", **call}
    if sent["data"] and isinstance(sent["data"], str) and "grant" in sent["data"]:
        sent["data"] += f"&client_id={app.row.client_id}&client_secret={app.secret}"

    answer = Client(headers={"host": app.host}).post("/oidc/token/", **sent)

    assert answer.status_code in {400, 401}
    assert set(answer.json()) <= {"error", "error_description"}


def test_a_refresh_token_is_used_once_and_the_second_time_ends_all(
    acme: Acme, app: App, client: Client
) -> None:
    first = tokens_for(app, client, scope=OFFLINE)
    second = app.refreshes(first["refresh_token"]).json()
    assert app.learns(second["access_token"]).status_code == 200
    assert second["refresh_token"] != first["refresh_token"]
    assert "id_token" in second

    assert refused(app.refreshes(first["refresh_token"]), "invalid_grant")

    assert refused(app.refreshes(second["refresh_token"]), "invalid_grant")
    assert app.learns(second["access_token"]).status_code == 401


def test_a_refresh_token_of_another_application_is_refused_and_stays_good(
    acme: Acme, app: App, client: Client
) -> None:
    other = make_app(acme, "Wiki")
    tokens = tokens_for(app, client, scope=OFFLINE)

    assert refused(other.refreshes(tokens["refresh_token"]), "invalid_grant")
    assert app.refreshes(tokens["refresh_token"], scope="openid").status_code == 200


def test_refreshing_asks_for_no_more_than_was_given(app: App, client: Client) -> None:
    tokens = tokens_for(app, client, scope=OFFLINE)

    assert refused(app.refreshes(tokens["refresh_token"], scope="openid email"), "invalid_scope")


def test_an_access_token_refreshes_nothing_and_a_refresh_token_opens_nothing(
    app: App, client: Client
) -> None:
    tokens = tokens_for(app, client, scope=OFFLINE)

    assert refused(app.refreshes(tokens["access_token"]), "invalid_grant")
    assert app.learns(tokens["refresh_token"]).status_code == 401
    assert app.learns(tokens["access_token"]).status_code == 200


@pytest.mark.parametrize("change", ["reset", "disabled", "frozen", "application", "suspended"])
def test_whoever_may_not_any_more_has_no_token_left(
    acme: Acme, app: App, client: Client, change: str
) -> None:
    """Also after a reset, which raises the epoch of the person (A-121)."""
    tokens = tokens_for(app, client, scope=OFFLINE)
    waiting = code_for(app, client)
    assert app.learns(tokens["access_token"]).status_code == 200

    with acme.inside():
        rows = User.objects.filter(pk=acme.alice.pk)
        if change == "reset":
            rows.update(session_epoch=1)
        elif change == "disabled":
            rows.update(is_active=False)
        elif change == "frozen":
            rows.update(frozen_at=datetime(2026, 11, 20, tzinfo=UTC))
        elif change == "application":
            app.row.is_enabled = False
            app.row.save()
        else:
            acme.tenant.active = False
            acme.tenant.save()

    # A suspended tenant's own host is nobody's any more, so all of it is asked at the shared one.
    shared = App(app.row, app.secret, "localhost", app.verifier)
    assert shared.learns(tokens["access_token"]).status_code == 401
    assert shared.refreshes(tokens["refresh_token"]).status_code in {400, 401}
    assert shared.redeems(waiting).status_code in {400, 401}
    location = client.get(app.asks(), headers={"host": "localhost"}).headers.get("Location", "")
    assert not location.startswith("https://app.example")


def test_revoking_a_token_ends_the_sign_in_for_its_own_application_alone(
    acme: Acme, app: App, client: Client
) -> None:
    other = make_app(acme, "Wiki")
    tokens = tokens_for(app, client, scope=OFFLINE)

    assert other.calls("revoke", token=tokens["refresh_token"]).status_code == 200
    assert app.learns(tokens["access_token"]).status_code == 200
    assert app.calls("revoke", token=tokens["refresh_token"]).status_code == 200
    assert app.learns(tokens["access_token"]).status_code == 401
    assert app.calls("revoke", token="junk").status_code == 200


def test_nothing_that_opens_anything_stands_in_the_database(
    acme: Acme, app: App, client: Client
) -> None:
    code = code_for(app, client, scope=OFFLINE)
    tokens = app.redeems(code).json()
    secrets = [code, app.secret, tokens["access_token"], tokens["refresh_token"]]

    with acme.inside():
        rows = [
            repr(row)
            for model in (type(app.row), Authorization, Token, AuditEvent)
            for row in model.objects.values()
        ]

    assert len(rows) >= 5
    for secret in secrets:
        assert not any(secret in row or secret.rpartition(".")[2] in row for row in rows)


def test_signing_out_ends_what_this_browser_gave_and_goes_back(
    acme: Acme, app: App, client: Client
) -> None:
    tokens = tokens_for(app, client, scope=OFFLINE)
    other_browser = signed_in_client(acme, acme.alice)
    others = tokens_for(app, other_browser, scope=OFFLINE)
    query = {
        "id_token_hint": tokens["id_token"],
        "post_logout_redirect_uri": AFTERWARDS,
        "state": "s",
    }

    left = client.get("/oidc/logout/", query)

    assert left.headers["Location"] == f"{AFTERWARDS}?state=s"
    assert client.get(app.asks()).headers["Location"].startswith("/sign-in/")
    assert app.learns(tokens["access_token"]).status_code == 401
    assert app.learns(others["access_token"]).status_code == 200


def test_nobody_is_signed_out_by_a_link_without_being_asked(
    acme: Acme, app: App, client: Client
) -> None:
    others = tokens_for(app, signed_in_client(acme, acme.bob))
    forged = jwt.encode(
        {"alg": "HS256"},
        {"iss": f"http://{acme.host}/oidc", "aud": app.row.client_id, "sub": "x"},
        OctKey.import_key(b"0" * 32),
    )
    none = "eyJhbGciOiJub25lIn0." + forged.split(".")[1] + "."
    for hint in ("", "junk", forged, none, others["id_token"]):
        query = {"id_token_hint": hint, "post_logout_redirect_uri": AFTERWARDS}
        assert client.get("/oidc/logout/", query).status_code == 200
        assert client.get(app.asks()).status_code == 303

    asked = client.get("/oidc/logout/", {"client_id": app.row.client_id}).context["asked"]
    said_yes = client.post("/oidc/leave/", {"request": asked})

    assert said_yes.status_code == 200
    assert client.get(app.asks()).headers["Location"].startswith("/sign-in/")


def test_signing_out_goes_nowhere_that_is_not_registered(app: App, client: Client) -> None:
    tokens = tokens_for(app, client)
    query = {
        "id_token_hint": tokens["id_token"],
        "post_logout_redirect_uri": "https://evil.example/",
    }

    left = client.get("/oidc/logout/", query)

    assert left.status_code == 200
    assert "evil.example" not in left.content.decode()


def test_an_answer_needs_the_protection_of_the_form(acme: Acme) -> None:
    app = make_app(acme, "Survey", first_party=False)
    client = signed_in_client(acme, acme.alice)
    client.handler.enforce_csrf_checks = True
    form = {"request": app.asks().partition("?")[2], "decision": "allow"}

    assert client.post("/oidc/answer/", form).status_code == 403
    with acme.inside():
        assert not Authorization.objects.exists()
