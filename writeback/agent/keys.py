"""The keys of the day that passwords are sealed to (security 3.6).

A new one is made every day. The one before is kept for a quarter of an hour after the product has
the new one, because jobs that were sealed to it may still come, and is destroyed then: what was
sealed yesterday can't be opened by who takes the agent today.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from ..protocol import SKEW, key_id, key_text
from .files import NotPrivate, destroy, read_private, write_private
from .identity import Identity, decoded, encoded

LASTS = timedelta(hours=24)
KEPT_AFTER = timedelta(minutes=15)


@dataclass(frozen=True)
class DayKey:
    """published: when the product said that it has it."""

    private: X25519PrivateKey = field(repr=False)
    begins: datetime
    published: datetime | None = None

    @property
    def id(self) -> str:
        return key_id(self.private.public_key())

    @property
    def ends(self) -> datetime:
        """A little after its successor is made, so that there is one at every moment."""
        return self.begins + LASTS + KEPT_AFTER


class DayKeys:
    """All keys that are still needed, one file each. For several threads.

    A file that is no key, or that others could read, is destroyed: what was sealed to it is lost,
    and the jobs come again with another.
    """

    def __init__(self, folder: Path, identity: Identity) -> None:
        self._folder = folder
        self._identity = identity
        self._lock = Lock()
        folder.mkdir(mode=0o700, exist_ok=True)
        found = {path: _find_key(path) for path in folder.glob("*.json")}
        for path in [path for path, key in found.items() if key is None]:
            destroy(path)
        self._keys = sorted(filter(None, found.values()), key=lambda key: key.begins)

    def turn(self, now: datetime) -> bool:
        """Makes a new key when it is time and destroys the old; whether there is a new one."""
        with self._lock:
            # A clock that was ahead once may have left a key that has not begun.
            begun = [key for key in self._keys if key.begins <= now + SKEW]
            is_new = not begun or now >= begun[-1].begins + LASTS
            if is_new:
                self._save(DayKey(X25519PrivateKey.generate(), now))
            for key in [key for key in self._keys if self._is_over(key, now)]:
                destroy(self._path(key))
                self._keys.remove(key)
            return is_new

    def find(self, key: str) -> X25519PrivateKey | None:
        """The private key with this id; nothing when it was destroyed or never ours."""
        with self._lock:
            return next((one.private for one in self._keys if one.id == key), None)

    def offers(self) -> list[DayKey]:
        """The keys that a heartbeat tells, oldest first."""
        with self._lock:
            return list(self._keys)

    def written(self, key: DayKey) -> dict[str, Any]:
        """A key as a heartbeat carries it, signed by the agent's identity."""
        public = key.private.public_key().public_bytes_raw()
        text = key_text(self._identity.agent, public, key.begins, key.ends)
        return {
            "key": encoded(public),
            "begins": int(key.begins.timestamp()),
            "ends": int(key.ends.timestamp()),
            "signature": encoded(self._identity.private.sign(text)),
        }

    def note_published(self, keys: list[DayKey], now: datetime) -> None:
        """The product has these now."""
        told = {key.id for key in keys}
        with self._lock:
            for key in [key for key in self._keys if key.id in told and key.published is None]:
                self._save(replace(key, published=now))

    def _save(self, key: DayKey) -> None:
        found = {
            "private": encoded(key.private.private_bytes_raw()),
            "begins": key.begins.isoformat(),
            "published": key.published.isoformat() if key.published else None,
        }
        write_private(self._path(key), json.dumps(found).encode())
        self._keys = [one for one in self._keys if one.id != key.id]
        self._keys = sorted([*self._keys, key], key=lambda one: one.begins)

    def _is_over(self, key: DayKey, now: datetime) -> bool:
        newer = self._keys[self._keys.index(key) + 1 :]
        is_replaced = any(one.published and one.published + KEPT_AFTER <= now for one in newer)
        return is_replaced or key.ends + KEPT_AFTER <= now

    def _path(self, key: DayKey) -> Path:
        return self._folder / f"{key.id}.json"


def _find_key(path: Path) -> DayKey | None:
    try:
        found = json.loads(read_private(path))
        published = found["published"]
        return DayKey(
            X25519PrivateKey.from_private_bytes(decoded(found["private"])),
            datetime.fromisoformat(found["begins"]),
            datetime.fromisoformat(published) if published else None,
        )
    except (NotPrivate, ValueError, KeyError, TypeError):
        return None
