"""Steps out of order, of other journeys, or with somebody else's proof."""

from typing import Any

import pytest

from resets.models import Challenge, Gate
from tests.cast import NEW_PASSWORD, PASSWORD, Acme, Beta, app_code
from tests.resets.conftest import Post
from tests.resets.visitor import Clock, Visitor, get_flow_row, trail, types
from tests.resets.walks import (
    ask_for_mail,
    gates_of,
    pass_app,
    password_is,
    right_code,
    set_policy,
    to_password,
)


def test_no_password_is_taken_before_the_last_gate(acme: Acme, visitor: Visitor) -> None:
    visitor.start(acme.bob.user_id)
    early = visitor.post(f"/reset/{visitor.flow}/submit/", {"new_password": NEW_PASSWORD})
    pass_app(visitor, acme.bob)
    after_one = visitor.post(f"/reset/{visitor.flow}/submit/", {"new_password": NEW_PASSWORD})

    assert (early.state, after_one.state) == ("proving", "proving")
    assert password_is(acme, acme.bob, PASSWORD)
    assert get_flow_row(acme, visitor.flow).state == "proving"


def test_a_method_that_was_not_chosen_or_sent_is_not_verified(acme: Acme, visitor: Visitor) -> None:
    visitor.start(acme.alice.user_id)

    page = visitor.post(f"/reset/{visitor.flow}/verify/", {"code": "123456"})

    assert page.state == "proving"
    assert get_flow_row(acme, visitor.flow).tries == 0


@pytest.mark.parametrize(
    "method", ["security_questions", "mobile_phone", "passkey", "nonsense", ""]
)
def test_a_method_that_is_not_offered_can_not_be_chosen(
    acme: Acme, visitor: Visitor, post: Post, method: str
) -> None:
    visitor.start(acme.bob.user_id)
    pass_app(visitor, acme.bob)

    page = visitor.post(
        f"/reset/{visitor.flow}/choose/", {"method": method, "contact": "+1 4255550101"}
    )

    # A form sent without a choice is a mistake; a choice that was not there is none.
    assert (page.status, page.state) == (403 if method else 200, "proving")
    assert post() == []
    assert len(gates_of(acme, visitor)) == 1


def test_an_administrator_is_never_asked_questions(acme: Acme, visitor: Visitor) -> None:
    from tests.cast import give_questions

    with acme.inside():
        give_questions(acme.carol)
    set_policy(acme, methods_required=1, methods=["email", "security_questions"])

    visitor.start(acme.carol.user_id)
    forced = visitor.post(f"/reset/{visitor.flow}/choose/", {"method": "security_questions"})

    flow = get_flow_row(acme, visitor.flow)
    assert (flow.gates_required, flow.methods) == (2, ["app_code", "email"])
    assert forced.state == "proving"
    with acme.inside():
        assert not Challenge.objects.filter(method="security_questions").exists()


def test_one_proof_does_not_pass_twice(acme: Acme, visitor: Visitor, clock: Clock) -> None:
    visitor.start(acme.bob.user_id)
    pass_app(visitor, acme.bob)
    clock.shift(seconds=60)

    page = visitor.post(f"/reset/{visitor.flow}/choose/", {"method": "app_code"})
    visitor.post(f"/reset/{visitor.flow}/verify/", {"code": app_code(acme.bob, clock.now)})

    assert page.state == "proving"
    assert [gate.method for gate in gates_of(acme, visitor)] == ["app_code"]


def test_text_and_call_to_one_number_are_one_gate(acme: Acme, visitor: Visitor) -> None:
    visitor.start(acme.alice.user_id)
    visitor.fill(method="mobile_phone", contact="+1 (425) 555-0101", channel="sms")
    visitor.fill(code=right_code(visitor))

    again = visitor.post(
        f"/reset/{visitor.flow}/choose/",
        {"method": "mobile_phone", "contact": "+14255550101", "channel": "voice"},
    )

    assert "mobile_phone" not in again.form.choices["method"]
    assert len(gates_of(acme, visitor)) == 1


