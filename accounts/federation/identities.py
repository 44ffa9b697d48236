"""Accounts at other services that belong to people here: connected, found, taken away.

Nobody is connected by an email or a name. It takes the person, freshly proved, or an administrator.
"""

from datetime import datetime

from tenants.audit import Party
from tenants.keys import tenant_keys

from ..models import ContactPoint, Credential, IdentityProvider, User
from ..registration.changes import MethodChange, note_change
from .redirections import METHOD, identity_lookup

MOST = 5


class Taken(ValueError):
    """The account there is connected to somebody already, or this person has as many as one may."""


def find_owner(provider: IdentityProvider, subject: str) -> Credential | None:
    """The connected account with its person, in the tenant in force."""
    lookup = identity_lookup(provider.issuer, subject)
    rows = Credential.objects.select_related("user", "user__tenant")
    return rows.filter(method=METHOD, lookup=lookup).exclude(user=None).first()


def connect(
    user: User,
    provider: IdentityProvider,
    subject: str,
    *,
    by: Party,
    address: str,
    now: datetime,
    reason: str = "",
) -> Credential:
    """Connects an account to a person, and tells them. Raises Taken.

    The person's row is locked, so that two connections at once do not exceed what one may have.
    """
    owner = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    own = Credential.objects.filter(user=owner, method=METHOD)
    lookup = identity_lookup(provider.issuer, subject)
    if own.count() >= MOST or Credential.objects.filter(method=METHOD, lookup=lookup).exists():
        raise Taken("connected to somebody, or too many")
    row = Credential(
        user=owner,
        method=METHOD,
        name=provider.name[:64],
        site=provider.pk.hex,
        lookup=lookup,
        confirmed_at=now,
        expires_at=None if may_prove(provider) else now,
        created_at=now,
        tenant_id=tenant_keys().tenant,
    )
    row.write(subject)
    row.save()
    before = list(ContactPoint.objects.filter(user=owner))
    change = MethodChange("registered", METHOD, row.name, before, address, reason)
    note_change(owner, change, by=by, now=now)
    return row


def may_prove(provider: IdentityProvider) -> bool:
    return provider.is_enabled and provider.proves


def follow_provider(provider: IdentityProvider, now: datetime) -> None:
    """Accounts at a provider prove somebody as long as the provider is trusted for that. What was
    passed with them before is void when it is not any more."""
    rows = Credential.objects.filter(method=METHOD, site=provider.pk.hex)
    if may_prove(provider):
        rows.update(expires_at=None)
    else:
        rows.filter(expires_at=None).update(expires_at=now)


def forget_provider(provider: IdentityProvider) -> int:
    """Takes away every account at a provider that goes."""
    rows = Credential.objects.filter(method=METHOD, site=provider.pk.hex)
    return int(rows.delete()[0])
