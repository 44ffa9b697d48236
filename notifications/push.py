"""Web Push: where a device takes messages, and with which key this installation signs them.

The address a browser names is one of its maker's push service. Only hosts of these services, and
those the operator adds, are ever asked (R-28); in development loopback is one of them.
"""

import base64
import binascii
import ipaddress
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from tenants.keys import binding, installation_mac, tenant_keys

from .models import PushSubscription
from .outbound import OutboundRefused, check_url

SERVICES = (
    "fcm.googleapis.com",
    "updates.push.services.mozilla.com",
    ".push.apple.com",
    ".notify.windows.com",
)
"""Push services of the browsers; one that begins with a dot stands for every name below it."""
LONGEST_ENDPOINT = 1000
POINT_BYTES, AUTH_BYTES = 65, 16
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256


class PushRefused(ValueError):
    """An address or a key that no push service gives."""


@dataclass(frozen=True)
class Target:
    """Where a message goes, and the keys it is encrypted with, as browsers write them."""

    endpoint: str = field(repr=False)
    p256dh: str = field(repr=False)
    auth: str = field(repr=False)

    @property
    def keys(self) -> Mapping[str, str]:
        return {"p256dh": self.p256dh, "auth": self.auth}


@cache
def signing_key() -> ec.EllipticCurvePrivateKey:
    """The key this installation signs with (VAPID): made from the master key, kept nowhere."""
    number = int.from_bytes(
        installation_mac("push", "signing key", 1) + installation_mac("push", "signing key", 2)
    )
    return ec.derive_private_key(number % (_ORDER - 1) + 1, ec.SECP256R1())


def public_key() -> str:
    """Its public part, as `PushManager.subscribe` takes it."""
    point = signing_key().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()


def read_target(given: Any) -> Target:
    """What a browser calls its subscription. Raises PushRefused."""
    keys = given.get("keys") if isinstance(given, dict) else None
    if not isinstance(keys, dict):
        raise PushRefused("not a subscription")
    endpoint, p256dh, auth = given.get("endpoint"), keys.get("p256dh"), keys.get("auth")
    if not (isinstance(endpoint, str) and isinstance(p256dh, str) and isinstance(auth, str)):
        raise PushRefused("not a subscription")
    check_endpoint(endpoint)
    if len(_bytes(auth)) != AUTH_BYTES:
        raise PushRefused("not a secret of a subscription")
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _bytes(p256dh))
    except ValueError:
        raise PushRefused("not a key of a subscription") from None
    return Target(endpoint, p256dh, auth)


def check_endpoint(endpoint: str) -> None:
    """Raises PushRefused for an address that is not one of a known push service."""
    try:
        check_url(endpoint)
        parts = urlsplit(endpoint)
        port = parts.port
    except (OutboundRefused, ValueError):
        raise PushRefused("not an address of a push service") from None
    host = (parts.hostname or "").rstrip(".")
    if len(endpoint) > LONGEST_ENDPOINT or not (_is_known(host, port) or _is_here(host)):
        raise PushRefused("not an address of a push service")


def subscribe(device: UUID, target: Target, now: datetime) -> None:
    """This is where the device of the tenant in force takes its messages from now on."""
    row = PushSubscription.objects.filter(device=device).first()
    if row is None:
        row = PushSubscription(device=device, created_at=now)
    content = {"endpoint": target.endpoint, **target.keys}
    keys = tenant_keys()
    row.sealed = keys.seal(json.dumps(content), binding(keys.tenant, "push", row.id, device))
    row.save()


def unsubscribe(devices: Iterable[UUID]) -> None:
    PushSubscription.objects.filter(device__in=list(devices)).delete()


def subscriptions_of(devices: Sequence[UUID]) -> list[str]:
    """The addresses of messages to these devices, as far as they take any."""
    rows = PushSubscription.objects.filter(device__in=devices).order_by("pk")
    return [str(pk) for pk in rows.values_list("pk", flat=True)]


def open_target(row: PushSubscription) -> Target:
    """Raises SealBroken."""
    keys = tenant_keys()
    bound_to = binding(keys.tenant, "push", row.id, row.device)
    found = json.loads(keys.open(bytes(row.sealed), bound_to).reveal())
    return Target(found["endpoint"], found["p256dh"], found["auth"])


def _is_known(host: str, port: int | None) -> bool:
    if port not in {None, 443}:
        return False
    known = (*SERVICES, *settings.SSPR_PUSH_HOSTS)
    return any(host.endswith(name) if name.startswith(".") else host == name for name in known)


def _is_here(host: str) -> bool:
    """Loopback, while developing."""
    if settings.SSPR_ENV != "development":
        return False
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        raise PushRefused("not base64") from None
