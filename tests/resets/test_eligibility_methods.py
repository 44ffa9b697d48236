"""Which proofs count, how many gates they make, and which can come next (Entra, 1.7; R-11)."""

from collections.abc import Sequence
from itertools import permutations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from resets.eligibility import Proof, count_independent, decide, independent, next_proofs
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
    person,
    rules,
    tenant,
)

NOT_ENOUGH = "SSPR_0014"


@pytest.mark.parametrize(
    ("usable", "required", "can"),
    [
        ((), 1, False),
        ((EMAIL,), 1, True),
        ((EMAIL, APP), 1, True),
        ((EMAIL,), 2, False),
        ((EMAIL, APP), 2, True),
        ((EMAIL, APP, MOBILE), 2, True),
        ((EMAIL,), 3, False),
        ((EMAIL, APP), 3, False),
        ((EMAIL, APP, MOBILE), 3, True),
        (ALL, 3, True),
    ],
)
def test_as_many_usable_methods_as_are_required_are_enough(
    usable: tuple[Proof, ...], required: int, can: bool
) -> None:
    decision = decide(tenant(rules(methods_required=required)), person(*usable))

    assert decision.allowed is can
    assert decision.reason == (None if can else NOT_ENOUGH)
    assert decision.gates_required == required


@pytest.mark.parametrize(
    ("proofs", "gates"),
    [
        ((), 0),
        ((EMAIL,), 1),
        ((QUESTIONS,), 0),
        ((EMAIL, QUESTIONS), 1),
        ((MOBILE, QUESTIONS), 2),
        ((OFFICE, QUESTIONS), 2),
        ((APP, QUESTIONS), 2),
        ((EMAIL, APP, QUESTIONS), 3),
        ((MOBILE, OFFICE), 2),
        ((MOBILE, SAME_OFFICE), 1),
        ((MOBILE, SAME_OFFICE, QUESTIONS), 2),
        ((APP, PUSH), 1),
        ((APP, PUSH, EMAIL), 2),
        ((OWN_EMAIL,), 0),
        ((OWN_EMAIL, APP), 1),
        ((OWN_EMAIL, QUESTIONS), 0),
    ],
)
def test_proofs_count_once_for_each_thing_they_hang_on(
    proofs: tuple[Proof, ...], gates: int
) -> None:
    for order in permutations(proofs):
        decision = decide(tenant(rules(methods_required=2)), person(*order))
        assert decision.counted == gates


def test_two_app_registrations_of_one_app_are_one_piece_even_on_different_keys() -> None:
    other_key = Proof("app_notification", b"another key")

    assert not independent((APP, other_key))
    assert count_independent((APP, other_key)) == 1


def test_a_change_of_methods_takes_what_is_disabled_out_of_the_count() -> None:
    """Registered office phone and questions, then the policy asks for mobile and email."""
    who = person(OFFICE, QUESTIONS)
    before = rules(methods=("office_phone", "security_questions"), methods_required=2)
    after = rules(methods=("mobile_phone", "email"), methods_required=2)

    may, may_not = decide(tenant(before), who), decide(tenant(after), who)

    assert (may.allowed, may.counted) == (True, 2)
    assert (may_not.reason, may_not.counted, may_not.methods) == (NOT_ENOUGH, 0, ())
    assert may_not.registered == ("office_phone", "security_questions")
    assert len(may_not.notes) == 2
    assert decide(tenant(after), person(OFFICE, QUESTIONS, MOBILE, EMAIL)).allowed


@pytest.mark.parametrize(("required", "usable"), [(1, False), (2, True), (3, True)])
def test_a_notification_counts_only_beside_another_method(required: int, usable: bool) -> None:
    decision = decide(tenant(rules(methods_required=required)), person(PUSH, EMAIL, MOBILE))

    assert ("app_notification" in decision.methods) is usable


def test_the_mailbox_behind_the_forgotten_password_is_named_as_such() -> None:
    decision = decide(tenant(), person(OWN_EMAIL))

    assert decision.reason == NOT_ENOUGH
    assert decision.notes == (
        "email: the mailbox is in the organisation's own domain, behind the forgotten password.",
    )


def test_proofs_stand_strongest_first_however_they_were_registered() -> None:
    wanted = ("app_code", "mobile_phone", "office_phone", "email", "security_questions")

    for order in permutations(ALL):
        decision = decide(tenant(), person(*order))
        assert decision.methods == wanted
        assert decision.registered == wanted


# --- What can come next -------------------------------------------------------------------------


