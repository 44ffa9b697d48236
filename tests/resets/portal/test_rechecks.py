"""Everything is judged again at the end, as it is now; the stricter of the start and now wins."""

from collections.abc import Callable

import pytest

from accounts.models import AuthenticatorDevice, ContactPoint, QuestionAnswer
from tenants.front import forget_fronts
from tests.cast import NEW_PASSWORD, PASSWORD, Acme, give_mobile
from tests.resets.conftest import Post
from tests.resets.visitor import Visitor, get_flow_row, trail, types
from tests.resets.walks import (
    ask_for_mail,
    newest_code,
    pass_app,
    password_is,
    set_policy,
    set_user,
    suspend,
    to_password,
)

Change = Callable[[Acme], None]


def _remove_mailbox(acme: Acme) -> None:
    with acme.inside():
        ContactPoint.objects.filter(user=acme.bob, kind="alternate_email").delete()


def _change_mailbox(acme: Acme) -> None:
    with acme.inside():
        ContactPoint.objects.filter(user=acme.bob).update(version=2)


def _new_app(acme: Acme) -> None:
    with acme.inside():
        AuthenticatorDevice.objects.filter(user=acme.bob).update(version=2)


def _select_group(acme: Acme) -> None:
    from tests.cast import make_group

    with acme.inside():
        group = make_group("pilot", (acme.alice,))
    set_policy(acme, enabled="selected", group=group)


def _own_domain(acme: Acme) -> None:
    from tenants.models import Domain

    with acme.inside():
        Domain.objects.create(name="example.net", verified=True, custom=True)


REFUSING: dict[str, tuple[Change, str]] = {
    "disabled": (lambda acme: set_user(acme, acme.bob, is_active=False), "disabled"),
    "unlicensed": (lambda acme: set_user(acme, acme.bob, licence=None), "SSPR_0012"),
    "off": (lambda acme: set_policy(acme, enabled="none"), "SSPR_0009"),
    "outside": (_select_group, "SSPR_0013"),
    "three": (lambda acme: set_policy(acme, methods_required=3), "SSPR_0014"),
    "method": (lambda acme: set_policy(acme, methods=["app_code", "mobile_phone"]), "SSPR_0014"),
    "removed": (_remove_mailbox, "SSPR_0014"),
    "own domain": (_own_domain, "SSPR_0014"),
    "federated": (lambda acme: set_user(acme, acme.bob, source="federated"), "SSPR_0010"),
}


@pytest.mark.parametrize("change", REFUSING)
def test_what_would_refuse_at_the_start_refuses_at_the_end(
    acme: Acme, visitor: Visitor, post: Post, change: str
) -> None:
    to_password(visitor, acme.bob, post)
    act, reason = REFUSING[change]
    act(acme)

    page = visitor.fill(new_password=NEW_PASSWORD)

    assert (page.state, page.status) == ("refused", 403)
    assert password_is(acme, acme.bob, PASSWORD)
    assert get_flow_row(acme, visitor.flow).reason == reason
    assert trail(acme, type="flow.refused")[0].reason == reason
    assert post() == []


@pytest.mark.parametrize(
    ("change", "kept"), [(_change_mailbox, ["app_code"]), (_new_app, ["email"])]
)
def test_a_proof_that_changed_is_given_again(
    acme: Acme, visitor: Visitor, post: Post, change: Change, kept: list[str]
) -> None:
    to_password(visitor, acme.bob, post)
    change(acme)

    page = visitor.fill(new_password=NEW_PASSWORD)

    assert (page.state, page.status) == ("proving", 200)
    assert password_is(acme, acme.bob, PASSWORD)
    with acme.inside():
        gates = list(get_flow_row(acme, visitor.flow).gates.order_by("step"))
        assert [(gate.step, gate.method) for gate in gates] == [(1, kept[0])]
    [event] = trail(acme, type="flow.reevaluated")
    assert event.data == {"reason": "gates", "gates_missing": 1}


