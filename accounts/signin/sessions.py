"""Sessions of the administration site, as rows of the tenant.

The key is `<tenant>.<256 random bits>`: the first part says behind which tenant's walls to look,
the second proves it. Only a hash of the key is stored. A session ends when it is idle for
`IDLE`, `SESSION_COOKIE_AGE` after the sign-in at the latest, and at once when its person is
disabled or frozen, their epoch is raised, or the tenant is suspended.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.utils import timezone

from tenants.context import find_current_tenant, tenant_context

from ..models import Session, User

IDLE = timedelta(minutes=10)
# A session in use is written at most this often.
TOUCH_EVERY = timedelta(minutes=1)


def tenant_of_key(key: str | None) -> UUID | None:
    """The tenant a session key names; it proves nothing yet."""
    head, dot, _ = (key or "").partition(".")
    try:
        return UUID(hex=head) if dot else None
    except ValueError:
        return None


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


class SessionStore(SessionBase):
    """Django's session interface over `accounts.Session`."""

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
        self._session_key = f"{tenant.hex}.{secrets.token_urlsafe(32)}"
        self.save(must_create=True)
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
                    key_hash=_hash(self._get_key()),
                    data=text,
                    expires_at=timezone.now() + IDLE,
                    **_person(data),
                )
                return
            rows = Session.objects.filter(key_hash=_hash(self._get_key()))
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
            Session.objects.filter(key_hash=_hash(key)).delete()

    @classmethod
    def clear_expired(cls) -> None:
        """Expired rows of the tenant in force are removed by `accounts.services.purge`."""

    def _get_key(self) -> str:
        key: str = self.session_key or ""
        return key

    def _find_row(self) -> Session | None:
        tenant = tenant_of_key(self.session_key)
        if tenant is None:
            return None
        now = timezone.now()
        with tenant_context(tenant):
            row: Session | None = (
                Session.objects.select_related("user", "tenant")
                .filter(key_hash=_hash(self._get_key()), expires_at__gt=now)
                .first()
            )
            if row is None or not _is_alive(row):
                return None
            _touch(row, now)
        return row


def _person(data: dict[str, Any]) -> dict[str, Any]:
    signed_in = data.get(SESSION_KEY)
    user = User.objects.filter(pk=signed_in).first() if signed_in is not None else None
    return {"user": user, "epoch": user.session_epoch if user is not None else 0}


def _is_alive(row: Session) -> bool:
    if not row.tenant.active:
        return False
    return row.user is None or (row.user.usable and row.epoch == row.user.session_epoch)


def _touch(row: Session, now: datetime) -> None:
    """Moves the end of an idle session on, never past its absolute end."""
    last = row.created_at + timedelta(seconds=settings.SESSION_COOKIE_AGE)
    ends = min(now + IDLE, last)
    if ends - row.expires_at >= TOUCH_EVERY:
        Session.objects.filter(pk=row.pk).update(expires_at=ends)
