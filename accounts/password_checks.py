"""Which password rules hold for a person, and whether a password keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import structlog
from django.conf import settings

from tenants.licensing import entitlements
from tenants.models import ResetPolicy, Subscription, Tenant
from tenants.secret import Secret

from .models import User
from .passwords.breached import BreachedList, BreachedListError
from .passwords.common import shipped_passwords
from .passwords.names import PasswordContext
from .passwords.rules import PasswordRules, Violation, check
from .passwords.strength import Strength, strength

log = structlog.get_logger(__name__)


# What the banned lists say holds for a directory's passwords too; the rest is the directory's.
_SHARED_CODES = frozenset({"banned", "contains_name", "too_common", "too_long"})


@dataclass(frozen=True)
class PasswordTerms:
    """The rules for one person's password and the names it must not contain.

    directory: the password is kept in the organisation's own directory. Its length and characters
    are that directory's to judge; the banned lists count where the plan covers such people.
    """

    rules: PasswordRules
    context: PasswordContext
    directory: bool = False


def password_rules(
    policy: ResetPolicy | None, subscription: Subscription | None, source: str
) -> PasswordRules:
    """The tenant's rules, cut down to what the plan includes for this source of password."""
    plan = subscription.plan if subscription is not None else "free"
    trial = subscription is not None and subscription.trial_started is not None
    granted = entitlements(plan, trial=trial)
    stored = policy if policy is not None else ResetPolicy()
    cloud = source == User.Source.CLOUD
    return PasswordRules(
        rules="nist" if stored.password_rules == ResetPolicy.PasswordRuleSet.NIST else "entra",
        min_length=stored.password_min_length,
        banned_terms=tuple(stored.banned_terms),
        check_breached=stored.check_breached,
        custom_banned=granted.custom_banned,
        global_banned=granted.global_banned if cloud else granted.global_banned_synced,
    )


def terms_for(
    user: User,
    tenant: Tenant,
    policy: ResetPolicy | None,
    subscription: Subscription | None,
    operation: Literal["reset", "change"],
) -> PasswordTerms:
    context = PasswordContext(
        user_id=user.user_id,
        given_name=user.given_name,
        surname=user.surname,
        display_name=user.display_name,
        tenant_name=tenant.name,
        operation=operation,
    )
    directory = user.source != User.Source.CLOUD
    return PasswordTerms(password_rules(policy, subscription, user.source), context, directory)


def violations(password: Secret[str], terms: PasswordTerms) -> Sequence[Violation]:
    """Every reason to refuse the password; empty when it can be set.

    When the operator's list of breached passwords can't be read, everything else still holds and
    the operator is told in the log: a broken file must not stop everybody's reset.
    """
    if terms.directory:
        found = check(password.reveal(), terms.rules, terms.context, shipped_passwords(), None)
        kept = _SHARED_CODES if terms.rules.global_banned else frozenset({"too_long"})
        return [violation for violation in found if violation.code in kept]
    return _cloud_violations(password, terms)


def _cloud_violations(password: Secret[str], terms: PasswordTerms) -> Sequence[Violation]:
    known = shipped_passwords()
    breached = breached_list(settings.SSPR_BREACHED_FILE) if terms.rules.check_breached else None
    try:
        return check(password.reveal(), terms.rules, terms.context, known, breached)
    except BreachedListError as error:
        log.error("breached_list_unreadable", cause=str(error))
        return check(password.reveal(), terms.rules, terms.context, known, None)


def strength_of(password: Secret[str], terms: PasswordTerms) -> Strength:
    names = terms.context
    inputs = [names.user_id, names.given_name, names.surname, names.tenant_name]
    return strength(password.reveal(), [text for text in inputs if text])


@lru_cache(maxsize=4)
def breached_list(path: str) -> BreachedList | None:
    return BreachedList(path) if path else None
