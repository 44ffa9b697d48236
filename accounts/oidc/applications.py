"""Adding, changing and removing applications. A secret is shown once and kept as a hash."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tenants import audit
from tenants.audit import Party
from tenants.context import get_current_tenant
from tenants.invalid import Invalid, refusal
from tenants.policy import Problem
from tenants.secret import Secret

from ..models import Application
from .rules import MAX_NAME, uris_problem
from .site import SEPARATOR

NAME_TAKEN = "There is an application of this name already."
NO_NAME = "Write a name of at most 100 characters."
IS_PUBLIC = "A public application has no secret."


@dataclass(frozen=True)
class ApplicationSettings:
    """What an administrator sets. first_party: people are not asked whether they agree."""

    name: str
    redirect_uris: Sequence[str]
    logout_uris: Sequence[str] = ()
    first_party: bool = False
    is_enabled: bool = True


def create_application(
    settings: ApplicationSettings, *, public: bool, by: Party, now: datetime
) -> tuple[Application, Secret[str] | None]:
    """A new application and its secret, which is never shown again. Raises Invalid."""
    _check(settings, public=public, own=None)
    row = Application(
        client_id=f"{get_current_tenant().hex}{SEPARATOR}{secrets.token_hex(8)}",
        created_by=by.label[:113],
        created_at=now,
    )
    secret = None if public else _new_secret(row, now)
    _fill(row, settings)
    row.save()
    kind = "public" if public else "confidential"
    _record("application.created", row, by, now, {"kind": kind})
    return row, secret


def change_application(
    row: Application, settings: ApplicationSettings, *, by: Party, now: datetime
) -> None:
    """Saves the settings. One that is disabled ends every sign-in to it. Raises Invalid."""
    _check(settings, public=row.is_public, own=row)
    changed = _fill(row, settings)
    if changed:
        row.save()
        _record("application.changed", row, by, now, {"fields": changed})


def replace_secret(row: Application, *, by: Party, now: datetime) -> Secret[str]:
    """A new secret; the old one is worth nothing from now on. Raises Invalid."""
    if row.is_public:
        raise refusal("", "public", IS_PUBLIC)
    secret = _new_secret(row, now)
    row.save(update_fields=["secret_hash", "secret_changed_at"])
    _record("application.secret_replaced", row, by, now, {})
    return secret


def remove_application(row: Application, *, by: Party, now: datetime) -> None:
    """Removes it with everything that was given to it."""
    _record("application.removed", row, by, now, {})
    row.delete()


def _new_secret(row: Application, now: datetime) -> Secret[str]:
    secret = secrets.token_urlsafe(32)
    row.secret_hash = hashlib.sha256(secret.encode()).digest()
    row.secret_changed_at = now
    return Secret(secret)


def _check(settings: ApplicationSettings, *, public: bool, own: Application | None) -> None:
    found: list[Problem] = []
    name = settings.name
    if not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        found.append(Problem("name", "malformed", NO_NAME))
    elif Application.objects.filter(name=name).exclude(pk=own.pk if own else None).exists():
        found.append(Problem("name", "taken", NAME_TAKEN))
    for field, uris in (
        ("redirect_uris", settings.redirect_uris),
        ("logout_uris", settings.logout_uris),
    ):
        fix = uris_problem(uris, public=public, needed=field == "redirect_uris")
        if fix:
            found.append(Problem(field, "malformed", fix))
    if found:
        raise Invalid(found)


def _fill(row: Application, settings: ApplicationSettings) -> list[str]:
    """Writes the settings into the row; the names of the fields that differ."""
    wanted = {
        "name": settings.name,
        "redirect_uris": list(settings.redirect_uris),
        "logout_uris": list(settings.logout_uris),
        "first_party": settings.first_party,
        "is_enabled": settings.is_enabled,
    }
    changed = [field for field, value in wanted.items() if getattr(row, field) != value]
    for field in changed:
        setattr(row, field, wanted[field])
    return changed


def _record(
    event: str, row: Application, by: Party, now: datetime, data: dict[str, object]
) -> None:
    audit.record(event, actor=by, data={"application": row.name, **data}, now=now)
