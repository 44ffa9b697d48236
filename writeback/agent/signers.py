"""Whose jobs an agent believes: the signers it was given when it was enrolled, and whom they name.

A signer that is to be replaced names its successor, in a signature that only its own key makes. So
the product's keys change without an administrator at each agent, and who can answer for the product
but has no signer's key changes nothing.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ..protocol import key_id, successor_text
from .identity import Identity, decoded, public_key

MOST = 32
"""Signers that an agent knows at the most, and names that it reads at once."""
Keys = Mapping[str, Ed25519PublicKey]

log = logging.getLogger("sspr-agent")


class Signers:
    """`keys` is always the same mapping: who has it sees a signer that is named later."""

    def __init__(self, identity: Identity, folder: Path) -> None:
        self._identity = identity
        self._folder = folder
        self._keys = dict(identity.signers)
        self.keys: Keys = self._keys

    def hear(self, found: Any) -> None:
        """What a heartbeat brought: `[{"key", "signature"}]`, of which nothing is believed."""
        known = with_successors(self._keys, found)
        if len(known) == len(self._keys):
            return
        try:
            replace(self._identity, signers=known).save(self._folder)
        except OSError as error:
            # It is named again at the next heartbeat; until the agent ends it is known anyway.
            log.warning("a new signer could not be kept: %s", error.strerror)
        self._keys.update(known)
        log.info("signers known from now on: %s", ", ".join(sorted(known)))


def with_successors(known: Keys, found: Any) -> dict[str, Ed25519PublicKey]:
    """PURE. The known signers, and whom they name, and whom those name. What is no name, or of
    nobody known, is passed over."""
    all_known, names = dict(known), _names(found)
    for _ in names:
        for key, signature in names:
            if len(all_known) < MOST and _is_named(key, signature, all_known):
                all_known[key_id(key)] = key
    return all_known


def _names(found: Any) -> Sequence[tuple[Ed25519PublicKey, bytes]]:
    names = []
    for each in found[:MOST] if isinstance(found, list) else ():
        with suppress(ValueError, KeyError, TypeError):
            names.append((public_key(each["key"]), decoded(each["signature"])))
    return names


def _is_named(key: Ed25519PublicKey, signature: bytes, known: Keys) -> bool:
    text = successor_text(key.public_bytes_raw())
    for signer in known.values():
        try:
            signer.verify(signature, text)
        except InvalidSignature:
            continue
        return True
    return False