def test_after_giving_it_again_the_password_is_set(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    to_password(visitor, acme.bob, post)
    _new_app(acme)
    visitor.fill(new_password=NEW_PASSWORD)
    visitor.clock.shift(seconds=60)

    assert pass_app(visitor, acme.bob).state == "choosing"
    assert visitor.fill(new_password=NEW_PASSWORD).state == "done"
    assert password_is(acme, acme.bob, NEW_PASSWORD)


def test_a_policy_raised_to_three_gates_asks_for_the_third(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    with acme.inside():
        give_mobile(acme.bob)
    visitor.start(acme.bob.user_id)
    pass_app(visitor, acme.bob)
    visitor.fill(method="email", contact="bob@example.net")
    visitor.fill(code=newest_code(post))
    set_policy(acme, methods_required=3)

    page = visitor.fill(new_password=NEW_PASSWORD)

    assert page.state == "proving"
    assert password_is(acme, acme.bob, PASSWORD)
    visitor.fill(contact="+1 4255550101", channel="sms")
    visitor.fill(code=newest_code(post))
    assert visitor.fill(new_password=NEW_PASSWORD).state == "done"


def test_a_policy_lowered_on_the_way_does_not_let_anybody_in_sooner(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    to_password(visitor, acme.bob, post)
    set_policy(acme, methods_required=1)
    _new_app(acme)

    assert visitor.fill(new_password=NEW_PASSWORD).state == "proving"
    assert get_flow_row(acme, visitor.flow).gates_required == 2


def test_lowered_policy_and_lost_proof_end_the_journey_instead_of_a_page_without_a_way_on(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    to_password(visitor, acme.bob, post)
    set_policy(acme, methods_required=1)
    _remove_mailbox(acme)

    page = visitor.fill(new_password=NEW_PASSWORD)

    assert page.state == "refused"
    assert get_flow_row(acme, visitor.flow).reason == "SSPR_0014"


def test_somebody_who_became_an_administrator_passes_the_administrators_gates(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    set_policy(acme, methods_required=1)
    visitor.start(acme.bob.user_id)
    ask_for_mail(visitor)
    visitor.fill(code=newest_code(post))
    assert visitor.shown.state == "choosing"
    set_user(acme, acme.bob, roles=["user_administrator"])

    page = visitor.fill(new_password=NEW_PASSWORD)

    assert page.state == "proving"
    flow = get_flow_row(acme, visitor.flow)
    assert (flow.policy, flow.gates_required) == ("administrator", 2)
    assert pass_app(visitor, acme.bob).state == "choosing"
    assert visitor.fill(new_password=NEW_PASSWORD).state == "done"


def test_questions_that_were_answered_do_not_count_for_a_new_administrator(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    from resets.models import Challenge
    from tests.cast import QUESTIONS

    visitor.start(acme.alice.user_id)
    visitor.fill(method="app_code")
    pass_app(visitor, acme.alice)
    visitor.fill(method="security_questions")
    with acme.inside():
        asked = Challenge.objects.get(flow=visitor.flow, dead=False, used_at=None).questions
    answers = {f"answer_{n}": QUESTIONS[key] for n, key in enumerate(asked, 1)}
    assert visitor.fill(**answers).state == "choosing"
    set_user(acme, acme.alice, roles=["user_administrator"])

    page = visitor.fill(new_password=NEW_PASSWORD)

    assert page.state == "proving"
    assert "security_questions" not in page.form.choices["method"]
    assert password_is(acme, acme.alice, PASSWORD)


def test_answers_that_were_registered_anew_are_asked_again(acme: Acme, visitor: Visitor) -> None:
    from resets.models import Challenge
    from tests.cast import QUESTIONS, hashed

    visitor.start(acme.alice.user_id)
    visitor.fill(method="app_code")
    pass_app(visitor, acme.alice)
    visitor.fill(method="security_questions")
    with acme.inside():
        asked = Challenge.objects.get(flow=visitor.flow, dead=False, used_at=None).questions
    visitor.fill(**{f"answer_{n}": QUESTIONS[key] for n, key in enumerate(asked, 1)})
    assert visitor.shown.state == "choosing"
    with acme.inside():
        QuestionAnswer.objects.filter(user=acme.alice, question=asked[0]).update(
            answer_hash=hashed("another answer")
        )

    assert visitor.fill(new_password=NEW_PASSWORD).state == "proving"


@pytest.mark.parametrize("host", ["own", "shared"])
def test_a_suspended_tenant_has_no_journeys(
    acme: Acme, visitor: Visitor, post: Post, host: str
) -> None:
    if host == "shared":
        visitor.host = "localhost"
        visitor.client.defaults["HTTP_HOST"] = "localhost"
    to_password(visitor, acme.bob, post)
    flow = visitor.flow
    suspend(acme)

    page = visitor.post(f"/reset/{flow}/submit/", {"new_password": NEW_PASSWORD})

    assert page.status == 401
    forget_fronts()  # ten seconds later
    page = visitor.post(f"/reset/{flow}/submit/", {"new_password": NEW_PASSWORD})
    assert page.status == (404 if host == "own" else 401)
    assert password_is(acme, acme.bob, PASSWORD)
    assert "password.reset" not in types(trail(acme))
