"""What every channel is: something that takes a rendered message and hands it on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from tenants.secret import Secret

Fact = str | int | bool | Secret[str]


class DeliveryFailed(Exception):
    """The message was not taken. `cause` is a word of ours such as `smtp_550` or `timeout`, never
    a text of the other side: that may quote the address. A permanent failure is not tried again."""

    def __init__(self, cause: str, *, permanent: bool) -> None:
        super().__init__(cause)
        self.cause = cause
        self.permanent = permanent


@dataclass(frozen=True)
class OutgoingMessage:
    """A message as it leaves. `tenant` is the slug; `data` holds what the texts were made of, the
    one-time code under `code`. Nothing that could name a person or a code shows in `repr`."""

    id: UUID
    tenant: str
    tenant_name: str
    channel: str
    kind: str
    language: str
    created: datetime
    to: Secret[str]
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    data: Mapping[str, Fact] = field(repr=False)


@dataclass(frozen=True)
class Delivery:
    """It was taken. `provider_id` is what the other side calls it, or ""."""

    provider_id: str = ""


class Channel(Protocol):
    """Lives for many messages, so that it may keep a connection open between them."""

    def send(self, message: OutgoingMessage) -> Delivery:
        """Hands the message on. Raises DeliveryFailed."""
        ...

    def close(self) -> None:
        """Gives back what it holds. Never raises."""
        ...


def refuse_line_breaks(*values: str) -> None:
    """What goes into a header or an address is one line, or nothing is sent (R-29)."""
    if any(not value.isprintable() for value in values):
        raise DeliveryFailed("header_refused", permanent=True)
