"""Sending what is queued.

A message stays queued until the transaction that sent it commits. A worker that dies on the way
leaves the few it held queued, and whoever claims them next sends them with the same codes.
"""

import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError

from tenants.audit import Event, Party, record_many
from tenants.context import tenant_context
from tenants.keys import SealBroken, tenant_keys
from tenants.lookup import tenants_with_messages
from tenants.models import Tenant
from tenants.secret import Secret
from tenants.together import Changes, Given, Reading

from .channels.base import Delivery, DeliveryFailed, Fact, OutgoingMessage
from .channels.registry import OpenChannels
from .kinds import KINDS, NONE, Kind
from .models import Message
from .rendering import MOMENTS, Rendered, Value, one_line, render
from .sealing import opened
from .unreachable import tell_unreachable

log = structlog.get_logger(__name__)

WORKER = Party(kind="system", id=None, label="notifications")
EXPIRED = "expired"
CLAIM = 5
"""How many messages a worker holds at once: more would keep too many waiting for a slow peer."""
Clock = Callable[[], datetime]
Say = Callable[[Kind, str, str, Mapping[str, Value]], Rendered]


def drain(
    now: datetime,
    *,
    limit: int = 100,
    tenants: Iterable[UUID] | None = None,
    channels: OpenChannels | None = None,
) -> int:
    """Sends what is due, tenant by tenant in turn; how many messages it handled, at most `limit`.

    Any number of workers may drain at once. A few messages of a tenant are claimed, sent and marked
    in one transaction, and the other workers pass over them meanwhile. Needs no tenant in force.

    `tenants` are those with messages, for a caller who looked already; `channels` stay open for the
    next run, and are the caller's to close.
    """
    clock = _clock(now)
    handled = 0
    with ExitStack() as own:
        used = channels or own.enter_context(closing(OpenChannels()))
        waiting = deque(tenants_with_messages(now) if tenants is None else tenants)
        while waiting and handled < limit:
            share = max(1, min(CLAIM, (limit - handled) // len(waiting)))
            tenant = waiting.popleft()
            sent, more = _send_some(tenant, used, clock, share)
            handled += sent
            if more:
                waiting.append(tenant)
    return handled


def _clock(now: datetime) -> Clock:
    """`now`, moving on: a run may take minutes, and an expired code must not go out at its end."""
    started = time.monotonic()
    return lambda: now + timedelta(seconds=time.monotonic() - started)


def _send_some(tenant: UUID, channels: OpenChannels, clock: Clock, most: int) -> tuple[int, bool]:
    """How many messages were handled that were due and that no other worker holds, and whether
    the tenant has more."""
    with tenant_context(tenant):
        claimed, senders = _due(most + 1).rows(now=clock())
        if not (claimed and senders):
            return 0, False
        claimed.sort(key=lambda message: (message.due_at, message.created_at))
        voice, changes = _Voice(senders[0]), Changes()
        for message in claimed[:most]:
            _send(message, voice, channels, clock, changes)
        changes.write()
        return len(claimed[:most]), len(claimed) > most


class _Voice:
    """Whose messages these are. What goes to two mailboxes of one person is worded once."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self._said: tuple[Any, Rendered] | None = None

    def say(self, kind: Kind, channel: str, language: str, facts: Mapping[str, Value]) -> Rendered:
        """The words of a message, as `render` finds them; a secret is never the same twice."""
        asked = (kind, channel, language, facts)
        if self._said is None or self._said[0] != asked:
            self._said = asked, render(kind, channel, language, facts)
        return self._said[1]


@cache
def _due(most: int) -> Reading:
    """Takes up to so many messages that are due, the oldest, and reads whose they are."""
    return Reading(
        lambda: (
            Message.objects.select_for_update(skip_locked=True)
            .filter(state=Message.State.QUEUED, due_at__lte=Given("now"))
            .order_by("due_at", "created_at")[:most],
            Tenant.objects.only("slug", "name", "helpdesk_email", "helpdesk_url", "helpdesk_phone"),
        )
    )


def _send(
    message: Message, voice: _Voice, channels: OpenChannels, clock: Clock, changes: Changes
) -> None:
    now = clock()
    if message.expires_at <= now:
        _end(message, Message.State.EXPIRED, EXPIRED, now, changes)
        return
    message.attempts += 1
    try:
        delivery = _deliver(message, voice, channels)
    except DeliveryFailed as failure:
        _mark_failure(message, failure, clock(), changes)
    else:
        _mark_sent(message, delivery, clock(), changes)


def _deliver(message: Message, voice: _Voice, channels: OpenChannels) -> Delivery:
    """Renders and sends. Raises DeliveryFailed whatever went wrong; a fault of our own is tried
    again, because the next release may mend it. Only the database's own errors pass."""
    try:
        channel = channels.find(message.channel)
        if channel is None:
            raise DeliveryFailed("unknown_channel", permanent=True)
        return channel.send(outgoing(message, voice.tenant, voice.say))
    except (DeliveryFailed, DatabaseError):
        raise
    except SealBroken:
        raise DeliveryFailed("unreadable", permanent=True) from None
    except Exception as fault:
        # Where, and nothing of what: the values in these frames are somebody's code and address.
        place = traceback.extract_tb(fault.__traceback__)[-1]
        log.error(
            "message not sent",
            message=str(message.id),
            fault=type(fault).__name__,
            place=f"{place.name}:{place.lineno}",
        )
        raise DeliveryFailed(f"fault_{type(fault).__name__}", permanent=False) from None


def outgoing(message: Message, tenant: Tenant, say: Say = render) -> OutgoingMessage:
    """A message of a tenant as it leaves, with its code. Raises SealBroken."""
    recipient = opened(message, "recipient")
    data: dict[str, Fact] = opened(message, "context")
    if message.code_nonce is not None and message.code_binding is not None:
        nonce, bound_to = bytes(message.code_nonce), bytes(message.code_binding)
        data["code"] = tenant_keys().code(nonce, bound_to)
    kind, name = KINDS[message.kind], one_line(tenant.name)
    facts = {**_facts(message, tenant), **_with_moments(data), "tenant_name": name}
    # Who reads a stray code must not learn whose it is.
    facts["recipient_name"] = "" if kind.carries_code else str(recipient["name"])
    words = say(kind, message.channel, message.language, facts)
    return OutgoingMessage(
        id=message.id,
        tenant=tenant.slug,
        tenant_name=name,
        channel=message.channel,
        kind=message.kind,
        language=message.language,
        created=message.created_at,
        to=Secret(str(recipient["address"])),
        subject=words.subject,
        text=words.text,
        html=words.html,
        data={**data, "reference": message.reference},
    )


def _facts(message: Message, tenant: Tenant) -> dict[str, Value]:
    return {
        "helpdesk_email": tenant.helpdesk_email,
        "helpdesk_url": tenant.helpdesk_url,
        "helpdesk_phone": tenant.helpdesk_phone,
        "reference": message.reference,
        "when": message.created_at,
        "expires_at": message.expires_at,
        "minutes": round((message.expires_at - message.created_at).total_seconds() / 60),
    }


def _with_moments(data: dict[str, Fact]) -> dict[str, Value]:
    return {
        key: datetime.fromisoformat(str(value)) if key in MOMENTS else value
        for key, value in data.items()
    }


def _mark_sent(message: Message, delivery: Delivery, now: datetime, changes: Changes) -> None:
    message.state, message.sent_at, message.error = Message.State.SENT, now, ""
    message.provider_id = delivery.provider_id[:100]
    changes.update(message, "state", "sent_at", "error", "provider_id", "attempts")
    _record(message, "message.sent", now, changes)


def _mark_failure(
    message: Message, failure: DeliveryFailed, now: datetime, changes: Changes
) -> None:
    kind = KINDS.get(message.kind)
    if failure.permanent:
        tell_unreachable(message, failure.cause, now)
    if failure.permanent or kind is None:
        _end(message, Message.State.FAILED, failure.cause, now, changes)
        return
    due_at = now + kind.wait(message.attempts)
    if due_at >= message.expires_at:
        state = Message.State.EXPIRED if kind.carries_code else Message.State.FAILED
        _end(message, state, failure.cause, now, changes)
        return
    message.due_at, message.error = due_at, failure.cause
    changes.update(message, "due_at", "error", "attempts")
    log.warning(
        "message waits for another attempt",
        message=str(message.id),
        channel=message.channel,
        cause=failure.cause,
    )


def _end(message: Message, state: str, cause: str, now: datetime, changes: Changes) -> None:
    message.state, message.error = state, cause
    changes.update(message, "state", "error", "attempts")
    _record(message, "message.failed", now, changes, cause)


def _record(
    message: Message, event_type: str, now: datetime, changes: Changes, cause: str = ""
) -> None:
    """The trail tells what reached or missed somebody; a decoy is for nobody."""
    if message.channel == NONE:
        return
    data = {"kind": message.kind, "channel": message.channel}
    event = Event(
        event_type=event_type,
        actor=WORKER,
        result="failure" if cause else "success",
        data={**data, "cause": cause} if cause else data,
        correlation_id=message.correlation_id,
        reference=message.reference,
        now=now,
    )
    record_many([event], into=changes)
