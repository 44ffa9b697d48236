"""A provider that acme trusts, and a browser that goes there and back."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.test import Client

from accounts.federation.identities import connect
from accounts.federation.metadata import forget_metadata
from accounts.federation.providers import ProviderSettings, create_provider
from accounts.models import Credential, IdentityProvider, User
from tenants.audit import Party
from tenants.front import forget_fronts
from tenants.keys import forget_keys
from tenants.secret import Secret
from tests.cast import Acme, Organisation
from tests.services.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProviderDouble

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
ADMINISTRATOR = Party("administrator", None, "carol@acme.example")


@pytest.fixture(autouse=True)
def _fresh(db: None) -> Iterator[None]:
    for forget in (forget_keys, forget_fronts, forget_metadata):
        forget()
    yield
    for forget in (forget_keys, forget_fronts, forget_metadata):
        forget()


@pytest.fixture
def partner() -> Iterator[IdentityProviderDouble]:
    double = IdentityProviderDouble()
    double.start()
    yield double
    double.stop()


@pytest.fixture
def provider(acme: Acme, partner: IdentityProviderDouble) -> IdentityProvider:
    return make_provider(acme, partner)


def make_provider(
    organisation: Organisation, double: IdentityProviderDouble, **more: Any
) -> IdentityProvider:
    wanted = {
        "slug": "partner",
        "name": "Partner",
        "issuer": double.issuer,
        "client_id": CLIENT_ID,
        "signs_in": True,
        "proves": True,
        **more,
    }
    with organisation.inside():
        settings = ProviderSettings(**wanted)
        return create_provider(settings, Secret(CLIENT_SECRET), by=ADMINISTRATOR, now=NOW)


def give_account(user: User, provider: IdentityProvider, subject: str) -> Credential:
    """Connects an account at the provider; the tenant's context is open."""
    return connect(user, provider, subject, by=ADMINISTRATOR, address="", now=NOW)


def go_there(sent: Any) -> str:
    """Follows the browser to the provider; the path it is sent back to."""
    assert sent.status_code == 303, sent.content.decode()[-1500:]
    answer = httpx.get(sent.headers["Location"])
    parts = urlsplit(answer.headers["Location"])
    return f"{parts.path}?{parts.query}"


def begin(client: Client, address: str = "/sign-in/with/partner/", **form: str) -> str:
    """Starts at a page of ours; the path of the return."""
    return go_there(client.post(address, form))
