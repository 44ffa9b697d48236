"""PURE of Django. What a device signs, and whether it did: ECDSA on P-256 with SHA-256.

Every text begins with what it is for, so that a signature made for one purpose is good for no
other, and no part of a text holds a line break.
"""

import base64
import binascii
import hashlib
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

SIGNATURE_BYTES = 64
POINT_BYTES = 65


class BadKey(ValueError):
    """Not a public key on P-256."""


def from_base64(text: str) -> bytes:
    """What base64url without padding stands for; nothing where it is not that."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return b""


def to_base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def check_key(point: bytes) -> None:
    """Raises BadKey for what is no uncompressed point of the curve."""
    if len(point) != POINT_BYTES:
        raise BadKey("not an uncompressed point")
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        raise BadKey("not a point of the curve") from None


def is_signed(point: bytes, signature: bytes, text: bytes) -> bool:
    """Whether the holder of this key signed the text; both numbers as WebCrypto writes them."""
    if len(signature) != SIGNATURE_BYTES or not text:
        return False
    half = SIGNATURE_BYTES // 2
    numbers = int.from_bytes(signature[:half]), int.from_bytes(signature[half:])
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        key.verify(encode_dss_signature(*numbers), text, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True


def enrolment_text(code: str, key: str) -> bytes:
    """What proves that whoever enrols a key holds its private half."""
    return _text("sspr authenticator enrolment 1", code, key)


def request_text(device: str, path: str, body: bytes, stamp: int) -> bytes:
    """What every request of a device is signed over; they are all POST."""
    digest = hashlib.sha256(body).hexdigest()
    return _text("sspr authenticator request 1", device, "POST", path, digest, str(stamp))


def decision_text(challenge: UUID, tenant: UUID, number: str, decision: str) -> bytes:
    """What a decision is signed over (R-17)."""
    return _text("sspr authenticator decision 1", str(challenge), str(tenant), number, decision)


def _text(*lines: str) -> bytes:
    if any("\n" in line for line in lines):
        return b""
    return "\n".join(lines).encode()
