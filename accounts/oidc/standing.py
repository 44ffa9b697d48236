"""Who sits at this browser, since when and by which methods, for an application that asks."""

import hashlib
import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest

from tenants.context import tenant_context

from ..models import Application, Consent, Session, User
from ..signin.person import find_signed_in

SIGNED_IN_WITH = "signed_in_with"
"""Where the session remembers the methods of its sign-in."""


@dataclass(frozen=True)
class Standing:
    """A signed-in person as a session has them.

    since: when they proved last who they are. required_since: not before when an application that
    asked for it wants that (it sent them to sign in then).
    """

    user: User
    session_hash: bytes
    since: datetime
    methods: tuple[str, ...]
    required_since: datetime | None = None

    def is_fresh_for(self, request: Any, now: datetime) -> bool:
        """Whether the sign-in is recent enough for `prompt=login` and `max_age` of a request."""
        if self.required_since is not None:
            return self.since >= self.required_since
        wants_login = "login" in (request.prompt or "").split()
        age = max_age_of(request)
        return not wants_login and (age is None or (now - self.since).total_seconds() <= age)


def max_age_of(request: Any) -> int | None:
    """`max_age` in seconds; what is no number asks for a sign-in now."""
    text = request.max_age
    if text is None or text == "":
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def find_standing(request: HttpRequest, fresh: str = "") -> Standing | None:
    """The person of this browser. `fresh`: seconds since 1970 after which they had to sign in."""
    person = find_signed_in(request)
    if person is None:
        return None
    key_hash = hashlib.sha256((request.session.session_key or "").encode()).digest()
    with tenant_context(person.tenant.pk):
        row = Session.objects.filter(key_hash=key_hash).first()
    if row is None:
        return None
    begun = tuple(request.session.get(SIGNED_IN_WITH, ("password",)))
    methods = tuple(dict.fromkeys((*begun, *person.proved_with)))
    since = max(row.created_at, person.proved_at or row.created_at)
    return Standing(person.user, key_hash, since, methods, _moment(fresh))


def _moment(text: str) -> datetime | None:
    if not text or not text.isascii() or not text.isdigit() or len(text) > 12:
        return None
    return datetime.fromtimestamp(math.floor(int(text)), UTC)


def has_consent(application: Application, user: User, scopes: Collection[str]) -> bool:
    """Whether the person agreed to all of it before, or need not be asked."""
    if application.first_party:
        return True
    given = Consent.objects.filter(application=application, user=user).first()
    return given is not None and set(scopes) <= set(given.scopes)
