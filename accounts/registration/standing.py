"""What is true for the person on these pages, read once a request in the tenant in force."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest

from tenants.keys import tenant_keys
from tenants.licensing import Entitlements, entitlements
from tenants.pages import site_of
from tenants.policy import AUTHENTICATOR_METHODS, STRONGEST_FIRST, PolicyRules
from tenants.rules import rules_of

from ..methods.base import MethodContext
from ..models import User
from ..people import Belongings, belongings_of
from ..signin.person import SignedIn
from ..signin.provable import context_for
from .readiness import Readiness, readiness_of
from .registrable import MOST_AUTHENTICATORS, REGISTRABLES, Entry, get_registrable


@dataclass(frozen=True)
class Terms:
    """The tenant's rules for registering. countries: those that codes go to; none means all."""

    rules: PolicyRules
    granted: Entitlements
    limits: Mapping[str, int]
    countries: Sequence[str]
    pass_extension: bool


@dataclass(frozen=True)
class Standing:
    """One person with what is on file, and what the policy says about it."""

    own: Belongings
    context: MethodContext
    readiness: Readiness
    entries: Mapping[str, Sequence[Entry]]

    def is_allowed(self, method: str) -> bool:
        """Whether this person may register it. Whose account lives elsewhere registers nothing."""
        return method in REGISTRABLES and method in self.readiness.allowed

    def is_full(self, method: str) -> bool:
        """Whether no more of it can be added; authenticators of all makes are counted together."""
        count = len(self.entries.get(method, ()))
        if count >= get_registrable(method).most:
            return True
        return method in AUTHENTICATOR_METHODS and self.authenticators >= MOST_AUTHENTICATORS

    @property
    def authenticators(self) -> int:
        return sum(len(self.entries.get(method, ())) for method in AUTHENTICATOR_METHODS)


def terms_in_force() -> Terms:
    """The rules of the tenant in force."""
    known = rules_of(None)
    policy, subscription = known.policy, known.subscription
    return Terms(
        rules=policy.rules() if policy is not None else PolicyRules(),
        granted=entitlements(
            subscription.plan if subscription is not None else "free",
            trial=subscription is not None and subscription.trial_started is not None,
        ),
        limits=policy.limits if policy is not None else {},
        countries=tuple(policy.phone_countries) if policy is not None else (),
        pass_extension=policy is not None and policy.pass_extension,
    )


def standing_of(user: User, now: datetime, site: str = "") -> Standing:
    """How this person stands now."""
    own = belongings_of(user)
    context = context_for(now, site)
    entries = {
        method: get_registrable(method).entries(own, context)
        for method in STRONGEST_FIRST
        if method in REGISTRABLES
    }
    return Standing(own, context, readiness_of(own, now, site), entries)


def read_standing(request: HttpRequest, person: SignedIn, now: datetime) -> Standing:
    return standing_of(person.user, now, site_of(request))


def person_subject(user: User) -> str:
    """What a person's tries and codes are counted on, the same as in a reset."""
    return tenant_keys().mac("person", user.user_id).hex()