def test_a_stranger_can_not_use_the_id_of_a_journey(
    acme: Acme, visitor: Visitor, clock: Clock, post: Post
) -> None:
    victim = Visitor(acme.host, clock)
    victim.start(acme.alice.user_id)
    to_password(visitor, acme.bob, post)
    before = get_flow_row(acme, victim.flow)

    answers = [
        visitor.get(f"/reset/{victim.flow}/"),
        visitor.post(f"/reset/{victim.flow}/choose/", {"method": "app_code"}),
        visitor.post(f"/reset/{victim.flow}/verify/", {"code": "123456"}),
        visitor.post(f"/reset/{victim.flow}/send/", {}),
        visitor.post(f"/reset/{victim.flow}/submit/", {"new_password": NEW_PASSWORD}),
        visitor.post(f"/reset/{victim.flow}/cancel/", {}),
    ]

    assert {page.status for page in answers} == {401}
    after = get_flow_row(acme, victim.flow)
    assert (after.state, after.tries) == (before.state, before.tries)
    assert password_is(acme, acme.alice, PASSWORD)
    assert password_is(acme, acme.bob, PASSWORD)


@pytest.mark.parametrize("cookie", ["", "x", ".", "a.b", "0" * 32 + ".secret", "\x00.x", "é" * 60])
def test_a_false_cookie_opens_nothing(acme: Acme, visitor: Visitor, cookie: str) -> None:
    visitor.start(acme.bob.user_id)
    path = visitor.path
    visitor.client.cookies["sspr_flow"] = cookie

    assert visitor.get(path).status == 401


def test_a_code_of_one_journey_is_wrong_in_another(
    acme: Acme, visitor: Visitor, clock: Clock
) -> None:
    set_policy(acme, methods_required=1)
    other = Visitor(acme.host, clock)
    codes = []
    for browser in (visitor, other):
        browser.start(acme.bob.user_id)
        ask_for_mail(browser)
        codes.append(right_code(browser))

    assert codes[0] != codes[1]
    assert other.fill(code=codes[0]).state == "proving"
    assert other.fill(code=codes[1]).state == "choosing"


def test_an_app_code_works_in_one_journey_only(acme: Acme, visitor: Visitor, clock: Clock) -> None:
    other = Visitor(acme.host, clock)
    visitor.start(acme.bob.user_id)
    other.start(acme.bob.user_id)
    pass_app(visitor, acme.bob)

    page = pass_app(other, acme.bob)

    assert "That code is not right" in page.text
    assert gates_of(acme, other) == []


def test_a_gate_moved_to_another_journey_does_not_count(
    acme: Acme, visitor: Visitor, clock: Clock, post: Post
) -> None:
    """A row written by hand has no seal that fits: flow, step, method, person, tenant."""
    to_password(visitor, acme.bob, post)
    with acme.inside():
        gate = Gate.objects.filter(flow=visitor.flow).latest("step")
        gate.evidence = gate.evidence[:-1] + "9"
        gate.save()

    page = visitor.fill(new_password=NEW_PASSWORD)

    assert page.state == "proving"
    assert password_is(acme, acme.bob, PASSWORD)
    assert "flow.reevaluated" in types(trail(acme))


@pytest.mark.parametrize("column", ["method", "step", "user", "anchor", "flow"])
def test_a_gate_is_bound_to_all_it_was_passed_with(
    acme: Acme, visitor: Visitor, clock: Clock, post: Post, column: str
) -> None:
    other = Visitor(acme.host, clock)
    other.start(acme.bob.user_id)
    to_password(visitor, acme.bob, post)
    with acme.inside():
        gate = Gate.objects.filter(flow=visitor.flow).earliest("step")
        changes: dict[str, dict[str, Any]] = {
            "method": {"method": "mobile_phone"},
            "step": {"step": 7},
            "user": {"user": acme.alice},
            "anchor": {"anchor": bytes(32)},
            "flow": {"flow_id": other.flow},
        }
        Gate.objects.filter(pk=gate.pk).update(**changes[column])

    visitor.fill(new_password=NEW_PASSWORD)

    assert password_is(acme, acme.bob, PASSWORD)
    assert get_flow_row(acme, visitor.flow).state == "proving"


def test_another_tenants_host_does_not_open_a_journey_without_its_secret(
    acme: Acme, beta: Beta, visitor: Visitor, clock: Clock
) -> None:
    visitor.start(acme.bob.user_id)
    foreign = Visitor(beta.host, clock)
    secret = visitor.client.cookies["sspr_flow"].value.partition(".")[2]

    foreign.client.cookies["sspr_flow"] = f"{beta.id.hex}.{secret}"

    assert foreign.get(visitor.path).status == 401
