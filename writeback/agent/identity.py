"""Who an agent is, and whom it believes: kept in one file that nobody else reads."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ..protocol import key_id
from ..words import fingerprint
from .files import NotPrivate, read_private, write_private

FILE = "identity.json"


class NotEnrolled(Exception):
    """There is no identity here, or none that can be believed. The text says why."""


@dataclass(frozen=True)
class Identity:
    """private: the agent's own key; signers: the product's keys that jobs are signed with, by their
    ids; api: the product's key that answers are signed with. Both were pinned at the enrolment, but
    for signers that one of these named since (`signers`)."""

    agent: UUID
    tenant: UUID
    group: UUID
    private: Ed25519PrivateKey = field(repr=False)
    signers: Mapping[str, Ed25519PublicKey]
    api: Ed25519PublicKey

    def words(self) -> tuple[str, ...]:
        return fingerprint(self.private.public_key().public_bytes_raw())

    def save(self, folder: Path) -> None:
        found = {
            "agent": str(self.agent),
            "tenant": str(self.tenant),
            "group": str(self.group),
            "private": encoded(self.private.private_bytes_raw()),
            "signers": [encoded(key.public_bytes_raw()) for key in self.signers.values()],
            "api": encoded(self.api.public_bytes_raw()),
        }
        write_private(folder / FILE, json.dumps(found, indent=1).encode())


def is_enrolled(folder: Path) -> bool:
    return (folder / FILE).exists()


def load_identity(folder: Path) -> Identity:
    """Raises NotEnrolled."""
    path = folder / FILE
    try:
        found = json.loads(read_private(path))
        return Identity(
            agent=UUID(found["agent"]),
            tenant=UUID(found["tenant"]),
            group=UUID(found["group"]),
            private=Ed25519PrivateKey.from_private_bytes(decoded(found["private"])),
            signers=read_signers(found["signers"]),
            api=public_key(found["api"]),
        )
    except FileNotFoundError:
        raise NotEnrolled(f"{path}: no identity here; enrol this agent first") from None
    except NotPrivate:
        raise NotEnrolled(f"{path}: others can read this key; enrol again") from None
    except OSError as error:
        raise NotEnrolled(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise NotEnrolled(f"{path}: this is no identity; enrol again") from None


def read_signers(keys: Any) -> dict[str, Ed25519PublicKey]:
    """The signers by their ids, which are taken from the keys themselves. Raises ValueError or
    TypeError for anything that is not at least one key."""
    found = [public_key(key) for key in keys]
    if not found:
        raise ValueError("no signer")
    return {key_id(key): key for key in found}


def public_key(text: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(decoded(text))


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
