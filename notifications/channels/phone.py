"""What text messages and calls share: the number, and the tenant's own provider."""

import re
from typing import ClassVar

from ..provider_settings import find_provider
from ..providers.base import PhoneMessage
from ..providers.registry import PROVIDERS
from .base import Delivery, DeliveryFailed, OutgoingMessage

E164 = re.compile(r"(\+[1-9][0-9]{6,14})(?:;ext=([0-9]{1,10}))?")
PROVIDER_ID_LENGTH = 100


class PhoneChannel:
    """Hands the message to the provider the tenant has chosen for `channel`."""

    channel: ClassVar[str]
    dials_extension: ClassVar[bool]

    def send(self, message: OutgoingMessage) -> Delivery:
        found = E164.fullmatch(message.to.reveal())
        if found is None:
            raise DeliveryFailed("address_refused", permanent=True)
        choice = find_provider(self.channel)
        if choice is None:
            raise DeliveryFailed("no_provider", permanent=True)
        provider = PROVIDERS.get(choice.kind)
        if provider is None:
            raise DeliveryFailed("unknown_provider", permanent=True)
        request = PhoneMessage(
            to=found[1],
            text=message.text,
            language=message.language,
            channel=self.channel,
            idempotency_key=str(message.id),
            extension=(found[2] or "") if self.dials_extension else "",
        )
        return Delivery(provider.deliver(request, choice.config)[:PROVIDER_ID_LENGTH])

    def close(self) -> None:
        """Holds nothing."""
