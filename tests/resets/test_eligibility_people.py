"""Who is meant, in which order reasons are given, and guests of every origin (Entra, 1.3, 1.15)."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from resets.eligibility import Decision, PersonFacts, TenantFacts, decide
from tests.resets.facts import APP, EMAIL, MOBILE, QUESTIONS, ROLE, person, rules, tenant

UNTIL = datetime(2026, 11, 21, 9, tzinfo=UTC)

# From the first reason to the last: what makes it true, for the tenant and for the person.
PRECEDENCE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("unknown_user", {}, {"known": False}),
    ("personal_account", {}, {"origin": "personal"}),
    ("disabled", {}, {"enabled": False}),
    ("locked_out", {}, {"locked_until": UNTIL}),
    ("SSPR_0011", {"policy": None}, {}),
    ("SSPR_0009", {"policy": rules(enabled="none", writeback=True)}, {}),
    ("SSPR_0012", {}, {"licensed": False}),
    ("SSPR_0013", {"policy": rules(enabled="selected", group="g", writeback=True)}, {}),
    ("SSPR_0014", {}, {"proofs": ()}),
    ("SSPR_0010", {"policy": rules(writeback=False)}, {"source": "federated"}),
    ("SSPR_0029", {"writeback_state": "not_configured"}, {"source": "federated"}),
]
GOOD = person(EMAIL, APP, kind="member")
GOOD_TENANT = tenant(rules(writeback=True), writeback_state="healthy")


@pytest.mark.parametrize(("reason", "of_tenant", "of_person"), PRECEDENCE)
def test_each_reason_refuses_alone(
    reason: str, of_tenant: dict[str, Any], of_person: dict[str, Any]
) -> None:
    good = decide(GOOD_TENANT, GOOD)
    assert (good.known, good.allowed) == (True, True)

    decision = decide(replace(GOOD_TENANT, **of_tenant), replace(GOOD, **of_person))

    assert (decision.allowed, decision.reason) == (False, reason)
    assert decision.known is (reason != "unknown_user")
    assert decision.operations == ()


@pytest.mark.parametrize("place", range(len(PRECEDENCE) - 1))
def test_of_several_reasons_the_first_is_given(place: int) -> None:
    """Everything after it is true as well, the tenant's policy kept where one reason needs it."""
    facts, who = GOOD_TENANT, GOOD
    for _, of_tenant, of_person in reversed(PRECEDENCE[place:]):
        facts, who = replace(facts, **of_tenant), replace(who, **of_person)

    assert decide(facts, who).reason == PRECEDENCE[place][0]


def test_a_lock_tells_when_it_ends_and_only_then() -> None:
    locked = decide(GOOD_TENANT, replace(GOOD, locked_until=UNTIL))
    disabled = decide(GOOD_TENANT, replace(GOOD, locked_until=UNTIL, enabled=False))

    assert (locked.until, locked.next_step) == (UNTIL, "wait")
    assert (disabled.until, disabled.reason) == (None, "disabled")


def test_nobody_knows_anything_about_somebody_unknown() -> None:
    assert decide(GOOD_TENANT, PersonFacts(known=False)) == Decision(
        known=False, allowed=False, reason="unknown_user"
    )


@pytest.mark.parametrize(
    ("required", "licensed", "reason"),
    [(True, True, None), (True, False, "SSPR_0012"), (False, False, None), (False, True, None)],
)
def test_a_licence_is_asked_for_where_the_policy_says_so(
    required: bool, licensed: bool, reason: str | None
) -> None:
    facts = tenant(rules(require_licence=required))

    assert decide(facts, person(EMAIL, licensed=licensed)).reason == reason


def test_without_a_plan_that_resets_no_licence_helps() -> None:
    facts = tenant(rules(require_licence=False), plan="free")

    assert decide(facts, person(EMAIL, licensed=True)).reason == "SSPR_0012"


@pytest.mark.parametrize("group", ["", "g"])
@pytest.mark.parametrize("in_group", [True, False])
def test_selected_is_one_group_and_without_it_no_policy(group: str, in_group: bool) -> None:
    wanted = "SSPR_0011" if not group else (None if in_group else "SSPR_0013")

    decision = decide(
        tenant(rules(enabled="selected", group=group)), person(EMAIL, in_group=in_group)
    )

    assert decision.reason == wanted


