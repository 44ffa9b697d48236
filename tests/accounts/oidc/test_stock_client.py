"""A stock client (Authlib) signs somebody in over the wire, past whatever pages stand between."""

import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from accounts.models import User
from accounts.oidc.keys import forget_signing_keys
from tenants.services import get_platform
from tests.accounts.oidc.applications import AFTERWARDS, CALLBACK, App, make_app
from tests.cast import PASSWORD, Acme
from tests.resets.visitor import Form, Page

MOST_PAGES = 12


@dataclass
class Walker:
    """A browser without scripts; `pressed` are the forms it sent, by their addresses."""

    user: User
    site: str
    pressed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client = httpx.Client(timeout=20)

    def walk(self, url: str, goal: str) -> str:
        """Signs in, puts off whatever can be, until it is sent to the goal."""
        answer = self.client.get(url)
        for _ in range(MOST_PAGES):
            if answer.status_code in {302, 303}:
                location = urljoin(str(answer.url), answer.headers["Location"])
                if location.startswith(goal):
                    return location
                answer = self.client.get(location)
                continue
            page = Page(_Shaped(answer))
            assert page.status == 200, (str(answer.url), page.text)
            form = self._form_of(page)
            self.pressed.append(form.action)
            action = urljoin(str(answer.url), form.action)
            answer = self.client.post(action, data=form.values)
        raise AssertionError(f"never came to {goal}: {self.pressed}")

    def _form_of(self, page: Page) -> Form:
        """The form to send: "not now" where there is one, else the password."""
        posts = [form for form in page.forms if form.method == "post"]
        later = next((form for form in posts if form.values.get("later") == "1"), None)
        if later is not None:
            return later
        [form] = [form for form in posts if "password" in form.values]
        form.values |= {"user_id": self.user.user_id, "password": PASSWORD}
        return form


class _Shaped:
    """An answer of httpx as the reader of pages expects it."""

    def __init__(self, answer: httpx.Response) -> None:
        self.status_code, self.headers, self.content = (
            answer.status_code,
            answer.headers,
            answer.content,
        )


@pytest.fixture
def app(live_url: str, acme: Acme) -> App:
    forget_signing_keys()
    get_platform()
    return make_app(acme)


@pytest.mark.parametrize("who", ["alice", "eve"], ids=["registered", "nothing registered"])
@pytest.mark.filterwarnings("ignore:The httpx module is deprecated")
def test_a_stock_client_signs_somebody_in_reads_refreshes_and_signs_out(
    live_url: str, acme: Acme, app: App, who: str
) -> None:
    from authlib.integrations.httpx_client import OAuth2Client

    provider = httpx.get(f"{live_url}/oidc/.well-known/openid-configuration").json()
    stock: Any = OAuth2Client(
        client_id=app.row.client_id,
        client_secret=app.secret,
        scope="openid profile email offline_access",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
    )
    url, state = stock.create_authorization_url(
        provider["authorization_endpoint"], code_verifier=app.verifier, nonce="n-0S6"
    )
    user: User = getattr(acme, who)
    walker = Walker(user, live_url)

    back = walker.walk(url, CALLBACK)
    token = stock.fetch_token(
        provider["token_endpoint"],
        authorization_response=back,
        state=state,
        code_verifier=app.verifier,
    )
    keys = KeySet.import_key_set(httpx.get(provider["jwks_uri"]).json())
    claims = _checked(token["id_token"], keys, provider["issuer"], app.row.client_id)
    told = stock.get(provider["userinfo_endpoint"]).json()
    newer = stock.refresh_token(provider["token_endpoint"], refresh_token=token["refresh_token"])
    leave = httpx.URL(
        provider["end_session_endpoint"],
        params={"id_token_hint": token["id_token"], "post_logout_redirect_uri": AFTERWARDS},
    )
    left = walker.walk(str(leave), AFTERWARDS)

    assert provider["issuer"] == f"{live_url}/oidc"
    assert any("/sign-in/" in action for action in walker.pressed)
    # Who has nothing registered is asked to, says "not now", and is signed in all the same.
    asked = any("/security-info/register/" in action for action in walker.pressed)
    assert asked is (who == "eve")
    assert claims["nonce"] == "n-0S6"
    assert told["sub"] == claims["sub"]
    assert told["preferred_username"] == user.user_id
    assert newer["access_token"] != token["access_token"]
    assert left == AFTERWARDS
    assert stock.get(provider["userinfo_endpoint"]).status_code == 401


def _checked(token: str, keys: KeySet, issuer: str, client_id: str) -> dict[str, Any]:
    """The claims of an ID token, validated as a client does it."""
    found = jwt.decode(token, keys, algorithms=["RS256"])
    registry = jwt.JWTClaimsRegistry(
        now=int(time.time()),
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": client_id},
        exp={"essential": True},
        sub={"essential": True},
    )
    registry.validate(found.claims)
    return dict(found.claims)
