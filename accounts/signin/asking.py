"""The proof a signed-in person is asked for: in which ways, which one waits, what it is given.

Everything here runs in the tenant's context.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tenants.counters import Count
from tenants.keys import binding
from tenants.limits import CODE_LIFETIME, limit_for
from tenants.reference import new_reference
from tenants.rules import TenantRules, rules_of

from ..methods.base import Asked, MethodContext, Registration
from ..methods.questions import draw, usable_questions
from ..methods.registry import get_method
from ..models import ProofChallenge, User
from ..people import Belongings, belongings_of
from ..person_key import person_key
from ..sending import channels_of, may_call
from .person import KNOWLEDGE
from .provable import context_for, registrations_of

TYPED_LIFETIME = timedelta(minutes=15)
"""How long one may take over a proof for which nothing is sent."""
SECOND_FACTOR, STEP_UP = "second_factor", "step_up"
_sample = secrets.SystemRandom().sample


@dataclass(frozen=True)
class Asking:
    """One person in one session who is asked to prove who they are, read once for a step.

    session: hash of the session's key. purpose: second_factor (knowledge does not count), step_up.
    """

    user: User
    session: bytes
    purpose: str
    address: str
    rules: TenantRules
    own: Belongings
    context: MethodContext

    @property
    def ways(self) -> Mapping[str, Registration]:
        """What can be proved now, by method, strongest first."""
        found: dict[str, Registration] = {}
        for row in registrations_of(self.own, self.context):
            knows = row.method in KNOWLEDGE and self.purpose == SECOND_FACTOR
            if not knows and self.channels(row.method) is not None:
                found.setdefault(row.method, row)
        return found

    def channels(self, method: str) -> Sequence[str] | None:
        """Channels of a method; empty where nothing is sent, nothing where the plan has none."""
        if not get_method(method).sends:
            return ()
        voice = may_call(self.rules.subscription)
        if method == "office_phone" and not voice:
            return None
        return channels_of(method, voice=voice)

    def count(self, limit: str) -> Count:
        policy = self.rules.policy
        tightened = policy.limits if policy is not None else {}
        return Count(limit_for(limit, tightened), person_key(self.user.user_id).hex())


def read_asking(
    user: User, *, session: bytes, purpose: str, site: str, address: str, now: datetime
) -> Asking:
    """The person as they are now."""
    fresh = User.objects.select_related("tenant").get(pk=user.pk)
    rules = rules_of(None)
    context = context_for(now, site)
    return Asking(fresh, session, purpose, address, rules, belongings_of(fresh), context)


def find_pending(
    asking: Asking, *, lock: bool = False, expired: bool = False
) -> ProofChallenge | None:
    """The proof that waits in this session, the newest; `expired` ones too where asked for."""
    rows: Any = ProofChallenge.objects.filter(
        user=asking.user, session=asking.session, purpose=asking.purpose, dead=False, used_at=None
    )
    if not expired:
        rows = rows.filter(expires_at__gt=asking.context.now)
    if lock:
        rows = rows.select_for_update()
    found: ProofChallenge | None = rows.order_by("-created_at", "-id").first()
    return found


def new_challenge(asking: Asking, method: str, channel: str) -> ProofChallenge:
    """A challenge for that way, not saved yet. Earlier ones of the session are for `kill`."""
    now, entry = asking.context.now, get_method(method)
    return ProofChallenge(
        user=asking.user,
        session=asking.session,
        purpose=asking.purpose,
        method=method,
        channel=channel,
        anchor=asking.ways[method].anchor,
        questions=draw_questions(asking) if entry.asks == "answers" else [],
        nonce=secrets.token_bytes(16),
        site=asking.context.site,
        reference=new_reference(secrets.choice),
        address=asking.address,
        expires_at=now + (CODE_LIFETIME if entry.sends else TYPED_LIFETIME),
        created_at=now,
    )


def draw_questions(asking: Asking) -> list[str]:
    usable = usable_questions(asking.own, asking.context)
    return draw(usable, asking.context.questions_to_reset, _sample)


def kill(asking: Asking) -> None:
    """What waited in this session can't be answered any more; what nobody needs is removed."""
    rows = ProofChallenge.objects.filter(user=asking.user)
    rows.filter(session=asking.session, dead=False).update(dead=True)
    rows.filter(expires_at__lt=asking.context.now - timedelta(days=1)).delete()


def bound_to(challenge: ProofChallenge) -> bytes:
    """What a code of this challenge is derived from: no other session, method or person has it."""
    return binding(
        "proof",
        challenge.tenant_id,
        challenge.pk,
        challenge.purpose,
        challenge.method,
        challenge.user_id,
        bytes(challenge.session).hex(),
    )


def asked_of(challenge: ProofChallenge) -> Asked:
    """The challenge as its method is given it."""
    return Asked(
        bytes(challenge.nonce),
        bound_to(challenge),
        tuple(challenge.questions),
        challenge=challenge.pk,
        reference=challenge.reference,
        address=challenge.address,
    )
