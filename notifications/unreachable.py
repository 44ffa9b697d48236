"""Addresses and numbers that messages come back from for good. Whoever keeps them says so when it
starts, and is told; this app knows nothing of whose they are."""

from collections.abc import Callable
from datetime import datetime

from tenants.keys import SealBroken

from .models import Message
from .sealing import opened

Watcher = Callable[[str, str, datetime], None]
"""Is told channel, address or number, and the moment, in the transaction of the message."""

WATCHERS: list[Watcher] = []
_CAUSES = frozenset(
    {
        "address_refused",
        # No such mailbox, moved away, a name nobody may have (RFC 5321, RFC 7504).
        "smtp_550",
        "smtp_551",
        "smtp_553",
        "smtp_556",
        # No number, not one that can be reached, not a mobile one, one that wants no messages.
        "twilio_21211",
        "twilio_21214",
        "twilio_21217",
        "twilio_21610",
        "twilio_21612",
        "twilio_21614",
    }
)
"""What says something about the recipient, not about the message, the provider or ourselves."""


def tell_unreachable(message: Message, cause: str, now: datetime) -> None:
    """Tells the watchers, where it is the recipient that can't be reached."""
    if cause not in _CAUSES:
        return
    try:
        address = str(opened(message, "recipient")["address"])
    except SealBroken:
        return
    for watcher in WATCHERS:
        watcher(message.channel, address, now)
