"""The keys that sign ID tokens: the installation's own, sealed, replaced every ninety days.

The issuer says which site a token is from and the audience which application it is for; the key
only says that this installation made it. Opened outside any tenant's context.
"""

import time
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from tenants.context import tenant_context
from tenants.services import get_platform

from ..models import SigningKey
from .rules import ALGORITHM, KEY_SHOWN_FOR, KEY_SIGNS_FOR

KEY_BITS = 2048
KEPT_SECONDS = 60


@dataclass(frozen=True)
class Keys:
    """What signs now, and all that may still have to be checked with."""

    current: RSAKey = field(repr=False)
    shown: KeySet = field(repr=False)

    def sign(self, claims: dict[str, Any]) -> str:
        header = {"alg": ALGORITHM, "kid": self.current.kid}
        return jwt.encode(header, claims, self.current, algorithms=[ALGORITHM])

    def find_claims(self, token: str) -> dict[str, Any] | None:
        """The claims of a token of ours, whatever its age; nothing when it is not ours."""
        try:
            return dict(jwt.decode(token, self.shown, algorithms=[ALGORITHM]).claims)
        except (JoseError, ValueError):
            return None

    def public(self) -> dict[str, Any]:
        """The document at the address of the keys."""
        return dict(self.shown.as_dict(private=False))


_kept: tuple[float, Keys] | None = None
_lock = Lock()


def signing_keys(now: datetime, *, kept: bool = True) -> Keys:
    """The keys of this installation; a new one is made when none signs any more.

    Two processes that make one at once end with two, of which the newer signs. `kept` where those
    of a moment ago will do: whoever asks for the public ones has just met a new one.
    """
    global _kept  # noqa: PLW0603 - one set of keys a process, like the tenants' own
    with _lock:
        if kept and _kept is not None and 0 <= time.monotonic() - _kept[0] < KEPT_SECONDS:
            return _kept[1]
        with tenant_context(get_platform()):
            keys = _read(now)
        _kept = (time.monotonic(), keys)
        return keys


def forget_signing_keys() -> None:
    """What is kept in the process is read anew."""
    global _kept  # noqa: PLW0603 - the same
    with _lock:
        _kept = None


def _read(now: datetime) -> Keys:
    rows = list(
        SigningKey.objects.filter(created_at__gt=now - KEY_SHOWN_FOR).order_by("created_at")
    )
    if not rows or rows[-1].created_at <= now - KEY_SIGNS_FOR:
        rows.append(_make(now))
        SigningKey.objects.filter(created_at__lte=now - KEY_SHOWN_FOR).delete()
    opened = [_opened(row) for row in rows]
    return Keys(opened[-1], KeySet(list(opened)))


def _make(now: datetime) -> SigningKey:
    key = RSAKey.generate_key(KEY_BITS, auto_kid=True)
    row = SigningKey(kid=str(key.kid), created_at=now)
    row.write(key.as_pem(private=True))
    row.save()
    return row


def _opened(row: SigningKey) -> RSAKey:
    parameters: Any = {"kid": row.kid, "use": "sig", "alg": ALGORITHM}
    return RSAKey.import_key(row.read().reveal(), parameters)
