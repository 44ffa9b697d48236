"""Adding, changing and removing identity providers. A secret goes in and never comes out."""

from dataclasses import dataclass
from datetime import datetime

from notifications.outbound import OutboundRefused, check_url
from tenants import audit
from tenants.audit import Party
from tenants.invalid import Invalid
from tenants.policy import Problem
from tenants.secret import Secret

from ..models import IdentityProvider
from .identities import follow_provider, forget_provider
from .rules import SLUG

MAX_CLIENT_ID = 255
SCOPES = "openid"


@dataclass(frozen=True)
class ProviderSettings:
    """What an administrator sets. signs_in: people may sign in with it; proves: it proves who
    somebody is when they reset or change something."""

    slug: str
    name: str
    issuer: str
    client_id: str
    signs_in: bool = False
    proves: bool = False
    is_enabled: bool = True


def create_provider(
    settings: ProviderSettings, secret: Secret[str] | None, *, by: Party, now: datetime
) -> IdentityProvider:
    """A new provider; without a secret we are its public client. Raises Invalid."""
    _check(settings, None)
    row = IdentityProvider(scopes=SCOPES, created_at=now)
    _fill(row, settings)
    if secret:
        row.write_secret(secret)
    row.save()
    data = {"provider": row.name, "issuer": row.issuer}
    audit.record("provider.created", actor=by, data=data, now=now)
    return row


def change_provider(
    row: IdentityProvider,
    settings: ProviderSettings,
    secret: Secret[str] | None,
    *,
    by: Party,
    now: datetime,
) -> None:
    """Saves the settings; a secret replaces the one there is. Raises Invalid.

    The issuer stays what it was: accounts were connected with that one. For another client the
    secret has to be given anew, because the old one opens for the old client alone.
    """
    _check(settings, row)
    needs_secret = row.sealed_secret is not None and settings.client_id != row.client_id
    if needs_secret and not secret:
        raise Invalid([Problem("secret", "missing", "Write the secret of the new client.")])
    changed = _fill(row, settings)
    if secret:
        row.write_secret(secret)
        changed.append("secret")
    if changed:
        row.save()
        follow_provider(row, now)
        data = {"provider": row.name, "fields": changed}
        audit.record("provider.changed", actor=by, data=data, now=now)


def remove_provider(row: IdentityProvider, *, by: Party, now: datetime, reason: str = "") -> None:
    """Removes it, and with it every account of people there."""
    forget_provider(row)
    data = {"provider": row.name}
    audit.record("provider.removed", actor=by, reason=reason, data=data, now=now)
    row.delete()


def _check(settings: ProviderSettings, own: IdentityProvider | None) -> None:
    others = IdentityProvider.objects.exclude(pk=own.pk if own is not None else None)
    name, client_id = settings.name, settings.client_id
    checks = (
        ("slug", SLUG.fullmatch(settings.slug), "Use small letters, digits and dashes."),
        ("slug", not others.filter(slug=settings.slug).exists(), "This short name is taken."),
        ("name", name.strip() and len(name) <= 64 and name.isprintable(), "Write a name."),
        (
            "client_id",
            0 < len(client_id) <= MAX_CLIENT_ID and client_id.isprintable(),
            "Write the client ID the provider gave you.",
        ),
        (
            "issuer",
            own is None or own.issuer == settings.issuer,
            "The issuer can't be changed. Add another provider.",
        ),
        (
            "issuer",
            not others.filter(issuer=settings.issuer).exists(),
            "There is a provider with this issuer already.",
        ),
    )
    found = [Problem(field, "malformed", fix) for field, holds, fix in checks if not holds]
    fix = _issuer_problem(settings.issuer)
    if fix:
        found.append(Problem("issuer", "malformed", fix))
    if found:
        raise Invalid(found)


def _issuer_problem(issuer: str) -> str:
    if len(issuer) > 500 or "?" in issuer:
        return "Write the issuer as the provider names it, without ?."
    try:
        check_url(issuer)
    except OutboundRefused as refused:
        return refused.fix
    return ""


def _fill(row: IdentityProvider, settings: ProviderSettings) -> list[str]:
    """Writes the settings into the row; the names of the fields that differ."""
    changed = [name for name, value in vars(settings).items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, getattr(settings, name))
    return changed
