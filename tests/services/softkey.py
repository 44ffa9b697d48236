"""A passkey made of software: builds and signs what an authenticator does, right or wrong.

    key = SoftKey.of(user)                                   # the same key in every run
    row = give_passkey(user, "https://acme.sspr.test")       # inside the tenant's context
    text = key.assertion("https://acme.sspr.test", challenge, handle)

Everything an attacker would bend is an argument of `assertion` or `attestation`.
"""

import hashlib
import json
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor
from fido2.utils import websafe_decode, websafe_encode

from accounts.models import Credential, User
from accounts.passkeys import handle_of, new_passkey
from accounts.webauthn import NewCredential, find_site

UP, UV, AT = 0x01, 0x04, 0x40
VERIFIED = UP | UV
AAGUID = bytes(range(1, 17))
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_MADE = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass
class SoftKey:
    """One P-256 key pair with its credential ID. `counter` is what it signs next."""

    secret: int = field(repr=False)
    credential_id: bytes
    counter: int = 0

    @classmethod
    def of(cls, user: User, name: str = "") -> "SoftKey":
        """The key of a person; with another `name` a further one."""
        seed = f"passkey {user.pk} {name}".encode()
        secret = int.from_bytes(hashlib.sha256(seed).digest()) % (_ORDER - 1) + 1
        return cls(secret, hashlib.sha256(b"id " + seed).digest())

    @property
    def _private(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(self.secret, ec.SECP256R1())

    @property
    def public(self) -> dict[int, Any]:
        """Its public half in COSE's words."""
        numbers = self._private.public_key().public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}

    @property
    def attested(self) -> bytes:
        length = struct.pack(">H", len(self.credential_id))
        return AAGUID + length + self.credential_id + cbor.encode(self.public)

    def assertion(
        self,
        site: str,
        challenge: bytes,
        handle: bytes | None,
        *,
        flags: int = VERIFIED,
        rp_id: str = "",
        kind: str = "webauthn.get",
        credential_id: bytes | None = None,
        **client: Any,
    ) -> str:
        """The browser's JSON. `client` are further members of the client data."""
        told = {"type": kind, "challenge": websafe_encode(challenge), "origin": site, **client}
        client_data = json.dumps({"crossOrigin": False, **told}).encode()
        data = self._data(rp_id or host_of(site), flags)
        signed = data + hashlib.sha256(client_data).digest()
        response = {
            "clientDataJSON": websafe_encode(client_data),
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(self._private.sign(signed, ec.ECDSA(SHA256()))),
            "userHandle": websafe_encode(handle) if handle is not None else None,
        }
        return self._said(response, credential_id)

    def attestation(
        self,
        site: str,
        challenge: bytes,
        *,
        flags: int = VERIFIED | AT,
        rp_id: str = "",
        kind: str = "webauthn.create",
        public: dict[int, Any] | None = None,
        **client: Any,
    ) -> str:
        """What making it on this site comes to, as the browser's JSON."""
        told = {"type": kind, "challenge": websafe_encode(challenge), "origin": site, **client}
        client_data = json.dumps({"crossOrigin": False, **told}).encode()
        attested = self.attested if public is None else self._attested(public)
        data = self._data(rp_id or host_of(site), flags) + (attested if flags & AT else b"")
        response = {
            "clientDataJSON": websafe_encode(client_data),
            "attestationObject": websafe_encode(
                cbor.encode({"fmt": "none", "authData": data, "attStmt": {}})
            ),
            "transports": ["internal", "hybrid", "pigeon"],
        }
        return self._said(response, None)

    def _attested(self, public: dict[int, Any]) -> bytes:
        length = struct.pack(">H", len(self.credential_id))
        return AAGUID + length + self.credential_id + cbor.encode(public)

    def _data(self, rp_id: str, flags: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + struct.pack(">BI", flags, self.counter)

    def _said(self, response: dict[str, Any], credential_id: bytes | None) -> str:
        name = websafe_encode(self.credential_id if credential_id is None else credential_id)
        said = {"id": name, "rawId": name, "type": "public-key", "response": response}
        return json.dumps({**said, "clientExtensionResults": {}})

    def as_new(self) -> NewCredential:
        """As a registration finds it."""
        return NewCredential(self.credential_id, self.attested, "", self.counter, ("internal",))


def host_of(site: str) -> str:
    return urlsplit(site).hostname or ""


def challenge_of(options: str | dict[str, Any]) -> bytes:
    """The challenge in the options of a page."""
    found = json.loads(options) if isinstance(options, str) else options
    return bytes(websafe_decode(found["challenge"]))


def give_passkey(
    user: User, site: str, *, key: SoftKey | None = None, name: str = "Test key"
) -> Credential:
    """Registers the person's key on this site, in the tenant in force."""
    found = find_site(site)
    assert found is not None
    row = new_passkey(user, found, (key or SoftKey.of(user)).as_new(), name, now=_MADE)
    row.save(force_insert=True)
    return row


def own_assertion(user: User, site: str, challenge: bytes, **bent: Any) -> str:
    """What the person's key signs, with their handle; in the tenant's context."""
    key = SoftKey.of(user)
    key.counter = bent.pop("counter", 0)
    handle = bent.pop("handle", handle_of(user))
    return key.assertion(site, challenge, handle, **bent)
