"""Somebody at the pages of the sign-in, in a browser without JavaScript."""

from typing import Any

from django.test import Client

from tests.cast import PASSWORD, Organisation

SIGN_IN, PROVE = "/sign-in/", "/sign-in/prove/"


def browser(organisation: Organisation, **headers: str) -> Client:
    """A browser at the organisation's own host."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Client(headers={"host": organisation.host, "sec-fetch-site": "same-origin", **named})


def sign_in(client: Client, user_id: str, password: str = PASSWORD, **more: Any) -> Any:
    """Sends the form of the sign-in; `more` are further fields."""
    return client.post(SIGN_IN, {"user_id": user_id, "password": password, **more})


def text_of(response: Any) -> str:
    return str(response.content.decode())
