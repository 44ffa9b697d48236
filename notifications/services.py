"""Telling people: `notify` writes a message with the change it tells of, `drain` sends it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import repeat
from secrets import token_bytes
from uuid import UUID

from tenants.context import get_current_tenant
from tenants.secret import Secret
from tenants.shapes import new_row
from tenants.together import Changes

from .kinds import EMAIL, KINDS, LONGER_FACTS, NONE, Kind
from .models import Message
from .queue import drain
from .rendering import LINKS, MOMENTS, supported_language
from .sealing import opened, seal

__all__ = [
    "CodeSource",
    "Recipient",
    "drain",
    "get_recipient",
    "notify",
    "notify_each",
    "notify_nobody",
]

LONGEST_FACT = 500
NONCE_BYTES = 16
BINDING_BYTES = 32

Fact = str | int | bool


@dataclass(frozen=True)
class Recipient:
    """Who is told: a mail address or a number (E.164, `;ext=` where one is to be dialled)."""

    address: str = field(repr=False)
    language: str
    name: str = field(default="", repr=False)


@dataclass(frozen=True)
class CodeSource:
    """Which one-time code it is; the code itself is derived when the message is rendered."""

    nonce: bytes = field(repr=False)
    binding: bytes = field(repr=False)


def notify(  # noqa: PLR0913 - a message has this many sides, all named by the caller
    kind: str,
    channel: str,
    recipient: Recipient,
    context: Mapping[str, Fact],
    *,
    now: datetime,
    lifetime: timedelta | None = None,
    code: CodeSource | None = None,
    reference: str = "",
    correlation_id: UUID | None = None,
    into: Changes | None = None,
) -> Message:
    """Queues one message of the tenant in force, in the caller's transaction.

    `into` are the changes of a step it is written with; without them it is written at once.

    `context` may hold the facts of the kind (`kinds.KINDS`); `when` and `until` are ISO 8601 with
    zone. `lifetime` defaults to the kind's: five minutes for a code, 72 hours for a notice.
    Raises NoTenant, and ValueError for a channel or a fact this kind does not take.
    """
    entry = _get_kind(kind)
    if channel not in entry.channels:
        raise ValueError(f"a message of kind {kind} does not go by {channel}")
    if (code is not None) != entry.carries_code:
        raise ValueError(f"a message of kind {kind} has {'a' if entry.carries_code else 'no'} code")
    check_facts(entry, context)
    message = _prepared(entry, channel, now, lifetime, code)
    message.reference, message.correlation_id = reference, correlation_id
    return _queued(message, recipient, context, into)


def notify_each(
    kind: str,
    told: Iterable[tuple[Recipient, Mapping[str, Fact]]],
    *,
    now: datetime,
    correlation_id: UUID | Sequence[UUID] | None = None,
    channel: str = EMAIL,
) -> int:
    """Queues one message a recipient with few statements; how many. correlation_id: of all of
    them, or of each in the order of `told`. Raises like `notify`."""
    entry = _get_kind(kind)
    if channel not in entry.channels or entry.carries_code:
        raise ValueError(f"messages of kind {kind} are not sent to many by {channel}")
    messages = []
    each: Iterator[UUID | None] = (
        iter(correlation_id) if isinstance(correlation_id, Sequence) else repeat(correlation_id)
    )
    for recipient, context in told:
        check_facts(entry, context)
        message = _prepared(entry, channel, now, None, None)
        message.correlation_id = next(each)
        messages.append(_sealed(message, recipient, context))
    Message.objects.bulk_create(messages, batch_size=500)
    return len(messages)


def notify_nobody(
    kind: str,
    *,
    now: datetime,
    language: str = "en",
    lifetime: timedelta | None = None,
    reference: str = "",
    correlation_id: UUID | None = None,
    into: Changes | None = None,
) -> Message:
    """Queues a decoy: the same row at the same cost, rendered by the worker and sent nowhere.

    For people who are unknown or may not reset, so that time and number of queries tell nothing.
    """
    entry = _get_kind(kind)
    source = CodeSource(token_bytes(NONCE_BYTES), token_bytes(BINDING_BYTES))
    code = source if entry.carries_code else None
    message = _prepared(entry, NONE, now, lifetime, code)
    message.reference, message.correlation_id = reference, correlation_id
    return _queued(message, Recipient("", language), {}, into)


def get_recipient(message: Message) -> Secret[str]:
    """The address of a message, for the message log. Raises SealBroken."""
    return Secret(str(opened(message, "recipient")["address"]))


def check_facts(kind: Kind, context: Mapping[str, Fact]) -> None:
    """Raises ValueError for a fact that this kind does not say, or one that can't be said."""
    unknown = sorted(set(context) - kind.facts)
    if unknown:
        raise ValueError(f"a message of kind {kind.key} does not say {', '.join(unknown)}")
    for key, value in context.items():
        longest = LONGER_FACTS.get(key, LONGEST_FACT)
        if len(str(value)) > longest:
            raise ValueError(f"{key} is longer than {longest} characters")
        if key in MOMENTS and datetime.fromisoformat(str(value)).tzinfo is None:
            raise ValueError(f"{key} needs a time zone")
        if key in LINKS and not _is_link(str(value)):
            raise ValueError(f"{key} is not a web address")


def _is_link(text: str) -> bool:
    return text.startswith(("https://", "http://")) and text.isprintable() and " " not in text


def _get_kind(kind: str) -> Kind:
    if kind not in KINDS:
        raise ValueError(f"there is no message of kind {kind}")
    return KINDS[kind]


def _prepared(
    kind: Kind,
    channel: str,
    now: datetime,
    lifetime: timedelta | None,
    code: CodeSource | None,
) -> Message:
    message: Message = new_row(
        Message,
        tenant_id=get_current_tenant(),
        kind=kind.key,
        channel=channel,
        code_nonce=code.nonce if code else None,
        code_binding=code.binding if code else None,
        due_at=now,
        expires_at=now + (kind.lifetime if lifetime is None else lifetime),
        created_at=now,
    )
    return message


def _queued(
    message: Message, recipient: Recipient, context: Mapping[str, Fact], into: Changes | None
) -> Message:
    _sealed(message, recipient, context)
    if into is not None:
        into.add(message)
    else:
        message.save(force_insert=True)
    return message


def _sealed(message: Message, recipient: Recipient, context: Mapping[str, Fact]) -> Message:
    message.language = supported_language(recipient.language)
    person = {"address": recipient.address, "name": recipient.name}
    message.recipient = seal(message, "recipient", person)
    message.context = seal(message, "context", context)
    return message
