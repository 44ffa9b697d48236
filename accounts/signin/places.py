"""Places a person signed in from: network addresses and browsers, kept as keyed hashes only.

A browser is known by a random token in a cookie of its own, which opens nothing.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from tenants.keys import tenant_keys
from tenants.pages import address_of

from ..models import FamiliarPlace
from .lockout import FAMILIAR_FOR, is_familiar

MOST_KEPT = 20
"""Places of one person; the one that was not seen for longest makes room."""
TOKEN_LENGTH = 43


@dataclass(frozen=True)
class Place:
    """Where a request comes from. `token` is empty for a browser that was never here."""

    address: str
    token: str = field(repr=False)


def place_of(request: HttpRequest) -> Place:
    token = request.COOKIES.get(settings.BROWSER_COOKIE_NAME, "")
    return Place(address_of(request), token if len(token) == TOKEN_LENGTH else "")


def is_known(subject: bytes, place: Place, now: datetime) -> bool:
    """Whether somebody signed in with this user ID from that address or browser."""
    rows = FamiliarPlace.objects.filter(subject=subject, place__in=_hashes(subject, place))
    return any(is_familiar(row.seen_at, now) for row in rows)


def note_place(subject: bytes, place: Place, now: datetime) -> None:
    """Remembers where a person signed in from."""
    for hashed in _hashes(subject, place):
        FamiliarPlace.objects.update_or_create(
            subject=subject, place=hashed, defaults={"seen_at": now}
        )
    rows = FamiliarPlace.objects.filter(subject=subject).order_by("-seen_at", "id")
    old = list(rows.values_list("pk", flat=True)[MOST_KEPT:])
    if old:
        FamiliarPlace.objects.filter(pk__in=old).delete()
    FamiliarPlace.objects.filter(subject=subject, seen_at__lt=now - FAMILIAR_FOR).delete()


def new_token() -> str:
    return secrets.token_urlsafe(32)


def with_browser_cookie(response: HttpResponse, token: str) -> HttpResponse:
    """Lets the browser be recognised for as long as a place stays familiar."""
    response.set_cookie(
        settings.BROWSER_COOKIE_NAME,
        token,
        max_age=int(FAMILIAR_FOR.total_seconds()),
        secure=settings.SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def _hashes(subject: bytes, place: Place) -> Iterable[bytes]:
    keys = tenant_keys()
    found = [keys.mac("place", subject.hex(), "address", place.address)]
    if place.token:
        found.append(keys.mac("place", subject.hex(), "browser", place.token))
    return found
