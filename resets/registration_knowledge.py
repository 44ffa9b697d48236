"""What this app knows about registering: who could reset, and what would have to be added."""

from datetime import datetime

from accounts.people import Belongings
from accounts.registration.readiness import KNOWN, Readiness
from accounts.registration.registrable import REGISTRABLES
from accounts.signin.provable import registrations_of
from tenants.roles import holds_administrator_role
from writeback.policy_knowledge import synchronised_rows

from .eligibility import HOME_TENANT
from .facts import assess, person_facts, read_situation
from .readiness import advise


def readiness_of(own: Belongings, now: datetime, site: str) -> Readiness:
    """How ready this person is, in the tenant in force. A lock that passes is not asked about."""
    situation = read_situation(now)
    user = own.user
    synchronised = holds_administrator_role(user.roles) and synchronised_rows().exists()
    decision = assess(situation, own, synchronised=synchronised, site=site).decision
    person = person_facts(situation, own, registrations_of(own, situation.method_context(site)))
    advice = advise(
        situation.facts(synchronised=synchronised), person, decision, tuple(REGISTRABLES)
    )
    return Readiness(
        able=decision.allowed,
        reason=decision.reason,
        policy=decision.policy,
        elsewhere=decision.policy == HOME_TENANT or user.origin == "personal",
        gates_required=decision.gates_required,
        counted=decision.counted,
        missing=advice.missing,
        allowed=advice.allowed,
        usable=decision.methods,
        suggestions=advice.suggestions,
        unusable=advice.unusable,
    )


KNOWN.readiness_of = readiness_of
