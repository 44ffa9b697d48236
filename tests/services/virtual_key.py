"""Chromium's own authenticator of software, for pages that ask for a passkey."""

import base64
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from playwright.sync_api import CDPSession, Page

from tests.services.softkey import SoftKey, host_of

_OPTIONS = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
    "defaultBackupEligibility": True,
    "defaultBackupState": True,
}


@dataclass
class VirtualKey:
    """The authenticator of one page; it lives as long as the page does."""

    session: CDPSession
    id: str

    @classmethod
    def on(cls, page: Page) -> "VirtualKey":
        session = page.context.new_cdp_session(page)
        session.send("WebAuthn.enable", {"enableUI": False})
        made = session.send("WebAuthn.addVirtualAuthenticator", {"options": _OPTIONS})
        return cls(session, made["authenticatorId"])

    def hold(self, key: SoftKey, site: str, handle: bytes) -> None:
        """Gives it a passkey that was made before."""
        private = ec.derive_private_key(key.secret, ec.SECP256R1()).private_bytes(
            Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
        )
        credential = {
            "credentialId": _text(key.credential_id),
            "isResidentCredential": True,
            "rpId": host_of(site),
            "privateKey": _text(private),
            "userHandle": _text(handle),
            "signCount": key.counter,
        }
        self._send("addCredential", credential=credential)

    def credentials(self) -> list[dict[str, Any]]:
        """What it holds, as the protocol of the browser tells it."""
        found: list[dict[str, Any]] = self._send("getCredentials")["credentials"]
        return found

    def set_back(self, count: int) -> None:
        """Every key it holds counts on from here, as a copy from earlier would."""
        for credential in self.credentials():
            self._send("removeCredential", credentialId=credential["credentialId"])
            self._send("addCredential", credential={**credential, "signCount": count})

    def verifies(self, yes: bool) -> None:
        """Whether its person passes the fingerprint, face or PIN."""
        self._send("setUserVerified", isUserVerified=yes)

    def bogus(self, yes: bool = True) -> None:
        """Whether it signs rubbish from now on."""
        self._send("setResponseOverrideBits", isBogusSignature=yes)

    def _send(self, command: str, **more: Any) -> Any:
        return self.session.send(f"WebAuthn.{command}", {"authenticatorId": self.id, **more})


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
