"""A phone with our authenticator, in Python: signs like the app's script does.

phone = give_phone(acme.bob)                 # enrolled and proved, in the tenant's context
phone.ask(client)                            # what it may answer
phone.answer(client, request, "approve", "42")
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from secrets import token_bytes
from typing import Any
from uuid import UUID, uuid4

import http_ece
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.utils import timezone

from accounts.authenticator.approvals import Asking, new_request, number_of
from accounts.authenticator.devices import METHOD, Record, write_record
from accounts.authenticator.signing import (
    decision_text,
    enrolment_text,
    from_base64,
    request_text,
    to_base64,
)
from accounts.methods.base import Asked
from accounts.models import Credential, User
from notifications import push
from tenants.keys import tenant_keys

PENDING, DECIDE = "/authenticator/api/pending/", "/authenticator/api/decide/"
ALERTS, ENROL = "/authenticator/api/alerts/", "/authenticator/api/enrol/"
Send = Callable[[str, bytes, Mapping[str, str]], Any]
_CONFIRMED = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass
class Phone:
    """One device; `device` is what the product calls it once it is enrolled."""

    private: ec.EllipticCurvePrivateKey = field(repr=False)
    device: str = ""
    last: int = 0

    @staticmethod
    def new() -> "Phone":
        return Phone(ec.generate_private_key(ec.SECP256R1()))

    @property
    def point(self) -> bytes:
        public = self.private.public_key()
        return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def id(self) -> UUID:
        return UUID(hex=self.device.partition(".")[2])

    def sign(self, text: bytes) -> str:
        first, second = decode_dss_signature(self.private.sign(text, ec.ECDSA(hashes.SHA256())))
        return to_base64(first.to_bytes(32) + second.to_bytes(32))

    def stamp(self) -> int:
        self.last = max(int(timezone.now().timestamp() * 1000), self.last + 1)
        return self.last

    def headers(self, path: str, body: bytes, stamp: int | None = None) -> dict[str, str]:
        mark = self.stamp() if stamp is None else stamp
        text = request_text(self.device, path, body, mark)
        return {
            "Sspr-Device": self.device,
            "Sspr-Stamp": str(mark),
            "Sspr-Signature": self.sign(text),
        }

    def decision(self, request: Mapping[str, Any], word: str, number: str = "") -> dict[str, str]:
        """What it sends for a request as `pending` showed it."""
        challenge, tenant = UUID(request["challenge"]), UUID(request["tenant"])
        text = decision_text(challenge, tenant, number, word)
        return {
            "request": request["id"],
            "decision": word,
            "number": number,
            "signature": self.sign(text),
        }

    def offer(self, code: str, **more: str) -> dict[str, str]:
        key = to_base64(self.point)
        plain = "".join(sign for sign in code.upper() if sign.isalnum())
        signature = self.sign(enrolment_text(plain, key))
        return {"code": code, "key": key, "signature": signature, "name": "Phone", **more}

    def post(self, send: Send, path: str, content: Mapping[str, Any]) -> Any:
        body = json.dumps(content).encode()
        return send(path, body, self.headers(path, body))

    def requests(self, send: Send) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = body_of(self.post(send, PENDING, {}))["requests"]
        return found

    def answer(self, send: Send, word: str, number: str = "") -> Any:
        """Answers the newest request."""
        request = self.requests(send)[-1]
        return self.post(send, DECIDE, self.decision(request, word, number))


@dataclass(frozen=True)
class Subscriber:
    """A browser's end of Web Push: the keys a message is encrypted for."""

    private: ec.EllipticCurvePrivateKey = field(repr=False)
    secret: bytes = field(repr=False)
    device: UUID = field(default_factory=uuid4)

    @staticmethod
    def new() -> "Subscriber":
        return Subscriber(ec.generate_private_key(ec.SECP256R1()), token_bytes(16))

    def subscription(self, endpoint: str) -> dict[str, Any]:
        """As `PushSubscription.toJSON` says it."""
        public = self.private.public_key()
        point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {"p256dh": to_base64(point), "auth": to_base64(self.secret)}
        return {"endpoint": endpoint, "expirationTime": None, "keys": keys}

    def subscribe(self, endpoint: str, now: datetime) -> str:
        """Its address in messages, in the tenant's context."""
        push.subscribe(self.device, push.read_target(self.subscription(endpoint)), now)
        [address] = push.subscriptions_of([self.device])
        return address

    def read(self, body: bytes) -> dict[str, Any]:
        plain = http_ece.decrypt(
            body, private_key=self.private, auth_secret=self.secret, version="aes128gcm"
        )
        found: dict[str, Any] = json.loads(plain)
        return found


def body_of(response: Any) -> dict[str, Any]:
    """The JSON of an answer, of Django's test client or of the laboratory's browser."""
    body = response.body if hasattr(response, "body") else response.content
    found: dict[str, Any] = json.loads(body)
    return found


def sending(client: Any) -> Send:
    """Sends with Django's test client."""

    def send(path: str, body: bytes, headers: Mapping[str, str]) -> Any:
        return client.post(path, body, content_type="application/json", headers=headers)

    return send


def approve_for(phone: Phone, user: User, asked: Asked, now: datetime) -> None:
    """The person has approved this challenge on the phone; in the tenant's context."""
    request = new_request(asked, Asking(user), now)
    text = decision_text(request.challenge, tenant_keys().tenant, number_of(asked), "approve")
    request.state, request.decided_by = "approved", phone.id
    request.signature = from_base64(phone.sign(text))
    request.save(force_insert=True)


def give_phone(user: User, name: str = "Phone", *, proved: bool = True) -> Phone:
    """A device of this person, in the tenant's context; without codes."""
    phone = Phone.new()
    row = Credential(user=user, method=METHOD, name=name, created_at=_CONFIRMED)
    row.confirmed_at = _CONFIRMED if proved else None
    write_record(row, Record(key=phone.point))
    row.save(force_insert=True)
    phone.device = f"{row.tenant_id.hex}.{row.pk.hex}"
    return phone
