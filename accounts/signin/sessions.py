"""Sessions of people who signed in, as rows of the tenant.

The key is `<tenant>.<256 random bits>`: the first part says behind which tenant's walls to look,
the second proves it. Only a hash of the key is stored. A session ends when it is idle, when it is
old, and at once when its person is disabled or frozen, their epoch is raised, or the tenant is
suspended. The sites of administrators and operators ask for a fresher one (`Lifetime`).
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.utils import timezone

from tenants.context import find_current_tenant, get_current_tenant, tenant_context
from tenants.joined import Joined
from tenants.models import Tenant
from tenants.together import stored

from ..models import Session, User


@dataclass(frozen=True)
class Lifetime:
    """How long a session counts: since it was used last, and since the sign-in."""

    idle: timedelta
    absolute: timedelta


PEOPLE = Lifetime(timedelta(minutes=15), timedelta(hours=8))
ADMINISTRATION = Lifetime(timedelta(minutes=10), timedelta(hours=4))
_SESSION = Joined(s=Session, t=Tenant, u=User)
# A session in use is written at most this often.
TOUCH_EVERY = timedelta(minutes=1)


def tenant_of_key(key: str | None) -> UUID | None:
    """The tenant a session key names; it proves nothing yet."""
    head, dot, _ = (key or "").partition(".")
    try:
        return UUID(hex=head) if dot else None
    except ValueError:
        return None


def key_hash(key: str | None) -> bytes:
    """What is stored of a session's key."""
    return hashlib.sha256((key or "").encode()).digest()


class SessionStore(SessionBase):
    """Django's session interface over `accounts.Session`.

    `lifetime` is what the page that was asked for demands of it.
    """

    lifetime = PEOPLE

    @property
    def tenant(self) -> UUID | None:
        """Behind which tenant's walls the session is looked for."""
        return tenant_of_key(self.session_key)

    def load(self) -> dict[str, Any]:
        row = self._find_row()
        if row is None:
            self._session_key = None
            return {}
        decoded: dict[str, Any] = self.decode(row.data)
        return decoded

    def exists(self, session_key: str) -> bool:
        """A key of 256 random bits is never drawn twice."""
        return False

    def create(self) -> None:
        tenant = find_current_tenant()
        if tenant is None:
            raise CreateError("a session belongs to a tenant")
        self._session_key = _new_key(tenant)
        self.save(must_create=True)
        self.modified = True

    def cycle_key(self) -> None:
        """Gives the session another key, so that whoever knows the old one has nothing (fixation).

        The row stays the same one, with its epoch and its age: a session that was ended meanwhile
        does not come back. Raises UpdateError then.
        """
        tenant, old = self.tenant, self.session_key
        if tenant is None:
            super().cycle_key()
            return
        self._get_session()  # type: ignore[attr-defined]  # not in the stubs
        key = _new_key(tenant)
        with tenant_context(tenant):
            rows = Session.objects.filter(key_hash=key_hash(old))
            if not rows.update(key_hash=key_hash(key)):
                raise UpdateError
        self._session_key = key
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        tenant = tenant_of_key(self.session_key)
        if tenant is None:
            self.create()
            return
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]  # not in the stubs
        with tenant_context(tenant):
            text = self.encode(data)
            if must_create:
                Session.objects.create(
                    key_hash=key_hash(self._get_key()),
                    data=text,
                    expires_at=timezone.now() + PEOPLE.idle,
                    **_person(data),
                )
                return
            rows = Session.objects.filter(key_hash=key_hash(self._get_key()))
            if not rows.update(data=text):
                raise UpdateError
            # Only a session without a person is given one: the epoch of a sign-in never changes,
            # or a request that overlaps with a reset would bring its dead session back to life.
            rows.filter(user=None).update(**_person(data))

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        tenant = tenant_of_key(key)
        if key is None or tenant is None:
            return
        with tenant_context(tenant):
            Session.objects.filter(key_hash=key_hash(key)).delete()

    @classmethod
    def clear_expired(cls) -> None:
        """Expired rows of the tenant in force are removed when their person signs in again."""

    def _get_key(self) -> str:
        key: str = self.session_key or ""
        return key

    def _find_row(self) -> Session | None:
        tenant = tenant_of_key(self.session_key)
        if tenant is None:
            return None
        now = timezone.now()
        with tenant_context(tenant):
            row = _found(self._get_key(), now)
            if row is None or not _is_alive(row) or not _is_fresh(row, self.lifetime, now):
                return None
            _touch(row, now)
        return row


def describe_session(
    key: str | None, *, browser: str, address: str, methods: Sequence[str], now: datetime
) -> None:
    """Notes how and where a new session was begun; what ended long ago goes. In the context."""
    rows = Session.objects.filter(key_hash=key_hash(key))
    rows.update(browser=browser, address=address, methods=list(methods), seen_at=now)
    owner = rows.values("user")
    Session.objects.filter(user__in=owner, expires_at__lt=now - PEOPLE.absolute).delete()


def note_methods(key: str | None, methods: Sequence[str]) -> None:
    """Adds what was proved since to the session's line in the list. In the tenant's context."""
    row = Session.objects.select_for_update().filter(key_hash=key_hash(key)).first()
    if row is not None:
        row.methods = list(dict.fromkeys([*row.methods, *methods]))
        row.save(update_fields=["methods"])


def _found(key: str, now: datetime) -> Session | None:
    """The session with its tenant and, where somebody signed in, its person. Asked at every page,
    so the statement is written by hand. In the tenant's context."""
    values = [stored(value) for value in (get_current_tenant(), key_hash(key), now)]
    for row, tenant, user in _SESSION.rows(_statement(), values):
        row.tenant, row.user = tenant, user
        found: Session = row
        return found
    return None


@cache
def _statement() -> str:
    session, tenant, user = (model._meta.db_table for model in (Session, Tenant, User))
    return (
        f"SELECT {_SESSION.columns} FROM {session} s"  # noqa: S608 - names of ours
        f" JOIN {tenant} t ON t.id = s.tenant_id"
        f" LEFT JOIN {user} u ON u.tenant_id = s.tenant_id AND u.id = s.user_id"
        " WHERE s.tenant_id = %s AND s.key_hash = %s AND s.expires_at > %s"
    )


def _new_key(tenant: UUID) -> str:
    return f"{tenant.hex}.{secrets.token_urlsafe(32)}"


def _person(data: dict[str, Any]) -> dict[str, Any]:
    signed_in = data.get(SESSION_KEY)
    user = User.objects.filter(pk=signed_in).first() if signed_in is not None else None
    return {"user": user, "epoch": user.session_epoch if user is not None else 0}


def _is_alive(row: Session) -> bool:
    if not row.tenant.active:
        return False
    return row.user is None or (row.user.usable and row.epoch == row.user.session_epoch)


def _is_fresh(row: Session, lifetime: Lifetime, now: datetime) -> bool:
    return now - row.seen_at < lifetime.idle and now - row.created_at < lifetime.absolute


def _touch(row: Session, now: datetime) -> None:
    """Moves the end of an idle session on, never past its absolute end."""
    last = row.created_at + PEOPLE.absolute
    ends = min(now + PEOPLE.idle, last)
    if ends - row.expires_at >= TOUCH_EVERY or now - row.seen_at >= TOUCH_EVERY:
        Session.objects.filter(pk=row.pk).update(expires_at=ends, seen_at=now)
