"""WebAuthn, through python-fido2, which nothing else imports.

What comes from a browser is parsed and checked here; what is wrong with it is nothing, never an
exception. The library judges type, challenge, hash of the RP ID, presence, user verification and
signature. It does not look at the signature counter, at who the user is, or at other origins than
it is told: those who call this do.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationConveyancePreference,
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorData,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialParameters,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from tenants.limits import MAX_ASSERTION

MAX_ATTESTATION = 16 * 1024
MAX_CREDENTIAL_ID = 1023
CHALLENGE_BYTES = 32
TIMEOUT_MS = 5 * 60 * 1000
ALGORITHMS = (-7, -8, -257)
"""ES256, EdDSA and RS256: one of them every authenticator has."""
_REQUIRED = UserVerificationRequirement.REQUIRED

# It writes down whose key signed; our own trail says what has to be said.
logging.getLogger("fido2").setLevel(logging.WARNING)


@dataclass(frozen=True)
class Site:
    """Where passkeys are made and used: the origin in full, and its host, the RP ID."""

    origin: str
    host: str


@dataclass(frozen=True)
class Named:
    """A credential as options name it. `id` in bytes; transports as the browser called them."""

    id: bytes
    transports: Sequence[str] = ()


@dataclass(frozen=True)
class Assertion:
    """What a passkey signed, well formed and not judged yet."""

    credential_id: bytes
    user_handle: bytes | None
    response: AuthenticationResponse = field(repr=False)


@dataclass(frozen=True)
class NewCredential:
    """A passkey that was just made.

    attested: model, ID and public key, as WebAuthn writes them. aaguid: names its make; zeros when
    it does not say.
    """

    credential_id: bytes
    attested: bytes = field(repr=False)
    aaguid: str
    counter: int
    transports: Sequence[str]


def find_site(origin: str) -> Site | None:
    """The site of a web origin; nothing without one, or where a number stands for the name."""
    parts = urlsplit(origin)
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not host or _is_number(host):
        return None
    usual = {"http": 80, "https": 443}[parts.scheme]
    port = f":{parts.port}" if parts.port not in {None, usual} else ""
    return Site(f"{parts.scheme}://{host}{port}", host)


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def request_options(site: Site, challenge: bytes, named: Sequence[Named] = ()) -> dict[str, Any]:
    """`PublicKeyCredentialRequestOptionsJSON`. Without names the browser offers what it has."""
    known = [_descriptor(one) for one in named] or None
    options, _ = _server(site).authenticate_begin(known, _REQUIRED, challenge)
    return _as_json(options.public_key)


def creation_options(
    site: Site,
    challenge: bytes,
    handle: bytes,
    *,
    user_id: str,
    display_name: str,
    organisation: str,
    existing: Sequence[Named],
) -> dict[str, Any]:
    """`PublicKeyCredentialCreationOptionsJSON`: kept by the device, with user verification."""
    user = PublicKeyCredentialUserEntity(id=handle, name=user_id, display_name=display_name)
    options, _ = _server(site, organisation).register_begin(
        user,
        [_descriptor(one) for one in existing],
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=_REQUIRED,
        challenge=challenge,
    )
    return _as_json(options.public_key)


def find_assertion(text: str) -> Assertion | None:
    """What a browser says that a passkey signed, if it can be that."""
    data = _find_object(text, MAX_ASSERTION)
    if data is None:
        return None
    try:
        response = AuthenticationResponse.from_dict(data)
    except Exception:  # Bytes of a stranger: the parser raises whatever its parts do.
        return None
    return Assertion(response.raw_id, response.response.user_handle, response)


def find_counter(assertion: Assertion, site: Site, challenge: bytes, attested: bytes) -> int | None:
    """The signature counter of an assertion that this credential really made, here and for this
    challenge; nothing when it did not."""
    server = _server(site)
    _, state = server.authenticate_begin(None, _REQUIRED, challenge)
    if assertion.response.response.client_data.cross_origin:
        return None
    try:
        credential = AttestedCredentialData(attested)
        claimed = AttestedCredentialData.create(
            credential.aaguid, assertion.credential_id, credential.public_key
        )
        server.authenticate_complete(state, [claimed], assertion.response)
    except Exception:  # Wrong is wrong, whatever the library or its ciphers call it.
        return None
    counter: int = assertion.response.response.authenticator_data.counter
    return counter


def find_new_credential(text: str, site: Site, challenge: bytes) -> NewCredential | None:
    """The passkey that a browser says was made, if it was made here and for this challenge."""
    data = _find_object(text, MAX_ATTESTATION)
    if data is None:
        return None
    server = _server(site)
    user = PublicKeyCredentialUserEntity(id=b"-", name="-")
    _, state = server.register_begin(user, user_verification=_REQUIRED, challenge=challenge)
    try:
        response = RegistrationResponse.from_dict(data)
        if response.response.client_data.cross_origin:
            return None
        made = server.register_complete(state, response)
        return _new_credential(made, response.raw_id, data)
    except Exception:  # As above: nothing that a browser sends may break a page.
        return None


def _new_credential(
    made: AuthenticatorData, raw_id: bytes, data: Mapping[str, Any]
) -> NewCredential | None:
    credential = made.credential_data
    if credential is None or credential.public_key.ALGORITHM not in ALGORITHMS:
        return None
    is_it = credential.credential_id == raw_id and 0 < len(raw_id) <= MAX_CREDENTIAL_ID
    if not is_it:
        return None
    named = data["response"].get("transports")
    known = [str(one) for one in AuthenticatorTransport]
    return NewCredential(
        credential_id=raw_id,
        attested=bytes(credential),
        aaguid=str(Aaguid(credential.aaguid)),
        counter=made.counter,
        transports=[one for one in known if isinstance(named, list) and one in named],
    )


def credential_id_of(attested: bytes) -> bytes:
    """The ID in stored credential data. Raises ValueError."""
    return bytes(AttestedCredentialData(attested).credential_id)


@cache
def decoy_credential() -> bytes:
    """The data of a credential that nobody has: comparing with it costs what a real one costs."""
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    key = ES256.from_cryptography_key(public)  # type: ignore[no-untyped-call]  # not annotated there
    return bytes(AttestedCredentialData.create(bytes(16), bytes(32), key))


def encoded(value: bytes) -> str:
    """Bytes as WebAuthn's JSON writes them: base64 for addresses, without padding."""
    return str(websafe_encode(value))


