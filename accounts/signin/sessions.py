"""Sessions of the administration site, as rows of the tenant.

The key is `<tenant>.<256 random bits>`: the first part says behind which tenant's walls to look,
the second proves it. Only a hash of the key is stored, and a session of an older epoch is dead.
"""

import hashlib
import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.utils import timezone

from tenants.context import find_current_tenant, tenant_context

from ..models import Session, User


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
            user = User.objects.filter(pk=data.get("_auth_user_id")).first()
            values = {
                "user": user,
                "epoch": user.session_epoch if user else 0,
                "data": self.encode(data),
                "expires_at": timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE),
            }
            if must_create:
                Session.objects.create(key_hash=_hash(self._get_key()), **values)
                return
            rows = Session.objects.filter(key_hash=_hash(self._get_key()))
            if not rows.update(**values):
                raise UpdateError

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
        with tenant_context(tenant):
            row: Session | None = (
                Session.objects.select_related("user")
                .filter(key_hash=_hash(self._get_key()), expires_at__gt=timezone.now())
                .first()
            )
        if row is not None and row.user is not None:
            alive = row.user.usable and row.epoch == row.user.session_epoch
            return row if alive else None
        return row
