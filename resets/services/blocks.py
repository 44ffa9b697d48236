"""Blocks of a person: which limits are used up now, and lifting them so that they may start again.

Only what the organisation counts itself is its own to lift. Limits over all organisations together
(a network address, a mailbox, a phone number) are neither shown nor lifted here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from accounts.person_key import person_key
from accounts.signin.locks import clear_lockout, find_lock
from tenants import audit
from tenants.audit import Party
from tenants.counters import Count, find_blocks, forget
from tenants.invalid import refusal
from tenants.limits import Limit, limit_for
from tenants.models import ResetPolicy
from tenants.policy import STRONGEST_FIRST

from ..flow import State
from ..models import Flow

LIFTABLE = (
    "failed_step_up",
    "failed_proofs",
    "phone_sends",
    "email_sends",
    "reset_attempts",
    "starts_by_person",
)
SIGN_IN_LOCK = "sign_in_lock"
NOTHING_HOLDS = "No limit holds for this person any more."


@dataclass(frozen=True)
class Block:
    """A used-up limit, or a journey that is locked. `method` is set where only one is concerned.

    `whole_tenant` marks what holds for everybody in the organisation and isn't a person's.
    """

    limit: str
    until: datetime
    method: str = ""
    reference: str = ""
    whole_tenant: bool = False


def blocks_of(user: User, now: datetime) -> Sequence[Block]:
    """What keeps this person from starting or going on, the longest first.

    The tenant's context is open. What comes over a limit of everybody's is told with it.
    """
    tightened = _tightened()
    named = {(count.limit, count.subject): name for count, name in _counts(user, tightened)}
    everybody = Count(limit_for("failed_in_tenant", tightened), "all")
    asked = [Count(*key) for key in named]
    found = [
        Block(
            count.limit.name,
            until,
            method=named.get((count.limit, count.subject), ""),
            whole_tenant=count == everybody,
        )
        for count, until in find_blocks([*asked, everybody], now)
    ]
    locked_until = find_lock(user, now)
    if locked_until is not None:
        found.append(Block(SIGN_IN_LOCK, locked_until))
    found += [
        Block("journey", flow.blocked_until, reference=flow.reference)
        for flow in _locked_flows(user, now)
    ]
    return sorted(found, key=lambda block: (block.until, block.limit, block.method), reverse=True)


def lift_blocks(user: User, reason: str, *, by: Party, now: datetime) -> Sequence[str]:
    """Starts the person's counters afresh and releases locked journeys; returns what was lifted.

    The tenant's context is open; whether `by` may do this was asked before. Raises Invalid when
    nothing holds.
    """
    flows = list(_locked_flows(user, now).select_for_update().order_by("pk"))
    counts = [count for count, _ in _counts(user, _tightened())]
    limits = sorted({count.limit.name for count, _ in find_blocks(counts, now)})
    if find_lock(user, now) is not None:
        limits.append(SIGN_IN_LOCK)
    if not limits and not flows:
        raise refusal("", "nothing", NOTHING_HOLDS)
    Flow.objects.filter(pk__in=[flow.pk for flow in flows]).update(blocked_until=now)
    forget(counts)
    clear_lockout(user)
    audit.record(
        "block.lifted",
        actor=by,
        target=Party("user", user.pk, user.user_id),
        reason=reason,
        data={"limits": limits, "journeys": [flow.reference for flow in flows]},
        now=now,
    )
    return [*limits, *(flow.reference for flow in flows)]


def _locked_flows(user: User, now: datetime) -> QuerySet[Any]:
    rows = Flow.objects.filter(user=user, state=State.LOCKED, blocked_until__gt=now)
    return rows.order_by("-blocked_until")


def _tightened() -> dict[str, int]:
    policy = ResetPolicy.objects.first()
    return dict(policy.limits) if policy is not None else {}


def _counts(user: User, tightened: dict[str, int]) -> list[tuple[Count, str]]:
    """What is counted of a person, each with the method it concerns alone."""
    person = person_key(user.user_id).hex()
    own = [(Count(limit_for(name, tightened), person), "") for name in LIFTABLE]
    failed: Limit = limit_for("failed_method", tightened)
    return own + [(Count(failed, f"{person}:{method}"), method) for method in STRONGEST_FIRST]
