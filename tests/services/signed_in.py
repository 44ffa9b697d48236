"""A browser of somebody who signed in, without walking through the sign-in."""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts.models import User
from accounts.signin.person import note_proof
from accounts.signin.sessions import SessionStore
from tests.cast import Organisation


def session_key_of(
    organisation: Organisation,
    user: User,
    *,
    proved: Sequence[str] = (),
    proved_at: datetime | None = None,
) -> str:
    """The key of a new session of this person; `proved` names the methods proved at `proved_at`."""
    with organisation.inside():
        user.refresh_from_db()
        store = SessionStore()
        store.create()
        store[SESSION_KEY] = str(user.pk)
        store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        store[HASH_SESSION_KEY] = user.get_session_auth_hash()
        if proved:
            request = RequestFactory().get("/")
            request.session = store
            note_proof(request, proved, proved_at or timezone.now())
        store.save()
    key = store.session_key
    assert key is not None
    return key


def signed_in_client(
    organisation: Organisation,
    user: User,
    *,
    proved: Sequence[str] = (),
    proved_at: datetime | None = None,
) -> Client:
    """A test client with that session, asking the tenant's own host."""
    client = Client(headers={"host": organisation.host, "sec-fetch-site": "same-origin"})
    key = session_key_of(organisation, user, proved=proved, proved_at=proved_at)
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    return client


def prove_session(key: str, method: str = "app_code", *, at: datetime | None = None) -> None:
    """Notes in a session that its person proved this method, as the pages of the proof do.

    For tests that are about what comes after the second factor.
    """
    store = SessionStore(key)
    request = RequestFactory().get("/")
    request.session = store
    note_proof(request, [method], at or timezone.now())
    store.save()


def prove_client(client: Client, method: str = "app_code") -> None:
    """The same for a browser that is signed in."""
    prove_session(client.cookies[settings.SESSION_COOKIE_NAME].value, method)
