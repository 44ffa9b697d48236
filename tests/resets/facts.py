"""Shorthand of the tables: a tenant that allows everything, a person, and their proofs."""

from dataclasses import replace
from datetime import date
from typing import Any

from resets.eligibility import PersonFacts, Proof, TenantFacts
from tenants.policy import PolicyRules

TODAY = date(2026, 11, 20)
METHODS = ("email", "app_code", "app_notification", "mobile_phone", "office_phone")
RULES = PolicyRules(enabled="all", methods=(*METHODS, "security_questions"), methods_required=1)

EMAIL = Proof("email", b"mailbox", ("email",))
OWN_EMAIL = Proof("email", b"own mailbox", ("email",), in_own_domain=True)
APP = Proof("app_code", b"app")
PUSH = Proof("app_notification", b"app")
MOBILE = Proof("mobile_phone", b"+1555", ("sms", "voice"))
OFFICE = Proof("office_phone", b"+1666", ("voice",))
SAME_OFFICE = Proof("office_phone", b"+1555", ("voice",))
QUESTIONS = Proof("security_questions", b"knowledge")
ALL = (APP, MOBILE, OFFICE, EMAIL, QUESTIONS)

ROLE = "helpdesk_administrator"


def tenant(rules: PolicyRules | None = RULES, **changes: Any) -> TenantFacts:
    """P1, paid, with a domain of its own, not synchronised; `changes` are fields of the facts."""
    facts = TenantFacts(
        policy=rules,
        plan="p1",
        trial_started=None,
        today=TODAY,
        custom_domain=True,
        synchronised=False,
        writeback_state="not_configured",
    )
    return replace(facts, **changes)


def rules(**changes: Any) -> PolicyRules:
    return replace(RULES, **changes)


def person(*proofs: Proof, **changes: Any) -> PersonFacts:
    """A licensed member in the cloud with these proofs; `changes` are fields of the facts."""
    return PersonFacts(proofs=proofs, **changes)
