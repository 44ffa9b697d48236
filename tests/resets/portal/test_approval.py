"""A reset with the authenticator: the number on the page, the answer on the phone."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import ApprovalRequest, Credential
from resets.models import Challenge
from tests.cast import NEW_PASSWORD, Acme, Beta
from tests.resets.conftest import Post
from tests.resets.visitor import Clock, Page, Visitor, get_flow_row, trail, types
from tests.resets.walks import pass_email, set_policy, set_tenant, to_password
from tests.services.phone import Phone, Send, body_of, give_phone, sending

METHODS = ["email", "app_code", "app_notification", "mobile_phone"]


@pytest.fixture
def phone(acme: Acme) -> Phone:
    set_policy(acme, methods=METHODS)
    with acme.inside():
        return give_phone(acme.bob)


@pytest.fixture
def send(acme: Acme, clock: Clock) -> Send:
    inner = sending(Client(headers={"host": acme.host}))

    def at_that_time(path: str, body: bytes, headers: Any) -> Any:
        with clock.running():
            return inner(path, body, headers)

    return at_that_time


def act(clock: Clock, phone: Phone, send: Send, word: str, number: str = "") -> str:
    with clock.running():
        outcome: str = body_of(phone.answer(send, word, number))["outcome"]
    clock.shift(seconds=1)
    return outcome


def ask(visitor: Visitor, user_id: str = "bob@acme.example") -> Page:
    visitor.start(user_id)
    return visitor.fill(method="app_notification")


def number_on(page: Page) -> str:
    return page.form.values["code"]


def test_approving_passes_the_gate_and_mail_is_the_second(
    acme: Acme, visitor: Visitor, phone: Phone, send: Send, clock: Clock, post: Post
) -> None:
    page = ask(visitor)
    number = number_on(page)
    assert f">{number}<" in page.text
    assert "Approve on your phone" in page.text
    early = visitor.fill()
    assert "We have no answer yet" in early.text
    assert act(clock, phone, send, "approve", number) == "approved"

    after = visitor.fill()
    assert "method" not in after.form.choices
    pass_email(visitor, post)
    done = visitor.fill(new_password=NEW_PASSWORD)

    assert done.state == "done"
    assert get_flow_row(acme, visitor.flow).tries == 0


def test_an_early_look_costs_no_try(
    acme: Acme, visitor: Visitor, phone: Phone, send: Send, clock: Clock
) -> None:
    ask(visitor)
    for _ in range(12):
        assert visitor.fill().state == "proving"

    assert get_flow_row(acme, visitor.flow).tries == 0
    number = number_on(visitor.shown)
    act(clock, phone, send, "approve", number)
    assert visitor.fill().state == "proving"
    assert "app_notification" not in visitor.shown.text


def test_the_page_learns_by_asking_that_the_answer_is_there(
    visitor: Visitor, phone: Phone, send: Send, clock: Clock
) -> None:
    page = ask(visitor)
    path = f"{visitor.path}waiting/"

    def waits() -> Any:
        with clock.running():
            return visitor.client.get(path).json()["waiting"]

    assert waits() is True
    act(clock, phone, send, "approve", number_on(page))
    assert waits() is False
    visitor.fill()
    assert waits() is False
    assert Client(headers={"host": visitor.host}).get(path).status_code == 401


@pytest.mark.parametrize("word", ["wrong", "deny"])
def test_what_was_not_approved_is_a_failed_proof_and_asked_anew(
    acme: Acme, visitor: Visitor, phone: Phone, send: Send, clock: Clock, word: str
) -> None:
    number = number_on(ask(visitor))
    wrong = str(10 + (int(number) - 9) % 90)
    outcome = act(clock, phone, send, "approve" if word == "wrong" else "deny", wrong)
    assert outcome == ("wrong_number" if word == "wrong" else "denied")

    page = visitor.fill()

    assert "The request was not approved" in page.text
    assert "app_notification" in page.form.choices["method"]
    assert get_flow_row(acme, visitor.flow).tries == 1
    second = number_on(visitor.fill(method="app_notification"))
    assert act(clock, phone, send, "approve", second) == "approved"
    visitor.fill()
    [failed] = trail(acme, type="flow.verification_failed")
    assert failed.data["cause"] == ("wrong_number" if word == "wrong" else "denied")


def test_three_requests_in_one_journey_and_five_in_an_hour(
    acme: Acme, visitor: Visitor, phone: Phone, clock: Clock
) -> None:
    visitor.start(acme.bob.user_id)
    for _ in range(3):
        assert visitor.fill(method="app_notification").status == 200
        visitor.get(visitor.path + "?other=1")
    fourth = visitor.fill(method="app_notification")
    assert fourth.status == 429
    assert "You asked too often" in fourth.text
    assert int(fourth.headers["Retry-After"]) > 0

    visitor.start(acme.bob.user_id)
    assert visitor.fill(method="app_notification").status == 200
    visitor.get(visitor.path + "?other=1")
    # The one that was refused counts too: it was tried.
    sixth = visitor.fill(method="app_notification")
    assert sixth.status == 429
    clock.shift(minutes=61)
    visitor.start(acme.bob.user_id)
    assert visitor.fill(method="app_notification").status == 200


def test_it_was_not_me_ends_the_journey_at_once(
    acme: Acme, visitor: Visitor, phone: Phone, send: Send, clock: Clock
) -> None:
    ask(visitor)
    path = visitor.path
    assert act(clock, phone, send, "not_me") == "not_me"

    page = visitor.get(path)

    assert page.state == "refused"
    assert "said that it was not you" in page.text
    flow = get_flow_row(acme, visitor.flow)
    assert (flow.state, flow.reason) == ("refused", "not_me")
    found = types(trail(acme, correlation_id=visitor.flow))
    assert {"flow.refused", "flow.verification_failed"} <= set(found)
    visitor.start(acme.bob.user_id)
    assert "app_notification" not in visitor.shown.text


def test_a_report_that_could_not_end_the_journey_ends_it_at_the_next_step(
    acme: Acme, visitor: Visitor, phone: Phone
) -> None:
    ask(visitor)
    with acme.inside():
        ApprovalRequest.objects.update(state="repudiated", cause="not_me")

    visitor.fill()

    assert get_flow_row(acme, visitor.flow).state == "refused"


@pytest.mark.parametrize("how", ["cancel", "other", "reset", "again"])
def test_what_nobody_waits_for_is_shown_on_no_phone(
    acme: Acme, visitor: Visitor, phone: Phone, send: Send, clock: Clock, post: Post, how: str
) -> None:
    number = number_on(ask(visitor))
    path = visitor.path
    with clock.running():
        [request] = phone.requests(send)
    if how == "cancel":
        visitor.press("/cancel/")
    elif how == "other":
        visitor.get(path + "?other=1")
        visitor.fill(method="app_code")
    elif how == "again":
        visitor.get(path + "?other=1")
        visitor.fill(method="app_notification")
    else:
        other = Visitor(acme.host, clock, address="192.0.2.11")
        to_password(other, acme.bob, post)
        assert other.fill(new_password=NEW_PASSWORD).state == "done"

    clock.shift(seconds=2)
    with clock.running():
        waiting = [r["id"] for r in phone.requests(send)]
        decision = phone.decision(request, "approve", number)
        late = phone.post(send, "/authenticator/api/decide/", decision)

    assert request["id"] not in waiting
    assert len(waiting) == (1 if how == "again" else 0)
    assert late.status_code == 409


def test_only_where_two_proofs_are_asked_for(acme: Acme, visitor: Visitor, phone: Phone) -> None:
    set_policy(acme, methods_required=1)

    visitor.start(acme.bob.user_id)

    assert "app_notification" not in visitor.shown.text


def test_one_app_is_one_proof_whatever_it_answers_with(
    acme: Acme, visitor: Visitor, phone: Phone, send: Send, clock: Clock
) -> None:
    number = number_on(ask(visitor))
    act(clock, phone, send, "approve", number)

    after = visitor.fill()

    assert "app_code" not in after.text


def test_a_device_removed_after_it_approved_gives_its_gate_back(
    acme: Acme, visitor: Visitor, phone: Phone, send: Send, clock: Clock, post: Post
) -> None:
    number = number_on(ask(visitor))
    act(clock, phone, send, "approve", number)
    visitor.fill()
    pass_email(visitor, post)
    with acme.inside():
        Credential.objects.filter(pk=phone.id).delete()

    visitor.fill(new_password=NEW_PASSWORD)

    assert get_flow_row(acme, visitor.flow).state == "proving"


def test_a_reply_that_got_lost_is_given_again_only_for_the_number_of_the_page(
    acme: Acme, visitor: Visitor, phone: Phone, send: Send, clock: Clock
) -> None:
    page = ask(visitor)
    number, old = number_on(page), visitor.client.cookies["sspr_flow"].value
    act(clock, phone, send, "approve", number)
    action = page.form.action
    visitor.fill()

    visitor.client.cookies["sspr_flow"] = old
    assert visitor.post(action, {}).status == 401
    visitor.client.cookies["sspr_flow"] = old
    assert visitor.post(action, {"code": number}).status == 200


@pytest.mark.parametrize("user_id", ["bob@acme.example", "nobody@acme.example"])
def test_a_concealing_tenant_shows_everybody_the_same_page(
    acme: Acme, visitor: Visitor, phone: Phone, user_id: str
) -> None:
    set_tenant(acme, disclosure="concealed")

    page = ask(visitor, user_id)

    assert 10 <= int(number_on(page)) <= 99
    assert "We have no answer yet" in visitor.fill().text
    with acme.inside():
        row = ApprovalRequest.objects.get()
        assert (row.user is None) is (user_id == "nobody@acme.example")


def test_the_number_of_a_page_stays_the_same(visitor: Visitor, phone: Phone) -> None:
    number = number_on(ask(visitor))

    assert number_on(visitor.get(visitor.path)) == number
    assert number_on(visitor.fill()) == number


def test_late_means_too_late(
    acme: Acme, visitor: Visitor, phone: Phone, send: Send, clock: Clock
) -> None:
    number = number_on(ask(visitor))
    with clock.running():
        [request] = phone.requests(send)
    clock.shift(minutes=16)
    phone.last = 0

    with clock.running():
        decision = phone.decision(request, "approve", number)
        assert phone.post(send, "/authenticator/api/decide/", decision).status_code == 409
    assert visitor.fill().status == 410


def test_a_phone_of_beta_sees_nothing_of_acme(
    acme: Acme, beta: Beta, visitor: Visitor, phone: Phone, clock: Clock
) -> None:
    ask(visitor)
    with beta.inside():
        foreign = give_phone(beta.bob)
    send = sending(Client(headers={"host": beta.host}))

    with clock.running():
        assert foreign.requests(send) == []
    with acme.inside():
        assert Challenge.objects.filter(method="app_notification").count() == 1