def _methods(proofs: Sequence[Proof]) -> set[str]:
    return {proof.method for proof in proofs}


def test_questions_are_not_offered_where_only_the_mailbox_stands_beside_them() -> None:
    proofs = (EMAIL, QUESTIONS, APP)

    assert _methods(next_proofs(proofs, (), 2)) == {"email", "app_code", "security_questions"}
    assert _methods(next_proofs(proofs, (EMAIL,), 2)) == {"app_code"}
    assert _methods(next_proofs(proofs, (QUESTIONS,), 2)) == {"app_code"}


def test_a_second_way_to_the_same_number_is_not_offered() -> None:
    proofs = (MOBILE, SAME_OFFICE, EMAIL)

    assert _methods(next_proofs(proofs, (MOBILE,), 2)) == {"email"}


def test_an_administrators_second_phone_is_not_offered_after_the_first() -> None:
    proofs = (MOBILE, OFFICE, EMAIL)

    assert _methods(next_proofs(proofs, (MOBILE,), 2)) == {"office_phone", "email"}
    assert _methods(next_proofs(proofs, (MOBILE,), 2, by_kind=True)) == {"email"}


def test_nothing_comes_after_the_last_gate() -> None:
    assert next_proofs((EMAIL, APP), (EMAIL, APP), 2) == ()
    assert next_proofs((EMAIL, APP), (EMAIL,), 1) == ()


def _proof(method: str, anchors: st.SearchStrategy[bytes]) -> st.SearchStrategy[Proof]:
    return anchors.map(lambda anchor: Proof(method, anchor))


# One proof a method, as people have them; phones may share a number.
PROOFS = st.sets(
    st.sampled_from(("email", "app_code", "mobile_phone", "office_phone", "security_questions"))
).flatmap(
    lambda methods: st.tuples(
        *(
            _proof(
                method,
                st.sampled_from((b"one", b"two"))
                if method.endswith("phone")
                else st.just(method.encode()),
            )
            for method in sorted(methods)
        )
    )
)


@given(proofs=PROOFS, required=st.integers(1, 3), by_kind=st.booleans(), data=st.data())
def test_whatever_is_chosen_the_required_number_is_reached(
    proofs: tuple[Proof, ...], required: int, by_kind: bool, data: st.DataObject
) -> None:
    assume(count_independent(proofs, by_kind=by_kind) >= required)
    passed: tuple[Proof, ...] = ()

    while len(passed) < required:
        offered = next_proofs(proofs, passed, required, by_kind=by_kind)
        assert offered, f"a dead end after {[proof.method for proof in passed]}"
        passed = (*passed, data.draw(st.sampled_from(offered)))

    assert independent(passed, by_kind=by_kind)


@given(proofs=PROOFS, required=st.integers(1, 3), by_kind=st.booleans())
def test_somebody_without_enough_proofs_is_offered_nothing(
    proofs: tuple[Proof, ...], required: int, by_kind: bool
) -> None:
    enough = count_independent(proofs, by_kind=by_kind) >= required

    assert bool(next_proofs(proofs, (), required, by_kind=by_kind)) is enough


@given(
    proofs=PROOFS,
    left_out=st.integers(0, 4),
    required=st.integers(1, 3),
    roles=st.sampled_from([(), (ROLE,)]),
    kind=st.sampled_from(["member", "guest"]),
)
def test_one_proof_more_never_makes_somebody_refused(
    proofs: tuple[Proof, ...], left_out: int, required: int, roles: tuple[str, ...], kind: str
) -> None:
    assume(proofs)
    fewer = tuple(proof for at, proof in enumerate(proofs) if at != left_out % len(proofs))
    facts = tenant(rules(methods_required=required))

    before = decide(facts, person(*fewer, roles=roles, kind=kind))
    after = decide(facts, person(*proofs, roles=roles, kind=kind))

    assert after.counted >= before.counted
    assert after.allowed or not before.allowed


@given(
    proofs=PROOFS,
    required=st.integers(1, 2),
    roles=st.sampled_from([(), (ROLE,)]),
    kind=st.sampled_from(["member", "guest"]),
)
def test_asking_for_more_methods_never_lets_anybody_in(
    proofs: tuple[Proof, ...], required: int, roles: tuple[str, ...], kind: str
) -> None:
    """Without the notification, which by itself counts only where two methods are required."""
    who = person(*proofs, roles=roles, kind=kind)

    fewer = decide(tenant(rules(methods_required=required)), who)
    more = decide(tenant(rules(methods_required=required + 1)), who)

    assert fewer.allowed or not more.allowed
