"""What people register beside the cast's contacts, apps and questions; for tests that need it.

Each `give_…(user, …)` works in the tenant's context and returns what its owner holds.
"""

import hashlib
import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from accounts.backup_codes import new_set
from accounts.models import Approval, Credential, User, credential_lookup
from accounts.oath import OathToken
from accounts.passes import issue_pass
from accounts.tokens import METHOD as HARDWARE_TOKEN
from accounts.yubikey import checksum, to_modhex
from accounts.yubikeys import METHOD as YUBIKEY
from accounts.yubikeys import Inside, lookup_of
from tenants.audit import Party

HELP_DESK = Party("administrator", None, "help desk")
_MADE = datetime(2026, 11, 1, tzinfo=UTC)
_numbers = itertools.count(1)


def give_backup_codes(user: User, now: datetime = _MADE) -> list[str]:
    """Ten codes."""
    return [code.reveal() for code in new_set(user, now=now)[1]]


def give_pass(user: User, now: datetime, *, minutes: int = 60, once: bool = True) -> str:
    issued = issue_pass(
        user,
        lifetime=timedelta(minutes=minutes),
        once=once,
        reason="Known by voice",
        by=HELP_DESK,
        now=now,
    )
    return issued.reveal()


def token_of(user: User, **how: Any) -> OathToken:
    """The token that `give_token` registers, the same in every run."""
    seed = hashlib.sha256(f"token of {user.user_id}".encode()).digest()[:20]
    return OathToken(seed, **how)


def give_token(user: User | None, token: OathToken, serial: str = "") -> Credential:
    """A token of this person, or one that waits for its owner."""
    number = serial or f"T{next(_numbers):06d}"
    row = Credential(
        user=user,
        method=HARDWARE_TOKEN,
        name=number,
        lookup=credential_lookup(HARDWARE_TOKEN, number),
        created_at=_MADE,
        confirmed_at=_MADE if user is not None else None,
    )
    row.write(token.to_json())
    row.save(force_insert=True)
    return row


def token_code(token: OathToken, now: datetime, *, steps: int = 0) -> str:
    """What a time-based token shows `steps` after `now`."""
    return token.code(int(now.timestamp()) // token.period + steps)


@dataclass
class YubiKey:
    """A key as its owner has it: it types and counts."""

    public: bytes
    key: bytes = field(repr=False)
    private: bytes = field(repr=False)
    sessions: int = 1
    uses: int = 0

    @property
    def public_id(self) -> str:
        return to_modhex(self.public)

    def touch(self) -> str:
        """What the next touch types."""
        text = self.typed(self.sessions, self.uses)
        self.uses += 1
        return text

    def plug_in(self) -> None:
        self.sessions, self.uses = self.sessions + 1, 0

    def typed(self, sessions: int, uses: int) -> str:
        body = self.private + sessions.to_bytes(2, "little") + b"\x01\x02\x03"
        body += bytes([uses]) + b"\x07\x08"
        block = body + (checksum(body) ^ 0xFFFF).to_bytes(2, "little")
        cipher = Cipher(algorithms.AES(self.key), modes.ECB()).encryptor()  # noqa: S305 - as the key does
        return self.public_id + to_modhex(cipher.update(block) + cipher.finalize())


def yubikey_of(user: User) -> YubiKey:
    """A key that nobody registered yet, the same in every run."""
    digest = hashlib.sha256(f"key of {user.user_id}".encode()).digest()
    return YubiKey(digest[:6], digest[6:22], digest[22:28])


def give_yubikey(user: User | None, key: YubiKey, *, ours: bool = True) -> Credential:
    """Registered, with its secrets or, where not `ours`, for a validation server to judge."""
    inside = Inside(key.key, key.private) if ours else Inside()
    row = Credential(
        user=user,
        method=YUBIKEY,
        name=key.public_id,
        lookup=lookup_of(key.public_id),
        created_at=_MADE,
        confirmed_at=_MADE if user is not None else None,
    )
    row.write(inside.to_json())
    row.save(force_insert=True)
    return row


def give_manager(user: User, manager: User | None) -> None:
    user.manager = manager
    user.save(update_fields=["manager"])


def answer_approval(user: User, asked: Any, now: datetime, decision: str = "approved") -> Approval:
    """What the manager said to this challenge."""
    values = {
        "user": user,
        "approver": user.manager,
        "token_hash": hashlib.sha256(str(asked.challenge).encode()).digest(),
        "reference": asked.reference,
        "decision": decision,
        "decided_at": now,
        "used_at": None,
        "created_at": now,
        "expires_at": now + timedelta(minutes=15),
    }
    row: Approval = Approval.objects.update_or_create(challenge=asked.challenge, defaults=values)[0]
    return row
