"""An application of a tenant as the tests use it, and what it does step by step."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from django.test import Client

from accounts.models import Application
from accounts.oidc.applications import ApplicationSettings, create_application
from tenants.audit import Party
from tests.cast import Organisation

CALLBACK = "https://app.example/callback"
AFTERWARDS = "https://app.example/bye"
ADMINISTRATOR = Party("administrator", None, "carol@acme.example")
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@dataclass(frozen=True)
class App:
    """An application with its secret; `verifier` is what its PKCE challenges come from."""

    row: Application
    secret: str
    host: str
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def asks(self, **more: Any) -> str:
        """The address it sends a browser to; a parameter of nothing is left out."""
        wanted = {
            "response_type": "code",
            "client_id": self.row.client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid profile email",
            "state": "st-1",
            "nonce": "no-1",
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
            **more,
        }
        query = urlencode({name: value for name, value in wanted.items() if value is not None})
        return f"/oidc/authorize/?{query}"

    def redeems(self, code: str, host: str = "", **more: Any) -> Any:
        """Its call for the tokens of a code."""
        return self.calls(
            "token",
            host,
            **{
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": CALLBACK,
                "code_verifier": self.verifier,
                **more,
            },
        )

    def refreshes(self, token: str, **more: Any) -> Any:
        return self.calls("token", grant_type="refresh_token", refresh_token=token, **more)

    def calls(self, name: str, host: str = "", **form: Any) -> Any:
        """A call it makes by itself, with its client ID and secret in the form."""
        wanted = {"client_id": self.row.client_id, "client_secret": self.secret or None, **form}
        return Client(headers={"host": host or self.host}).post(
            f"/oidc/{name}/",
            urlencode({key: value for key, value in wanted.items() if value is not None}),
            content_type="application/x-www-form-urlencoded",
        )

    def learns(self, access_token: str, host: str = "") -> Any:
        """Its call for the claims about a person."""
        return Client(headers={"host": host or self.host}).get(
            "/oidc/userinfo/", headers={"authorization": f"Bearer {access_token}"}
        )


def make_app(
    organisation: Organisation, name: str = "Intranet", *, public: bool = False, **more: Any
) -> App:
    """An application of the organisation; `more` are further settings."""
    settings = ApplicationSettings(
        **{
            "name": name,
            "redirect_uris": [CALLBACK],
            "logout_uris": [AFTERWARDS],
            "first_party": True,
            **more,
        }
    )
    with organisation.inside():
        row, secret = create_application(settings, public=public, by=ADMINISTRATOR, now=NOW)
    return App(row, secret.reveal() if secret is not None else "", organisation.host)


def sent_back(response: Any) -> dict[str, str]:
    """What an answer sends back to the application; `to` is the address without the query."""
    assert response.status_code == 303, (response.status_code, response.content[:800])
    parts = urlsplit(response.headers["Location"])
    found = {name: value for name, [value] in parse_qs(parts.query).items()}
    return {"to": f"{parts.scheme}://{parts.netloc}{parts.path}", **found}


def code_for(app: App, client: Client, **more: Any) -> str:
    """The code a signed-in person's browser brings to a first-party application."""
    return sent_back(client.get(app.asks(**more)))["code"]


def tokens_for(app: App, client: Client, **more: Any) -> dict[str, Any]:
    answer = app.redeems(code_for(app, client, **more))
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found
