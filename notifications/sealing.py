"""Who a message goes to and what it says, sealed to its row."""

import json
from collections.abc import Mapping
from typing import Any

from tenants.keys import binding, tenant_keys

from .models import Message

# Sealed values come in steps of this many bytes, so that a decoy's row looks like a real one's.
STEP = 256


def seal(message: Message, field: str, content: Mapping[str, object]) -> bytes:
    """The sealed form of `recipient` or `context`; opens only in this field of this row."""
    plain = json.dumps(dict(content)).encode()
    padded = plain.ljust(-(-len(plain) // STEP) * STEP)
    return tenant_keys().seal(padded, _bound_to(message, field))


def opened(message: Message, field: str) -> dict[str, Any]:
    """What `seal` was given. Raises SealBroken."""
    sealed = bytes(getattr(message, field))
    content: dict[str, Any] = json.loads(
        tenant_keys().open(sealed, _bound_to(message, field)).reveal()
    )
    return content


def _bound_to(message: Message, field: str) -> bytes:
    return binding(tenant_keys().tenant, "message", message.id, field)
