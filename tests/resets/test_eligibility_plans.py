"""Plans, sources of the password and the fixed administrator policy (Entra, 1.1, 1.3 and 1.4)."""

from datetime import date, timedelta
from itertools import product

import pytest

from resets.eligibility import decide
from tenants.licensing import PLANS
from tests.resets.facts import (
    ALL,
    APP,
    EMAIL,
    MOBILE,
    OFFICE,
    OWN_EMAIL,
    PUSH,
    QUESTIONS,
    ROLE,
    SAME_OFFICE,
    TODAY,
    person,
    rules,
    tenant,
)

SOURCES = ("cloud", "password_hash_sync", "pass_through", "federated")
DIRECTORY_SOURCES = SOURCES[1:]
WRITEBACK_PLANS = ("business_premium", "p1", "p2")
NOT_LICENSED, WRITEBACK_OFF, DIRECTORY_NEEDS_ADMIN = "SSPR_0012", "SSPR_0010", "SSPR_0029"


def _wanted(plan: str, kind: str, source: str) -> str | None:
    if kind != "administrator" and plan == "free":
        return NOT_LICENSED
    if source == "cloud" or plan in WRITEBACK_PLANS:
        return None
    return WRITEBACK_OFF


@pytest.mark.parametrize(
    ("plan", "kind", "source"),
    list(product(PLANS, ("member", "guest", "administrator"), SOURCES)),
)
def test_each_plan_lets_in_whom_it_includes(plan: str, kind: str, source: str) -> None:
    facts = tenant(rules(writeback=True), plan=plan, writeback_state="healthy", synchronised=True)
    who = person(
        EMAIL,
        APP,
        kind="guest" if kind == "guest" else "member",
        origin="invitation" if kind == "guest" else "",
        roles=(ROLE,) if kind == "administrator" else (),
        source=source,
    )

    decision = decide(facts, who)

    assert decision.reason == _wanted(plan, kind, source)
    assert decision.allowed is (decision.reason is None)


@pytest.mark.parametrize("source", DIRECTORY_SOURCES)
@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("healthy", None),
        ("healthy_outdated", None),
        ("unknown_outdated", None),
        ("disconnected", "SSPR_0030"),
        ("service_fault", "SSPR_0030"),
        ("not_configured", DIRECTORY_NEEDS_ADMIN),
    ],
)
def test_the_state_of_the_directory_decides_for_its_people(
    source: str, state: str, reason: str | None
) -> None:
    facts = tenant(rules(writeback=True), writeback_state=state)

    decision = decide(facts, person(EMAIL, source=source))

    assert decision.reason == reason
    assert decision.writeback == state
    assert decide(facts, person(EMAIL)).reason is None
    assert decide(facts, person(EMAIL)).writeback is None


@pytest.mark.parametrize("policy", [None, rules(writeback=False)])
def test_without_writeback_a_directory_password_is_not_reset_here(policy: object) -> None:
    facts = tenant(policy, writeback_state="healthy")  # type: ignore[arg-type]  # both are rules

    administrator = person(EMAIL, APP, source="federated", roles=(ROLE,))

    assert decide(facts, administrator).reason == WRITEBACK_OFF


def test_a_directory_that_can_not_be_reached_is_tried_later_and_a_broken_one_needs_somebody() -> (
    None
):
    who = person(EMAIL, source="federated")

    later = decide(tenant(rules(writeback=True), writeback_state="disconnected"), who)
    somebody = decide(tenant(rules(writeback=True)), who)

    assert later.next_step == "try_later"
    assert somebody.next_step == "contact_administrator"
    assert decide(tenant(), person(EMAIL)).next_step == "prove_identity"


@pytest.mark.parametrize(
    ("plan", "source", "unlock", "operations"),
    [
        ("p1", "cloud", True, ("reset",)),
        ("p1", "federated", False, ("reset",)),
        ("p1", "federated", True, ("reset", "unlock")),
        ("business_premium", "password_hash_sync", True, ("reset", "unlock")),
    ],
)
def test_unlocking_alone_is_for_directory_people_where_it_is_switched_on(
    plan: str, source: str, unlock: bool, operations: tuple[str, ...]
) -> None:
    policy = rules(writeback=True, unlock_without_reset=unlock)
    facts = tenant(policy, plan=plan, writeback_state="healthy")

    assert decide(facts, person(EMAIL, source=source)).operations == operations


def test_nobody_who_is_refused_is_offered_an_operation() -> None:
    policy = rules(writeback=True, unlock_without_reset=True, enabled="none")
    facts = tenant(policy, writeback_state="healthy")

    assert decide(facts, person(EMAIL, source="federated")).operations == ()


@pytest.mark.parametrize("plan", ["free", "business_standard"])
def test_a_policy_wider_than_the_plan_is_noted(plan: str) -> None:
    facts = tenant(rules(writeback=True), plan=plan)
    note = "The plan does not include writing passwords back to a directory."

    assert note in decide(facts, person(EMAIL, source="federated")).notes
    assert note not in decide(facts, person(EMAIL)).notes
    assert note not in decide(tenant(), person(EMAIL, source="federated")).notes


