"""Putting a code on its way: limits on people and destinations, then a row in the outbox."""

from datetime import datetime

from accounts.methods.registry import get_method
from accounts.models import ContactPoint
from accounts.numbers import dialled, e164
from notifications.services import CodeSource, Recipient, notify, notify_nobody
from tenants.counters import Count, count_up
from tenants.limits import CODE_LIFETIME, LIMITS

from ..models import Challenge
from .common import Result, Standing, bound_to, record, subject, until_of

PREFIX_LENGTH = 8  # "+" and seven digits


def send_code(standing: Standing, challenge: Challenge, now: datetime) -> Result:
    """Counts the sending and writes one outbox row: the code, or a decoy that goes nowhere.

    A used-up limit of the person is told; one of the destination is not, because it counts over
    all tenants.
    """
    flow, situation = standing.flow, standing.situation
    name = "email_sends" if challenge.method == "email" else "phone_sends"
    blocked = count_up([situation.count(name, subject(flow))], now).blocked
    if blocked is not None:
        challenge.dead = True
        challenge.save(update_fields=["dead"])
        until = blocked.until.isoformat()
        record(flow, "flow.blocked", now, data={"limit": name, "until": until})
        return Result("blocked", until=until_of(blocked), field="channel")
    challenge.sends += 1
    challenge.sent_at = now
    challenge.save(update_fields=["sends", "sent_at"])
    address = _destination(standing, challenge)
    if address is not None and _destination_allows(address, challenge, now):
        _notify(standing, challenge, address, now)
    else:
        notify_nobody("code", now=now, lifetime=CODE_LIFETIME, correlation_id=flow.pk)
    data = {
        "method": challenge.method,
        "channel": challenge.channel,
        "step": challenge.step,
        "sends": challenge.sends,
    }
    record(flow, "flow.verification_sent", now, data=data)
    return Result("ok")


def _destination(standing: Standing, challenge: Challenge) -> str | None:
    """The address or number on file, only when it was typed in full before."""
    if standing.own is None or challenge.anchor is None:
        return None
    kind = {"email": ContactPoint.Kind.ALTERNATE_EMAIL.value}.get(
        challenge.method, challenge.method
    )
    row = standing.own.contacts.get(kind)
    if row is None or bytes(row.lookup) != bytes(challenge.anchor):
        return None
    return row.read().reveal()


def _destination_allows(address: str, challenge: Challenge, now: datetime) -> bool:
    if get_method(challenge.method).contact == "email":
        counts = [Count(LIMITS["mails_to_mailbox"], address.strip().casefold())]
    else:
        number = e164(address)
        counts = [
            Count(LIMITS["calls_to_number"], number),
            Count(LIMITS["sends_to_prefix"], number[:PREFIX_LENGTH]),
        ]
    return count_up(counts, now).blocked is None


def _notify(standing: Standing, challenge: Challenge, address: str, now: datetime) -> None:
    flow, policy = standing.flow, standing.situation.policy
    to = address
    if challenge.channel in {"sms", "voice"}:
        to = dialled(address, with_extension=policy is not None and policy.pass_extension)
    notify(
        "code",
        challenge.channel,
        Recipient(to, flow.language, standing.person.display_name),
        {},
        now=now,
        lifetime=challenge.expires_at - now,
        code=CodeSource(bytes(challenge.nonce), bound_to(flow, challenge)),
        reference=flow.reference,
        correlation_id=flow.pk,
    )
