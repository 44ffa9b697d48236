"""A code to an address or number that is not on file yet, within the same limits as in a reset."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.translation import get_language

from notifications.services import CodeSource, Recipient, notify
from tenants import audit
from tenants.context import tenant_context
from tenants.counters import Count, count_up
from tenants.limits import CODE_LIFETIME, LIMITS, limit_for

from ..models import PendingRegistration
from ..numbers import dialled, e164
from ..services import party_of
from ..signin.person import SignedIn
from .pending import NONCE_BYTES, count_send
from .standing import Terms, person_subject, terms_in_force

PREFIX_LENGTH = 8  # "+" and seven digits
EMAIL = "email"


@dataclass(frozen=True)
class Sent:
    """blocked_until: the person was sent too many codes; none goes out before then. early: a code
    was asked for too soon or too often."""

    blocked_until: datetime | None = None
    early: bool = False


def send_code(
    person: SignedIn, pending: PendingRegistration, value: str, *, address: str, now: datetime
) -> Sent:
    """Sends a code to `value`, the address or number that is to be registered.

    Counted first, in its own transaction. A used-up limit of the destination is not told, because
    it counts over all tenants: nothing goes out then.
    """
    with tenant_context(person.tenant.pk):
        if not count_send(pending, now):
            return Sent(early=True)
        terms = terms_in_force()
        counted = count_up(_counts(person, pending.channel, value, terms), now)
    person_limit = _person_limit(pending.channel)
    for block in counted.over:
        if block.limit.name == person_limit:
            return Sent(blocked_until=block.until)
    with tenant_context(person.tenant.pk):
        nonce = secrets.token_bytes(NONCE_BYTES)
        # The old code dies.
        PendingRegistration.objects.filter(pk=pending.pk).update(nonce=nonce)
        pending.nonce = nonce
        if counted.blocked is None:
            _put_on_its_way(person, pending, value, terms, now)
            audit.record(
                "method.code_sent",
                actor=party_of(person.user),
                target=party_of(person.user),
                data={"method": pending.method, "channel": pending.channel},
                address=address,
                now=now,
            )
    return Sent()


def _person_limit(channel: str) -> str:
    return "email_sends" if channel == EMAIL else "phone_sends"


def _counts(person: SignedIn, channel: str, value: str, terms: Terms) -> list[Count]:
    subject = person_subject(person.user)
    counts = [Count(limit_for(_person_limit(channel), terms.limits), subject)]
    if channel == EMAIL:
        return [*counts, Count(LIMITS["mails_to_mailbox"], value.strip().casefold())]
    number = e164(value)
    return [
        *counts,
        Count(LIMITS["calls_to_number"], number),
        Count(LIMITS["sends_to_prefix"], number[:PREFIX_LENGTH]),
    ]


def _put_on_its_way(
    person: SignedIn, pending: PendingRegistration, value: str, terms: Terms, now: datetime
) -> None:
    to = value
    if pending.channel != EMAIL:
        to = dialled(value, with_extension=terms.pass_extension)
    notify(
        "code",
        pending.channel,
        Recipient(to, get_language() or settings.LANGUAGE_CODE, person.user.display_name),
        {},
        now=now,
        lifetime=min(CODE_LIFETIME, pending.expires_at - now),
        code=CodeSource(bytes(pending.nonce), pending.bound_to),
    )
