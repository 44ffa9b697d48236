"""Puts the code of a proof on its way, to the contact on file."""

from notifications.services import CodeSource, Recipient, notify
from tenants import audit
from tenants.audit import Party
from tenants.counters import count_up
from tenants.limits import CODE_LIFETIME

from ..contacts import find_value
from ..methods.registry import get_method
from ..models import ProofChallenge
from ..numbers import dialled
from ..sending import (
    CONTACT_KINDS,
    NOBODY,
    PHONE_CHANNELS,
    destination_counts,
    problem_of,
    suspect_sending,
)
from .asking import Asking, bound_to


def put_on_its_way(asking: Asking, challenge: ProofChallenge, language: str) -> None:
    """One message with the code, in the tenant's context.

    Nothing goes where the destination was sent too much over all tenants, or where a number is one
    that codes are not sent to. The person sees no difference; what smells of fraud alerts the
    administrators.
    """
    now = asking.context.now
    address = _destination(asking, challenge)
    challenge.sends += 1
    challenge.sent_at = now
    challenge.save(update_fields=["sends", "sent_at"])
    if address is not None:
        _notify(asking, challenge, address, language)
    party = Party("user", asking.user.pk, asking.user.user_id)
    data = {
        "method": challenge.method,
        "channel": challenge.channel,
        "sends": challenge.sends,
    }
    audit.record(
        "user.proof_sent", actor=party, target=party, data=data, address=asking.address, now=now
    )


def _destination(asking: Asking, challenge: ProofChallenge) -> str | None:
    """The address or number on file, unless nothing may go there."""
    now, policy = asking.context.now, asking.rules.policy
    is_mail = get_method(challenge.method).contact == "email"
    row = asking.own.contacts.get(CONTACT_KINDS[challenge.method])
    address = find_value(row) if row is not None else None
    cause = None
    if address is not None:
        countries = policy.phone_countries if policy is not None else ()
        cause = problem_of(address, is_mail=is_mail, countries=countries)
    goes = address if cause is None else None
    instead = f"{NOBODY} {asking.user.pk}"
    counted = count_up(destination_counts(goes, is_mail=is_mail, instead=instead), now)
    over = {block.limit.name for block in counted.over}
    if cause is None and goes is not None and "sends_to_prefix" in over:
        cause = "prefix"
    if cause is not None:
        limits = policy.limits if policy is not None else {}
        suspect_sending(cause, challenge.channel, limits, now)
    return goes if cause is None and not over else None


def _notify(asking: Asking, challenge: ProofChallenge, address: str, language: str) -> None:
    policy = asking.rules.policy
    to = address
    if challenge.channel in PHONE_CHANNELS:
        to = dialled(address, with_extension=policy is not None and policy.pass_extension)
    notify(
        "code",
        challenge.channel,
        Recipient(to, language, asking.user.display_name),
        {},
        now=asking.context.now,
        lifetime=min(CODE_LIFETIME, challenge.expires_at - asking.context.now),
        code=CodeSource(bytes(challenge.nonce), bound_to(challenge)),
        reference=challenge.reference,
        correlation_id=challenge.pk,
    )
