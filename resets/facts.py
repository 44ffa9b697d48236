"""Reading what is true now, so that the pure rules can decide."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

from accounts.groups import is_in_group
from accounts.methods.base import MethodContext, Registration
from accounts.models import User
from accounts.people import NOBODY, Belongings
from accounts.signin.provable import registrations_of
from tenants.counters import Count
from tenants.evenness import note_concealing
from tenants.limits import limit_for
from tenants.models import ResetPolicy, Subscription, Tenant
from tenants.policy import PolicyRules
from tenants.roles import holds_administrator_role
from tenants.rules import rules_of
from writeback.policy_knowledge import synchronised_rows
from writeback.services.states import state_for

from .eligibility import Decision, PersonFacts, Proof, TenantFacts, decide

NOT_CONFIGURED = "not_configured"


@dataclass(frozen=True)
class Situation:
    """The tenant as it is now, read once for a step."""

    tenant: Tenant
    policy: ResetPolicy | None
    plan: str
    subscription: Subscription | None
    domains: frozenset[str]
    custom_domain: bool
    now: datetime

    @cached_property
    def rules(self) -> PolicyRules:
        return self.policy.rules() if self.policy is not None else PolicyRules()

    @property
    def limits(self) -> Mapping[str, int]:
        return self.policy.limits if self.policy is not None else {}

    @property
    def concealed(self) -> bool:
        return self.tenant.disclosure == Tenant.Disclosure.CONCEALED

    def method_context(self, site: str = "", *, concealed: bool = False) -> MethodContext:
        """`site`: the web origin the person is on; `concealed`: whether the journey is."""
        rules = self.rules
        return MethodContext(
            now=self.now,
            domains=self.domains,
            questions_to_reset=rules.questions_to_reset,
            custom_questions=rules.custom_questions,
            site=site,
            concealed=concealed,
        )

    def facts(self, *, synchronised: bool, writeback_state: str = NOT_CONFIGURED) -> TenantFacts:
        return TenantFacts(
            policy=self.rules if self.policy is not None else None,
            plan=self.plan,
            trial_started=self.subscription.trial_started if self.subscription else None,
            today=self.now.date(),
            custom_domain=self.custom_domain,
            synchronised=synchronised,
            writeback_state=writeback_state,
        )

    def count(self, limit: str, subject: str) -> Count:
        return Count(limit_for(limit, self.limits), subject)


@dataclass(frozen=True)
class Assessment:
    """A decision and what it was made from."""

    decision: Decision
    registrations: Mapping[str, Registration]


def read_situation(now: datetime, tenant: Tenant | None = None) -> Situation:
    """The tenant in force as it is now; `tenant` is its row, where that was just read."""
    rules = rules_of(tenant)
    situation = Situation(
        tenant=tenant if tenant is not None else rules.tenant,
        policy=rules.policy,
        plan=rules.subscription.plan if rules.subscription is not None else "free",
        subscription=rules.subscription,
        domains=frozenset(domain.name for domain in rules.domains),
        custom_domain=any(domain.custom for domain in rules.domains),
        now=now,
    )
    if situation.concealed:
        note_concealing()
    return situation


def assess(
    situation: Situation,
    own: Belongings | None,
    *,
    synchronised: bool | None = None,
    locked_until: datetime | None = None,
    home: Decision | None = None,
    site: str = "",
) -> Assessment:
    """Decides for one person; without belongings for a user ID that nobody has.

    synchronised: whether the tenant is; asked for here when the caller did not read it.
    """
    if synchronised is None:
        synchronised = synchronised_rows().exists()
    if own is None:
        if situation.concealed:
            _in_scope(situation, NOBODY)
        facts = situation.facts(synchronised=False)
        return Assessment(decide(facts, PersonFacts(known=False)), {})
    user = own.user
    found = registrations_of(own, situation.method_context(site))
    person = person_facts(situation, own, found, locked_until)
    # Whether the tenant is synchronised matters for administrators only.
    administrator = holds_administrator_role(user.roles)
    state = directory_state(situation, user)
    facts = situation.facts(synchronised=administrator and synchronised, writeback_state=state)
    decision = decide(facts, person, home)
    return Assessment(decision, {row.method: row for row in found})


def directory_state(situation: Situation, user: User) -> str:
    """Asked only where a password would be written to a directory."""
    if user.source == User.Source.CLOUD or not situation.rules.writeback:
        return NOT_CONFIGURED
    return state_for(user, situation.now)


def person_facts(
    situation: Situation,
    own: Belongings,
    found: Iterable[Registration],
    locked_until: datetime | None = None,
) -> PersonFacts:
    """What the rules need to know of somebody who has this on file."""
    user = own.user
    return PersonFacts(
        enabled=user.usable,
        kind=user.kind,
        origin=user.origin,
        source=user.source,
        licensed=user.licence_id is not None,
        in_group=_in_scope(situation, user.pk),
        roles=tuple(user.roles),
        proofs=tuple(
            Proof(row.method, row.anchor, row.channels, row.in_own_domain) for row in found
        ),
        locked_until=locked_until,
    )


def _in_scope(situation: Situation, person: UUID) -> bool:
    policy = situation.policy
    if policy is None or policy.enabled != ResetPolicy.Enabled.SELECTED:
        return False
    return policy.group_id is not None and is_in_group(person, policy.group_id)
