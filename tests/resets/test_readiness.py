"""Could the person help themselves, and what would bring them nearer: a table."""

from dataclasses import replace
from datetime import date

import pytest

from resets.eligibility import PersonFacts, Proof, TenantFacts, decide
from resets.readiness import Advice, advise
from tenants.policy import METHODS, PolicyRules

EMAIL = Proof("email", b"mail", ("email",))
APP = Proof("app_code", b"app")
PUSH = Proof("app_notification", b"phone")
MOBILE = Proof("mobile_phone", b"mobile", ("sms", "voice"))
DESK = Proof("office_phone", b"desk", ("voice",))
KNOWN = Proof("security_questions", b"known")
ALL = ("email", "app_code", "mobile_phone", "office_phone", "security_questions")
REGISTRABLE = METHODS


def tenant(*methods: str, required: int = 2, plan: str = "p1") -> TenantFacts:
    rules = PolicyRules(methods=methods or ALL, methods_required=required)
    return TenantFacts(rules, plan, None, date(2026, 11, 20), True, False, "not_configured")


def person(*proofs: Proof, **facts: object) -> PersonFacts:
    return replace(PersonFacts(proofs=proofs), **facts)  # type: ignore[arg-type]  # of PersonFacts


def advice(facts: TenantFacts, who: PersonFacts) -> Advice:
    return advise(facts, who, decide(facts, who), REGISTRABLE)


@pytest.mark.parametrize(
    ("facts", "proofs", "missing", "suggestions"),
    [
        (tenant(), (), 2, ("app_code", "mobile_phone", "office_phone", "email")),
        (tenant(), (APP,), 1, ("mobile_phone", "office_phone", "email", "security_questions")),
        (tenant(), (EMAIL,), 1, ("app_code", "mobile_phone", "office_phone")),
        (tenant(), (APP, EMAIL), 0, ("mobile_phone", "office_phone", "security_questions")),
        # Questions are nothing alone, and nothing beside a mailbox alone.
        (tenant(), (KNOWN,), 2, ("app_code", "mobile_phone", "office_phone", "email")),
        (tenant(), (KNOWN, EMAIL), 1, ("app_code", "mobile_phone", "office_phone")),
        # Calls need a plan that has them.
        (tenant(plan="business_premium", required=1), (), 1, ()),
        # An authenticator is one, whatever it answers with; a notification never stands alone.
        (tenant("app_code", "app_notification", "email", required=1), (), 1, ("app_code", "email")),
        (
            tenant("app_code", "app_notification", "email", "mobile_phone"),
            (PUSH,),
            1,
            ("mobile_phone", "email"),
        ),
        (tenant(required=3), (APP, MOBILE), 1, ("office_phone", "email", "security_questions")),
    ],
)
def test_what_is_missing_and_what_helps(
    facts: TenantFacts, proofs: tuple[Proof, ...], missing: int, suggestions: tuple[str, ...]
) -> None:
    found = advice(facts, person(*proofs))

    assert found.missing == missing
    if facts.plan != "business_premium":
        assert found.suggestions == suggestions
    else:
        assert found.suggestions[0] == "app_code"


def test_a_plan_without_calls_suggests_no_office_phone_and_says_why_one_does_not_count() -> None:
    facts = tenant(plan="free", required=1)

    found = advise(facts, person(DESK), decide(facts, person(DESK)), REGISTRABLE)

    assert "office_phone" not in found.suggestions
    assert found.unusable == {"office_phone": "no_calls"}


@pytest.mark.parametrize(
    ("proof", "required", "cause"),
    [
        (replace(EMAIL, in_own_domain=True), 2, "own_domain"),
        (PUSH, 1, "one_gate"),
        (Proof("passkey", b"key"), 2, "not_allowed"),
    ],
)
def test_why_something_registered_does_not_count(proof: Proof, required: int, cause: str) -> None:
    facts = tenant("email", "app_code", "app_notification", "mobile_phone", required=required)

    assert advice(facts, person(proof)).unusable == {proof.method: cause}


def test_a_mailbox_in_the_own_domain_is_replaced_by_another_one() -> None:
    inside = replace(EMAIL, in_own_domain=True)

    assert "email" in advice(tenant(), person(inside)).suggestions


def test_where_something_else_is_the_reason_nothing_is_missing() -> None:
    facts = tenant()
    off = replace(facts, policy=replace(facts.policy or PolicyRules(), enabled="none"))

    assert advice(off, person()).missing == 0


def test_administrators_are_advised_by_their_own_policy() -> None:
    admin = person(MOBILE, roles=("global_administrator",))
    found = advice(tenant("security_questions", "email"), admin)

    assert found.allowed == (
        "app_notification",
        "app_code",
        "mobile_phone",
        "office_phone",
        "email",
    )
    # A second phone is no second proof for them.
    assert found.suggestions == ("app_notification", "app_code", "email")


@pytest.mark.parametrize("origin", ["partner", "personal"])
def test_whose_account_lives_elsewhere_registers_nothing(origin: str) -> None:
    assert advice(tenant(), person(kind="guest", origin=origin)) == Advice()


def test_only_what_can_be_registered_is_suggested() -> None:
    facts, who = tenant(), person()

    assert advise(facts, who, decide(facts, who), ["email"]).suggestions == ("email",)