# --- The administrator policy ------------------------------------------------------------------

_29, _30 = TODAY - timedelta(days=29), TODAY - timedelta(days=30)


@pytest.mark.parametrize(
    ("trial_started", "custom_domain", "synchronised", "gates"),
    [
        (None, False, False, 1),
        (None, True, False, 2),
        (None, False, True, 2),
        (None, True, True, 2),
        (TODAY, True, True, 1),
        (_29, True, True, 1),
        (_29, False, False, 1),
        (_30, False, False, 2),
        (_30, True, False, 2),
        (_30, True, True, 2),
    ],
)
def test_administrators_pass_two_gates_but_for_the_one_gate_exception(
    trial_started: date | None, custom_domain: bool, synchronised: bool, gates: int
) -> None:
    facts = tenant(
        trial_started=trial_started, custom_domain=custom_domain, synchronised=synchronised
    )

    decision = decide(facts, person(EMAIL, APP, roles=(ROLE,)))

    assert (decision.allowed, decision.gates_required) == (True, gates)
    assert decision.policy == "administrator"


@pytest.mark.parametrize("tenant_gates", [1, 2, 3])
def test_the_tenants_own_number_and_methods_do_not_hold_for_administrators(
    tenant_gates: int,
) -> None:
    policy = rules(methods=("security_questions", "mobile_phone"), methods_required=tenant_gates)

    decision = decide(tenant(policy), person(EMAIL, APP, QUESTIONS, roles=(ROLE,)))

    assert (decision.gates_required, decision.methods) == (2, ("app_code", "email"))


@pytest.mark.parametrize(
    ("proofs", "counted", "reason"),
    [
        ((QUESTIONS,), 0, "SSPR_0014"),
        ((EMAIL, QUESTIONS), 1, "SSPR_0014"),
        ((EMAIL,), 1, "SSPR_0014"),
        ((APP, PUSH), 1, "SSPR_0014"),
        ((MOBILE, OFFICE), 1, "SSPR_0014"),
        ((MOBILE, SAME_OFFICE), 1, "SSPR_0014"),
        ((APP, OWN_EMAIL), 1, "SSPR_0014"),
        ((EMAIL, APP), 2, None),
        ((EMAIL, MOBILE), 2, None),
        ((APP, OFFICE), 2, None),
        (ALL, 3, None),
    ],
)
def test_an_administrator_needs_two_different_pieces_and_never_questions(
    proofs: tuple[object, ...], counted: int, reason: str | None
) -> None:
    decision = decide(tenant(), person(*proofs, roles=(ROLE,)))  # type: ignore[arg-type]  # proofs

    assert (decision.counted, decision.reason) == (counted, reason)
    assert "security_questions" not in decision.methods


@pytest.mark.parametrize(
    ("plan", "trial_started", "voice"),
    [("p1", None, True), ("free", None, False), ("p1", _30, False), ("free", _30, False)],
)
@pytest.mark.parametrize("roles", [(), (ROLE,)])
def test_calls_are_for_paid_plans_only(
    plan: str, trial_started: date | None, voice: bool, roles: tuple[str, ...]
) -> None:
    facts = tenant(plan=plan, trial_started=trial_started)

    decision = decide(facts, person(MOBILE, OFFICE, APP, roles=roles))

    channels = {proof.method: proof.channels for proof in decision.proofs}
    assert ("office_phone" in channels) is voice
    assert channels["mobile_phone"] == (("sms", "voice") if voice else ("sms",))
    assert any(note.startswith("office_phone: calls need") for note in decision.notes) is not voice


@pytest.mark.parametrize("enabled", ["none", "selected", "all"])
@pytest.mark.parametrize("licensed", [True, False])
@pytest.mark.parametrize("plan", ["free", "p2"])
def test_no_setting_but_their_own_stops_administrators(
    enabled: str, licensed: bool, plan: str
) -> None:
    who = person(EMAIL, APP, roles=(ROLE,), licensed=licensed)

    may = decide(tenant(rules(enabled=enabled, group="g"), plan=plan), who)
    may_not = decide(tenant(rules(admins_may_reset=False), plan=plan), who)

    assert (may.reason, may_not.reason) == (None, "admins_may_not_reset")


def test_an_administrator_may_reset_where_no_policy_was_defined() -> None:
    assert decide(tenant(None), person(EMAIL, APP, roles=(ROLE,))).allowed


def test_administrators_who_may_not_reset_stay_out_even_inside_the_group() -> None:
    policy = rules(enabled="selected", group="g", admins_may_reset=False)

    refused = decide(tenant(policy), person(EMAIL, APP, roles=(ROLE,), in_group=True))
    member = decide(tenant(policy), person(EMAIL, APP, in_group=True))

    assert (refused.reason, member.reason) == ("admins_may_not_reset", None)


@pytest.mark.parametrize("role", ["global_reader", "reports_reader", "guest_inviter"])
def test_who_only_reads_is_no_administrator(role: str) -> None:
    decision = decide(tenant(), person(EMAIL, roles=(role,)))

    assert (decision.policy, decision.gates_required, decision.allowed) == ("tenant", 1, True)
