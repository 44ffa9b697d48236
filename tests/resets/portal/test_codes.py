"""How long codes and journeys work, sending again, and contacts that are not on file."""

from datetime import timedelta

import pytest

from tests.cast import NEW_PASSWORD, PASSWORD, Acme, app_code
from tests.resets.conftest import Post
from tests.resets.visitor import Clock, Visitor, get_flow_row, trail, types
from tests.resets.walks import (
    ask_for_mail,
    gates_of,
    newest_code,
    pass_app,
    password_is,
    right_code,
    set_policy,
    to_password,
    wrong_code,
)


@pytest.mark.parametrize(("seconds", "right"), [(0, True), (299, True), (300, False), (301, False)])
def test_a_sent_code_works_for_five_minutes(
    acme: Acme, visitor: Visitor, clock: Clock, post: Post, seconds: int, right: bool
) -> None:
    set_policy(acme, methods_required=1)
    visitor.start(acme.bob.user_id)
    ask_for_mail(visitor)
    code = newest_code(post)
    clock.shift(seconds=seconds)

    page = visitor.fill(code=code)

    assert (page.state == "choosing") is right
    if not right:
        assert "That code has expired" in page.text
        assert get_flow_row(acme, visitor.flow).tries == 0


@pytest.mark.parametrize(
    ("seconds", "state", "status"), [(899, "done", 200), (901, "expired", 410)]
)
def test_a_journey_lasts_fifteen_minutes(
    acme: Acme, visitor: Visitor, clock: Clock, post: Post, seconds: int, state: str, status: int
) -> None:
    begun = clock.now
    to_password(visitor, acme.bob, post)
    clock.at(begun + timedelta(seconds=seconds))

    page = visitor.fill(new_password=NEW_PASSWORD)

    assert (page.state, page.status) == (state, status)
    assert password_is(acme, acme.bob, NEW_PASSWORD if status == 200 else PASSWORD)
    assert ("flow.expired" in types(trail(acme))) is (status == 410)


@pytest.mark.parametrize("step", ["choose", "verify", "send", "submit", "cancel"])
def test_no_step_is_possible_after_the_end_of_its_time(
    acme: Acme, visitor: Visitor, clock: Clock, step: str
) -> None:
    fields = {
        "choose": {"method": "app_code"},
        "verify": {"code": app_code(acme.bob, clock.now)},
        "submit": {"new_password": NEW_PASSWORD},
    }
    visitor.start(acme.bob.user_id)
    clock.shift(seconds=901)

    page = visitor.post(f"/reset/{visitor.flow}/{step}/", fields.get(step, {}))

    assert (page.status, page.state) == (410, "expired")
    assert gates_of(acme, visitor) == []


def test_a_clock_that_goes_back_revives_no_code_that_was_used(
    acme: Acme, visitor: Visitor, clock: Clock
) -> None:
    visitor.start(acme.bob.user_id)
    code = app_code(acme.bob, clock.now)
    pass_app(visitor, acme.bob)
    clock.shift(seconds=-30)
    other = Visitor(acme.host, clock)
    other.start(acme.bob.user_id)

    assert "That code is not right" in other.fill(code=code).text


def test_a_new_code_replaces_the_old_one(
    acme: Acme, visitor: Visitor, clock: Clock, post: Post
) -> None:
    set_policy(acme, methods_required=1)
    visitor.start(acme.bob.user_id)
    ask_for_mail(visitor)
    old = newest_code(post)
    clock.shift(seconds=31)
    visitor.press("/send/")
    new = newest_code(post)

    assert old != new
    assert visitor.fill(code=old).state == "proving"
    assert visitor.fill(code=new).state == "choosing"


def test_new_codes_come_at_growing_distances_and_three_in_all(
    acme: Acme, visitor: Visitor, clock: Clock, post: Post
) -> None:
    set_policy(acme, methods_required=1)
    visitor.start(acme.bob.user_id)
    ask_for_mail(visitor)
    send = f"/reset/{visitor.flow}/send/"
    too_early = visitor.post(send, {})
    assert (too_early.status, too_early.headers["Retry-After"]) == (429, "30")
    for gap in (30, 60):
        clock.shift(seconds=gap - 1)
        assert visitor.post(send, {}).status == 429
        clock.shift(seconds=1)
        assert visitor.post(send, {}).status == 200
    clock.shift(seconds=200)
    used_up = visitor.post(send, {})

    assert (used_up.status, used_up.state) == (200, "proving")
    assert "We can&#x27;t send more codes" in used_up.text
    codes = [message for message in post() if message["kind"] == "code"]
    assert len(codes) <= 3


def test_an_app_has_no_code_to_send(acme: Acme, visitor: Visitor, post: Post) -> None:
    visitor.start(acme.bob.user_id)

    page = visitor.post(f"/reset/{visitor.flow}/send/", {})

    assert page.state == "proving"
    assert post() == []


def test_a_wrong_contact_gets_the_same_page_no_message_and_costs_a_try(
    acme: Acme, visitor: Visitor, clock: Clock, post: Post
) -> None:
    set_policy(acme, methods_required=1)
    right = Visitor(acme.host, clock)
    right.start(acme.bob.user_id)
    good = ask_for_mail(right)
    post()

    visitor.start(acme.bob.user_id)
    bad = ask_for_mail(visitor, "bobby@example.net")

    assert post() == []
    assert (bad.status, bad.state, bad.form.typed) == (good.status, good.state, good.form.typed)
    swaps = [(str(right.flow), str(visitor.flow)), (good.reference, bad.reference)]
    tokens = [(good.form.values["csrfmiddlewaretoken"], bad.form.values["csrfmiddlewaretoken"])]
    text = good.text
    for one, other in swaps:
        text = text.replace(one, other)
    strip = [
        [line for line in page.split("\n") if "csrfmiddlewaretoken" not in line]
        for page in (text, bad.text)
    ]
    assert tokens
    assert strip[0] == strip[1]
    assert get_flow_row(acme, visitor.flow).tries == 1
    assert get_flow_row(acme, right.flow).tries == 0
    assert visitor.fill(code=right_code(visitor)).state == "proving"


def test_a_right_answer_takes_its_own_try_back_and_no_other(
    acme: Acme, visitor: Visitor, clock: Clock
) -> None:
    visitor.start(acme.bob.user_id)
    wrong_code(visitor)
    wrong_code(visitor)
    assert get_flow_row(acme, visitor.flow).tries == 2

    visitor.fill(code=app_code(acme.bob, clock.now))

    assert get_flow_row(acme, visitor.flow).tries == 2
