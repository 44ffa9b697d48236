"""With which registered methods a signed-in person can prove who they are."""

from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from tenants.rules import rules_of

from ..methods.base import MethodContext, Registration
from ..methods.registry import methods
from ..models import User
from ..people import Belongings, belongings_of


def context_for(now: datetime, site: str = "") -> MethodContext:
    """What methods get to know about this moment, in the tenant in force."""
    known = rules_of(None)
    rules = known.policy.rules() if known.policy is not None else None
    return MethodContext(
        now=now,
        domains=frozenset(domain.name for domain in known.domains),
        questions_to_reset=rules.questions_to_reset if rules is not None else 3,
        custom_questions=rules.custom_questions if rules is not None else (),
        site=site,
    )


def registrations_of(own: Belongings, context: MethodContext) -> Sequence[Registration]:
    """Everything registered, whatever the policy says, strongest first."""
    able = [method for method in methods() if method.key not in own.user.disabled_methods]
    return [row for method in able for row in method.registrations(own, context)]


def provable_methods(user: User, site: str = "") -> Sequence[str]:
    """Methods this person can prove now, strongest first. In the tenant's context."""
    found = registrations_of(belongings_of(user), context_for(timezone.now(), site))
    return list(dict.fromkeys(row.method for row in found))
