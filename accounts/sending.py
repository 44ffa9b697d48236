"""Codes on their way to a person: which channels there are, what a sending is counted on, and
whether anything goes to a destination at all."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from tenants import audit
from tenants.audit import Party
from tenants.counters import Count, count_up
from tenants.licensing import entitlements
from tenants.limits import LIMITS, RESEND_GAPS, SENDS_PER_CHALLENGE, limit_for
from tenants.models import Subscription

from .destinations import destination_problem
from .models import ContactPoint
from .numbers import e164

CONTACT_KINDS = {
    "email": ContactPoint.Kind.ALTERNATE_EMAIL.value,
    "mobile_phone": ContactPoint.Kind.MOBILE_PHONE.value,
    "office_phone": ContactPoint.Kind.OFFICE_PHONE.value,
}
"""Method that sends a code → the contact it goes to."""
PHONE_CHANNELS = ("sms", "voice")
NOBODY = "nobody"
SUSPECTED = "tenant.sending_suspected"
PREFIX_LENGTH = 8  # "+" and seven digits


def sends_limit(method: str) -> str:
    """Name of the person's limit that a sending by this method is counted on."""
    return "email_sends" if method == "email" else "phone_sends"


def channels_of(method: str, *, voice: bool) -> Sequence[str]:
    """Channels of a method that sends; without `voice` a mobile phone is not called. Whether an
    office phone is of use then is for the caller to say."""
    if method == "email":
        return ("email",)
    if method == "mobile_phone":
        return PHONE_CHANNELS if voice else PHONE_CHANNELS[:1]
    return ("voice",) if method == "office_phone" else ()


def may_call(subscription: Subscription | None) -> bool:
    """Whether the plan includes calls: not in a trial, not in the free plan."""
    if subscription is None:
        return False
    trial = subscription.trial_started is not None
    return entitlements(subscription.plan, trial=trial).voice


def resend_time(sends: int, sent_at: datetime | None) -> datetime | None:
    """When the next code can be asked for; nothing once all are used up."""
    if sends >= SENDS_PER_CHALLENGE or sent_at is None:
        return None
    return sent_at + RESEND_GAPS[min(sends, len(RESEND_GAPS)) - 1]


def destination_counts(address: str | None, *, is_mail: bool, instead: str) -> list[Count]:
    """What a sending is counted on at its destination, over all tenants together. Where nothing
    goes anywhere, `instead` is counted, so that it costs the same."""
    if is_mail:
        mailbox = address.strip().casefold() if address is not None else instead
        return [Count(LIMITS["mails_to_mailbox"], mailbox)]
    number = e164(address) if address is not None else instead
    prefix = number[:PREFIX_LENGTH] if address is not None else instead
    return [Count(LIMITS["calls_to_number"], number), Count(LIMITS["sends_to_prefix"], prefix)]


def problem_of(address: str, *, is_mail: bool, countries: Collection[str]) -> str | None:
    """Why no message goes to a number on file; mail goes everywhere."""
    return None if is_mail else destination_problem(address, countries)


def suspect_sending(cause: str, channel: str, tightened: Mapping[str, int], now: datetime) -> None:
    """Alerts the tenant's administrators, at most once an hour for each cause. In its context."""
    count = Count(limit_for("alarms", tightened), f"{SUSPECTED} {cause}")
    if count_up([count], now).blocked is None:
        audit.record(
            SUSPECTED,
            actor=Party("system", None, "limits"),
            result="failure",
            data={"cause": cause, "channel": channel},
            now=now,
        )
