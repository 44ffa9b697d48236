"""A connected account and the answer of a provider, without going there."""

from datetime import datetime

from accounts.federation.identities import connect
from accounts.federation.redirections import bound_to_challenge, keep_answer
from accounts.federation.rules import AWAY_FOR
from accounts.methods.base import Asked
from accounts.models import Credential, IdentityProvider, Redirection, User
from tenants.audit import Party


def give_external(user: User, now: datetime, *, subject: str = "") -> Credential:
    """Connects an account; its provider is made where the tenant has none yet."""
    provider = IdentityProvider.objects.filter(slug="partner").first()
    provider = provider or IdentityProvider.objects.create(
        slug="partner",
        name="Partner",
        issuer="https://partner.example",
        client_id="sspr",
        signs_in=True,
        proves=True,
        created_at=now,
    )
    by = Party("system", None, "tests")
    return connect(user, provider, subject or f"sub-{user.pk}", by=by, address="", now=now)


def return_of(user: User, asked: Asked, now: datetime, *, subject: str = "") -> str:
    """What the browser of somebody hands on who signed in there for this challenge."""
    row = Redirection(
        provider=IdentityProvider.objects.get(slug="partner"),
        purpose=Redirection.Purpose.PROOF,
        bound_to=bound_to_challenge(asked.challenge),
        browser_hash=bytes(32),
        expires_at=now + AWAY_FOR,
        answered_at=now,
        created_at=now,
    )
    row.write("{}")
    row.save()
    return keep_answer(row, {"to": "/reset/"}, subject or f"sub-{user.pk}", now).value
