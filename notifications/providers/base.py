"""What every provider of text messages and calls is.

A provider is a module with these two functions. It is given the tenant's opened configuration each
time and keeps nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..channels.base import DeliveryFailed
from ..outbound import Answer, OutboundFailed, OutboundRefused

Config = Mapping[str, Any]
Problems = list[tuple[str, str]]

MAY_COME_RIGHT = frozenset({408, 425, 429})


@dataclass(frozen=True)
class PhoneMessage:
    """One text message or call. `to` is E.164; `text` is what is written or spoken; a repeated
    sending carries the same `idempotency_key`; `extension` is dialled once the call is answered."""

    to: str = field(repr=False)
    text: str = field(repr=False)
    language: str
    channel: str
    idempotency_key: str
    extension: str = field(default="", repr=False)


class Provider(Protocol):
    def problems(self, channel: str, config: Config) -> Problems:
        """What is wrong with a configuration: its key, and a sentence that says the fix."""
        ...

    def deliver(self, request: PhoneMessage, config: Config) -> str:
        """Sends it; the provider's own id, or "". Raises DeliveryFailed."""
        ...


def not_reached(problem: OutboundFailed | OutboundRefused) -> DeliveryFailed:
    if isinstance(problem, OutboundFailed):
        return DeliveryFailed(problem.cause, permanent=False)
    return DeliveryFailed("provider_address_refused", permanent=True)


def refused(answer: Answer, cause: str) -> DeliveryFailed:
    """An answer that is not 2xx: our request is wrong (final), or the provider is unwell."""
    permanent = answer.status < 500 and answer.status not in MAY_COME_RIGHT
    return DeliveryFailed(cause, permanent=permanent)


def unknown_keys(config: Config, known: frozenset[str]) -> Problems:
    fix = f"Remove it; known are {', '.join(sorted(known))}."
    return [(key, fix) for key in sorted(map(str, config)) if key not in known]


def text_problem(config: Config, key: str, fix: str) -> Problems:
    """A required text that is missing, not a text, or more than one line."""
    value = config.get(key)
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        return [(key, fix)]
    return []
