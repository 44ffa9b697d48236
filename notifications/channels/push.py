"""Web Push (RFC 8030, 8291, 8292): an encrypted word that something waits in the app."""

import json
import time
from uuid import UUID

from django.conf import settings

from .. import outbound
from ..models import PushSubscription
from ..outbound import OutboundFailed, OutboundRefused
from ..push import PushRefused, Target, check_endpoint, open_target, signing_key
from .base import Delivery, DeliveryFailed, OutgoingMessage

PATIENCE = 300
"""For how many seconds the push service keeps a message for a phone that is off."""
TOKEN_LIFETIME = 3600
_GONE = (404, 410)
_BUSY = (408, 425, 429)


class PushChannel:
    """Sends to the one device a message is addressed to; forgets it once it is gone."""

    def send(self, message: OutgoingMessage) -> Delivery:
        row = _find_subscription(message.to.reveal())
        if row is None:
            raise DeliveryFailed("not_subscribed", permanent=True)
        target = open_target(row)
        status = _post(target, message)
        if status in _GONE:
            row.delete()
            raise DeliveryFailed("not_subscribed", permanent=True)
        if status in _BUSY or status >= 500:
            raise DeliveryFailed(f"push_{status}", permanent=False)
        if status >= 300:
            raise DeliveryFailed(f"push_{status}", permanent=True)
        return Delivery()

    def close(self) -> None:
        """Holds nothing."""


def _find_subscription(address: str) -> PushSubscription | None:
    try:
        rows = PushSubscription.objects.filter(pk=UUID(address))
    except ValueError:
        return None
    found: PushSubscription | None = rows.first()
    return found


def _post(target: Target, message: OutgoingMessage) -> int:
    """The status the push service answers with. Raises DeliveryFailed."""
    # Big, and of no use to a process that answers requests.
    from pywebpush import WebPusher, WebPushException

    words = {"title": message.tenant_name, "body": message.text}
    try:
        # Checked when it was taken and again now: the list may have become shorter.
        check_endpoint(target.endpoint)
        pusher = WebPusher({"endpoint": target.endpoint, "keys": dict(target.keys)})
        body = pusher.encode(json.dumps(words).encode())["body"]
        answer = outbound.post(target.endpoint, headers=_headers(target.endpoint), content=body)
    except (PushRefused, OutboundRefused, WebPushException):
        raise DeliveryFailed("address_refused", permanent=True) from None
    except OutboundFailed as failure:
        raise DeliveryFailed(failure.cause, permanent=False) from None
    return answer.status


def _headers(endpoint: str) -> dict[str, str]:
    from py_vapid import Vapid02

    scheme, _, rest = endpoint.partition("://")
    claims = {
        "aud": f"{scheme}://{rest.partition('/')[0]}",
        "sub": f"mailto:{settings.SSPR_MAIL_FROM}",
        "exp": int(time.time()) + TOKEN_LIFETIME,
    }
    signer = Vapid02(signing_key())
    return {
        "Authorization": str(signer.sign(claims)["Authorization"]),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(PATIENCE),
        "Urgency": "high",
    }