# --- Guests -------------------------------------------------------------------------------------


def _guest(origin: str, **changes: Any) -> PersonFacts:
    return replace(person(EMAIL, kind="guest", origin=origin, licensed=False), **changes)


@pytest.mark.parametrize("origin", ["invitation", "self_service_sign_up"])
@pytest.mark.parametrize("required", [1, 2, 3])
def test_a_guest_proves_the_registered_email_whatever_the_policy_offers(
    origin: str, required: int
) -> None:
    facts = tenant(rules(methods=("mobile_phone", "app_code"), methods_required=required))

    decision = decide(facts, _guest(origin))

    assert (decision.allowed, decision.methods) == (True, ("email",))
    assert (decision.policy, decision.gates_required) == ("tenant", 1)


def test_a_guest_with_more_proofs_passes_as_many_as_the_policy_asks_for() -> None:
    facts = tenant(rules(methods_required=2))
    rich = _guest("invitation", proofs=(EMAIL, APP, MOBILE))

    assert decide(facts, rich).gates_required == 2
    assert decide(facts, _guest("invitation")).gates_required == 1


@pytest.mark.parametrize("proofs", [(), (QUESTIONS,)])
def test_a_guest_without_a_proof_that_counts_can_not_reset(proofs: tuple[Any, ...]) -> None:
    assert decide(tenant(), _guest("invitation", proofs=proofs)).reason == "SSPR_0014"


def test_a_guest_needs_no_licence_but_the_tenant_needs_the_plan_and_the_switch() -> None:
    guest = _guest("invitation")

    assert decide(tenant(), guest).allowed
    assert decide(tenant(plan="free"), guest).reason == "SSPR_0012"
    assert decide(tenant(rules(enabled="none")), guest).reason == "SSPR_0009"


def test_a_guest_with_a_role_is_an_administrator_first() -> None:
    assert decide(tenant(), _guest("invitation", roles=(ROLE,))).policy == "administrator"


def test_a_personal_account_is_sent_to_its_own_service() -> None:
    decision = decide(tenant(), _guest("personal", enabled=False))

    assert (decision.reason, decision.next_step) == ("personal_account", "use_own_service")


@pytest.mark.parametrize("who", [_guest("personal"), replace(GOOD, known=False)])
def test_who_is_refused_before_any_policy_is_asked_for_no_proof(who: PersonFacts) -> None:
    good, refused = decide(GOOD_TENANT, GOOD), decide(GOOD_TENANT, who)

    assert (good.policy, good.gates_required, good.counted) == ("tenant", 1, 2)
    assert (refused.policy, refused.gates_required, refused.counted) == ("tenant", 0, 0)


def _home(facts: TenantFacts, who: PersonFacts) -> Decision:
    return decide(facts, who)


def test_the_home_tenant_decides_for_a_partner_and_is_quoted() -> None:
    off = tenant(rules(enabled="none"))
    may = _home(tenant(rules(methods_required=2)), person(EMAIL, APP))
    may_not = _home(tenant(), person(EMAIL, enabled=False))

    # What the host tenant allows is of no importance.
    allowed = decide(off, _guest("partner"), may)
    refused = decide(tenant(), _guest("partner"), may_not)

    assert (allowed.allowed, allowed.reason, allowed.home_reason) == (True, None, None)
    assert (allowed.policy, allowed.gates_required) == ("home_tenant", 2)
    assert allowed.methods == ("app_code", "email")
    assert (refused.reason, refused.home_reason) == ("home_tenant", "disabled")
    assert refused.next_step == "contact_administrator"


def test_a_partner_whom_the_home_tenant_does_not_know_is_still_known_here() -> None:
    decision = decide(tenant(), _guest("partner"), _home(tenant(), PersonFacts(known=False)))

    assert (decision.known, decision.home_reason) == (True, "unknown_user")


def test_a_partner_without_a_home_tenant_is_refused() -> None:
    decision = decide(tenant(), _guest("partner"))

    assert (decision.known, decision.allowed, decision.reason) == (True, False, "home_tenant")
    assert decision.policy == "home_tenant"