def decoded(text: str) -> bytes:
    """The same back. Raises ValueError."""
    return bytes(websafe_decode(text))


def _server(site: Site, organisation: str = "-") -> Fido2Server:
    server = Fido2Server(
        PublicKeyCredentialRpEntity(id=site.host, name=organisation),
        attestation=AttestationConveyancePreference.NONE,
        verify_origin=lambda origin: origin == site.origin,
    )
    server.timeout = TIMEOUT_MS  # type: ignore[assignment]  # None is only how it begins
    server.allowed_algorithms = [
        PublicKeyCredentialParameters(type=PublicKeyCredentialType.PUBLIC_KEY, alg=alg)
        for alg in ALGORITHMS
    ]
    return server


def _descriptor(one: Named) -> PublicKeyCredentialDescriptor:
    transports = [AuthenticatorTransport(name) for name in one.transports] or None
    return PublicKeyCredentialDescriptor(
        type=PublicKeyCredentialType.PUBLIC_KEY, id=one.id, transports=transports
    )


def _as_json(options: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(dict(options)))
    return found


def _find_object(text: str, most: int) -> dict[str, Any] | None:
    """A credential of the right type as JSON, without a name that stands twice."""
    if not text or len(text) > most:
        return None
    try:
        found = json.loads(text, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("type") != "public-key":
        return None
    return found


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name that stands twice")
    return found
