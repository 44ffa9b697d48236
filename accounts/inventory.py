"""Tokens of the organisation: handed to people, claimed by them, and taken back.

One that nobody has is a row without a person. Everything here works in the caller's transaction,
for the tenant in force, and with the person locked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tenants import audit
from tenants.audit import Party
from tenants.counters import Count, count_up
from tenants.invalid import refusal
from tenants.limits import limit_for
from tenants.rules import rules_of

from .models import ContactPoint, Credential, User, credential_lookup
from .registration.changes import MethodChange, note_change
from .tokens import METHOD as TOKENS
from .yubikeys import METHOD as YUBIKEYS
from .yubikeys import find_inside

METHODS: Mapping[str, str] = {TOKENS: "Code generator", YUBIKEYS: "YubiKey"}
"""Method → what its things are called on the administration site."""
MOST_TOKENS = 5
LONGEST_SERIAL = 40
SPOKEN_FOR = "Somebody has this token. Take it back first."
NOBODYS = "Nobody has this token."
ENOUGH = f"This person has {MOST_TOKENS} of these already."


@dataclass(frozen=True)
class By:
    """Who hands a token out or takes it back, why, and from which network address."""

    party: Party
    reason: str = ""
    address: str = ""


def serial_of(typed: str) -> str:
    """A serial number in its comparable form: capitals, no blanks."""
    return "".join(typed.split()).upper()


def find_spare(serial: str) -> Credential | None:
    """The code generator of that number, while nobody has it; locked."""
    row: Credential | None = (
        Credential.objects.select_for_update()
        .filter(method=TOKENS, lookup=credential_lookup(TOKENS, serial_of(serial)), user=None)
        .first()
    )
    return row


def may_try(user: User, now: datetime) -> bool:
    """Counts one try to claim a token or bring it into step; false once there were too many. In a
    transaction of its own, before anything is compared."""
    policy = rules_of(None).policy
    limit = limit_for("token_claims", policy.limits if policy is not None else {})
    return count_up([Count(limit, str(user.pk))], now).blocked is None


def hand_over(row: Credential, user: User, by: By, *, now: datetime) -> None:
    """Gives a token of the inventory to a person, who is told."""
    before = list(ContactPoint.objects.filter(user=user))
    row.give_to(user)
    row.version += 1
    row.confirmed_at = now
    row.save()
    _note("registered", row, user, before, by, now)


def take_back(row: Credential, by: By, *, now: datetime) -> None:
    """Takes a token from its owner, who is told; the next one gets it from the inventory."""
    owner = row.user
    if owner is None:
        raise refusal("", "not_assigned", NOBODYS)
    before = list(ContactPoint.objects.filter(user=owner))
    put_back(row)
    _note("removed", row, owner, before, by, now)


def put_back(row: Credential) -> None:
    """A token that somebody had waits for its next owner. A key that only a validation server
    knows is forgotten: whoever has it registers it by a touch."""
    inside = find_inside(row) if row.method == YUBIKEYS else None
    if inside is not None and not inside.is_ours:
        row.delete()
        return
    row.give_to(None)
    row.version += 1
    row.confirmed_at = None
    row.save()


def assign(row: Credential, user: User, by: By, *, now: datetime) -> None:
    """What an administrator does with a token that nobody has. Raises Invalid."""
    locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    spare = Credential.objects.select_for_update().get(pk=row.pk)
    if spare.user_id is not None:
        raise refusal("", "assigned", SPOKEN_FOR)
    if Credential.objects.filter(user=locked, method=row.method).count() >= MOST_TOKENS:
        raise refusal("person", "enough", ENOUGH)
    hand_over(spare, locked, by, now=now)


def discard(row: Credential, by: By, *, now: datetime) -> None:
    """Removes a token that nobody has for good. Raises Invalid."""
    spare = Credential.objects.select_for_update().get(pk=row.pk)
    if spare.user_id is not None:
        raise refusal("", "assigned", SPOKEN_FOR)
    _record("token.removed", spare, by, now)
    spare.delete()


def note_synchronised(row: Credential, by: By, *, now: datetime) -> None:
    _record("token.synchronised", row, by, now)


def _record(event_type: str, row: Credential, by: By, now: datetime) -> None:
    owner = row.user
    audit.record(
        event_type,
        actor=by.party,
        target=Party("user", owner.pk, owner.user_id) if owner is not None else None,
        reason=by.reason,
        data={"method": row.method, "name": row.name},
        address=by.address,
        now=now,
    )


def _note(
    what: Any, row: Credential, user: User, before: list[ContactPoint], by: By, now: datetime
) -> None:
    change = MethodChange(what, row.method, row.name, before, by.address, by.reason)
    note_change(user, change, by=by.party, now=now)
