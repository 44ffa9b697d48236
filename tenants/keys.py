"""Keys: one master key outside the database, one data key per tenant wrapped by it (R-6).

From a tenant's data key every purpose gets its own key by HKDF, so that a key for sealing can't be
used for look-ups and the other way round. Destroying the row of `TenantKey` makes everything the
tenant ever sealed unreadable.
"""

import hashlib
import hmac
import os
import time
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from django.conf import settings

from .context import get_current_tenant
from .secret import Secret

if TYPE_CHECKING:
    from .together import Reading

FORMAT = 1
NONCE_BYTES = 12
KEY_BYTES = 32
CACHE_SECONDS = 900
CODE_DIGITS = 6


class SealBroken(ValueError):
    """A sealed value was changed, moved to another row, or sealed with another key."""


def binding(*parts: object) -> bytes:
    """Additional data that ties a sealed value to its place: tenant, user, method, row.

    Each part carries its length, so that no other parts have the same binding.
    """
    return b"".join([_measured(str(part).encode()) for part in parts])


def _measured(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part


def _derive(key: bytes, purpose: str) -> bytes:
    return HKDFExpand(algorithm=SHA256(), length=KEY_BYTES, info=purpose.encode()).derive(key)


def _seal(key: bytes, version: int, plain: bytes, bound_to: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return bytes([FORMAT, version]) + nonce + AESGCM(key).encrypt(nonce, plain, bound_to)


def _open(key: bytes, sealed: bytes, bound_to: bytes) -> bytes:
    if len(sealed) < 2 + NONCE_BYTES or sealed[0] != FORMAT:
        raise SealBroken("not a sealed value")
    nonce, body = sealed[2 : 2 + NONCE_BYTES], sealed[2 + NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, body, bound_to)
    except InvalidTag:
        raise SealBroken("a sealed value does not open here") from None


@dataclass(frozen=True)
class TenantKeys:
    """What a tenant's data keys can do. `versions` maps a key's version to its 32 bytes."""

    tenant: UUID
    current: int
    versions: dict[int, bytes] = field(repr=False)
    # By version and purpose; few, and gone with the keys they come from.
    _derived: dict[tuple[int, str], bytes] = field(default_factory=dict, repr=False, compare=False)

    def _for(self, version: int, purpose: str) -> bytes:
        known = self._derived.get((version, purpose))
        if known is not None:
            return known
        try:
            key = _derive(self.versions[version], purpose)
        except KeyError:
            raise SealBroken("the key of this sealed value is gone") from None
        self._derived[version, purpose] = key
        return key

    def seal(self, plain: str | bytes, bound_to: bytes) -> bytes:
        """AES-256-GCM under the newest key; opens only with the same `bound_to`."""
        data = plain.encode() if isinstance(plain, str) else plain
        return _seal(self._for(self.current, "seal"), self.current, data, bound_to)

    def open(self, sealed: bytes, bound_to: bytes) -> Secret[bytes]:
        """The sealed bytes. Raises SealBroken."""
        blob = bytes(sealed)
        if len(blob) < 2:
            raise SealBroken("not a sealed value")
        return Secret(_open(self._for(blob[1], "seal"), blob, bound_to))

    def open_text(self, sealed: bytes, bound_to: bytes) -> Secret[str]:
        return Secret(self.open(sealed, bound_to).reveal().decode())

    def mac(self, purpose: str, *parts: object) -> bytes:
        """32 bytes that only this installation could have made for exactly these parts.

        Always under the first key: blind indexes and seals of gates must be found again.
        """
        key = self._for(min(self.versions), "mac:" + purpose)
        return hmac.digest(key, binding(*parts), "sha256")

    def code(self, nonce: bytes, bound_to: bytes) -> Secret[str]:
        """The one-time code of a challenge, six digits. It is derived, never stored."""
        key = self._for(min(self.versions), "code")
        digest = hmac.digest(key, _measured(nonce) + bound_to, "sha256")
        number = int.from_bytes(digest[:8], "big") % 10**CODE_DIGITS
        return Secret(f"{number:0{CODE_DIGITS}d}")


def master_key() -> bytes:
    return hashlib.sha256(b"sspr master\x1f" + settings.SSPR_MASTER_KEY.encode()).digest()


@lru_cache(maxsize=32)
def _installation_key(master: bytes, purpose: str) -> bytes:
    """Derived once a purpose; the purposes are words of ours."""
    return _derive(master, f"installation:{purpose}")


def installation_mac(purpose: str, *parts: object) -> bytes:
    """Like `TenantKeys.mac`, for what is counted or looked up across all tenants."""
    return hmac.digest(_installation_key(master_key(), purpose), binding(*parts), "sha256")


def new_wrapped_key(tenant: UUID, version: int) -> bytes:
    return _seal(
        _derive(master_key(), "wrap"),
        1,
        os.urandom(KEY_BYTES),
        binding("tenant key", tenant, version),
    )


def unwrap_key(wrapped: bytes, tenant: UUID, version: int) -> bytes:
    """A tenant's data key. Raises SealBroken when the master key is another one."""
    return _open(
        _derive(master_key(), "wrap"), bytes(wrapped), binding("tenant key", tenant, version)
    )


_cache: dict[UUID, tuple[float, TenantKeys]] = {}


def tenant_keys() -> TenantKeys:
    """The keys of the tenant in force; kept in the process for at most 15 minutes.

    Works in `tenant_reading` too.
    """
    tenant = get_current_tenant()
    kept = _cache.get(tenant)
    if kept is not None and time.monotonic() - kept[0] < CACHE_SECONDS:
        return kept[1]
    [rows] = _wrapped_keys().rows()
    versions = {row.version: unwrap_key(row.wrapped, tenant, row.version) for row in rows}
    if not versions:
        raise SealBroken("this tenant has no key")
    keys = TenantKeys(tenant, max(versions), versions)
    _cache[tenant] = (time.monotonic(), keys)
    return keys


@cache
def _wrapped_keys() -> "Reading":
    from .models import TenantKey
    from .together import Reading

    return Reading(lambda: (TenantKey.objects.all(),))


def forget_keys() -> None:
    _cache.clear()
