"""A-013…A-017, A-029: a proof counts once, for one journey, and only where it was asked for."""

import pytest

from resets.models import Challenge
from tests.cast import (
    ALICE_MOBILE,
    NEW_PASSWORD,
    PASSWORD,
    QUESTIONS,
    give_office,
    give_questions,
)
from tests.resets.walks import BOB_EMAIL
from tests.security.lab.client import FLOW_COOKIE, Browser
from tests.security.lab.lab import Lab
from tests.security.lab.verdicts import assert_denied, journey_row


def _proved(lab: Lab) -> Browser:
    """Bob, or a thief with both his proofs, in front of the page for a new password."""
    thief = lab.begun(lab.acme.bob.user_id)
    thief.verify(lab.app_code(lab.acme.bob))
    thief.choose("email", BOB_EMAIL)
    thief.verify(lab.code())
    assert thief.state == "choosing"
    return thief


@pytest.mark.parametrize("disclosure", ["guided", "concealed"])
def test_a013_no_password_is_taken_right_after_the_start(lab: Lab, disclosure: str) -> None:
    if disclosure == "concealed":
        lab.conceal()
    thief = lab.begun(lab.acme.bob.user_id)
    before = journey_row(lab, thief)

    answer = thief.submit(NEW_PASSWORD)

    assert_denied(lab, answer, thief, before)
    assert lab.password_is(lab.acme.bob, PASSWORD)


def test_a013_no_password_is_taken_after_one_of_two_gates(lab: Lab) -> None:
    thief = lab.begun(lab.acme.bob.user_id)
    thief.verify(lab.app_code(lab.acme.bob))
    before = journey_row(lab, thief)

    answer = thief.submit(NEW_PASSWORD)

    assert before["gates"] == ["app_code"]
    assert_denied(lab, answer, thief, before)
    assert lab.password_is(lab.acme.bob, PASSWORD)


def test_a014_a_second_code_of_one_app_is_no_second_gate(lab: Lab) -> None:
    thief = lab.begun(lab.acme.bob.user_id)
    thief.verify(lab.app_code(lab.acme.bob))
    before = journey_row(lab, thief)

    chosen = thief.choose("app_code")
    thief.verify(lab.app_code(lab.acme.bob, steps=1))

    assert_denied(lab, chosen, thief, before)
    thief.submit(NEW_PASSWORD)
    assert thief.state == "proving"
    assert lab.gates(thief) == ["app_code"]
    assert lab.password_is(lab.acme.bob, PASSWORD)


def test_a015_a_proved_journey_sets_nobody_elses_password(lab: Lab) -> None:
    thief, victim = _proved(lab), lab.begun(lab.acme.alice.user_id)
    own, other = thief.flow_path, victim.flow_path
    before = journey_row(lab, victim)
    password = {"new_password": NEW_PASSWORD}

    in_path = thief.post(f"{other}submit/", password)
    in_body = [
        thief.post(f"{own}submit/", {**password, name: str(victim.flow)})
        for name in ("flow", "flow_id", "id", "user_id", "user")
    ]
    headers = {"X-Flow-Id": str(thief.flow), "X-Original-URL": f"{own}submit/"}
    in_header = thief.post(f"{other}submit/", password, headers=headers)
    both = f"{FLOW_COOKIE}={thief.cookies[FLOW_COOKIE]}; {FLOW_COOKIE}=x.y"
    in_cookie = thief.post(f"{other}submit/", password, headers={"Cookie": both})

    assert in_path.status == in_header.status == 401
    assert in_cookie.status in {401, 403}
    assert [answer.status for answer in in_body] == [400] * 5
    assert journey_row(lab, victim) == before
    denied = lab.trail(correlation_id=victim.flow, result="denied")
    assert denied
    assert {event.actor_kind for event in denied} == {"anonymous"}
    assert {event.address for event in denied} == {thief.address}
    for user in (lab.acme.alice, lab.acme.bob):
        assert lab.password_is(user, PASSWORD)


def test_a016_text_and_call_to_one_number_are_one_gate(lab: Lab) -> None:
    thief = lab.begun(lab.acme.alice.user_id)
    thief.choose("mobile_phone", ALICE_MOBILE, "sms")
    thief.verify(lab.code())
    before = journey_row(lab, thief)

    offered = thief.page.form.choices["method"]
    answer = thief.choose("mobile_phone", ALICE_MOBILE, "voice")

    assert before["gates"] == ["mobile_phone"]
    assert "mobile_phone" not in offered
    assert_denied(lab, answer, thief, before)
    assert lab.messages() == []


def test_a016_a_desk_phone_with_the_number_of_the_mobile_is_the_same_gate(lab: Lab) -> None:
    with lab.acme.inside():
        lab.acme.alice.contacts.filter(kind="office_phone").delete()
        give_office(lab.acme.alice, ALICE_MOBILE)
    thief = lab.begun(lab.acme.alice.user_id)
    thief.choose("mobile_phone", ALICE_MOBILE, "sms")
    thief.verify(lab.code())
    before = journey_row(lab, thief)

    offered = thief.page.form.choices["method"]
    answer = thief.choose("office_phone", ALICE_MOBILE)

    assert "office_phone" not in offered
    assert_denied(lab, answer, thief, before)
    assert lab.messages() == []


def test_a017_a_second_tab_does_not_share_the_gates_of_the_first(lab: Lab) -> None:
    first = _proved(lab)
    old_cookie, old_path = first.cookies[FLOW_COOKIE], first.flow_path

    first.start(lab.acme.alice.user_id)
    before = journey_row(lab, first)
    answer = first.submit(NEW_PASSWORD)

    assert before["gates"] == []
    assert_denied(lab, answer, first, before)
    # The new secret opens nothing of the old journey, the old one nothing of the new.
    assert first.post(f"{old_path}submit/", {"new_password": NEW_PASSWORD}).status == 401
    first.cookies[FLOW_COOKIE] = old_cookie
    assert first.submit(NEW_PASSWORD).status == 401
    for user in (lab.acme.alice, lab.acme.bob):
        assert lab.password_is(user, PASSWORD)


def test_a029_an_administrator_needs_two_gates_and_is_never_asked_questions(lab: Lab) -> None:
    with lab.acme.inside():
        give_questions(lab.acme.carol)
    lab.policy(methods_required=1, methods=["email", "app_code", "security_questions"])
    thief = lab.begun(lab.acme.carol.user_id)
    before = journey_row(lab, thief)

    forced = thief.choose("security_questions")

    assert "security_questions" not in before["methods"]
    assert lab.flow(thief).gates_required == 2
    assert_denied(lab, forced, thief, before)
    thief.verify(answers=list(QUESTIONS.values())[:3])
    thief.verify(lab.app_code(lab.acme.carol))
    assert thief.state == "proving"
    with lab.acme.inside():
        assert not Challenge.objects.filter(method="security_questions").exists()
    assert lab.password_is(lab.acme.carol, PASSWORD)
