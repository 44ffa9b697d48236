"""The installation's own keys towards agents: the signer's, and the one that signs answers.

The signer's private key is in the environment of the signer alone. Everybody else knows its public
keys, current and next, which an agent is given when it is enrolled.
"""

import base64
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from tenants.keys import installation_mac

from .protocol import key_id, successor_text


def find_signer_key() -> Ed25519PrivateKey | None:
    """The signer's private key, where this process is the signer."""
    text = settings.SSPR_SIGNER_KEY
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(text)) if text else None


def signer_public_keys() -> dict[str, Ed25519PublicKey]:
    """What agents pin, by id: the configured public keys, and that of this process if it signs."""
    found = [
        Ed25519PublicKey.from_public_bytes(base64.b64decode(text))
        for text in settings.SSPR_SIGNER_PUBLIC_KEYS
    ]
    own = find_signer_key()
    if own is not None:
        found.append(own.public_key())
    return {key_id(key): key for key in found}


def successors() -> list[dict[str, str]]:
    """What agents are told of signers that another one named; they judge it themselves."""
    pairs = [text.split(":") for text in settings.SSPR_SIGNER_SUCCESSORS]
    return [{"key": key, "signature": signature} for key, signature in pairs]


def name_successor(signer: Ed25519PrivateKey, key: Ed25519PublicKey) -> str:
    """An entry of `SSPR_SIGNER_SUCCESSORS`."""
    signature = signer.sign(successor_text(key.public_bytes_raw()))
    return f"{written(key)}:{base64.b64encode(signature).decode()}"


def answer_key() -> Ed25519PrivateKey:
    """Signs the answers to agents. Made from the master key, so every process has it."""
    return _answer_key(installation_mac("agent answers"))


@lru_cache(maxsize=4)
def _answer_key(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)


def written(key: Ed25519PublicKey) -> str:
    """A public key as it travels: its 32 bytes in Base64."""
    return base64.b64encode(key.public_bytes_raw()).decode()
