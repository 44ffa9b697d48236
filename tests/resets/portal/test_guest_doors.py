"""The pages of people from outside: signing up, and the link of an invitation."""

import pytest

from resets import captcha
from tests.cast import NEW_PASSWORD, Acme, Beta
from tests.resets.conftest import Post
from tests.resets.visitor import TICKET_AGE, Clock, Page, Visitor
from tests.resets.walks import mailed_path, set_tenant

ADDRESS = "ines@outside.example"
SIGN_UP = "/sign-up/"


def _ask(visitor: Visitor, email: str, **more: str) -> Page:
    visitor.get(SIGN_UP)
    with visitor.clock.running():
        ticket = captcha.new_ticket(visitor.host, visitor.clock.now - TICKET_AGE)
    return visitor.fill(email=email, ticket=ticket, **more)


def _path(post: Post) -> str:
    [message] = post()
    return mailed_path(message, "/invitation/")


def test_somebody_from_outside_signs_up_joins_and_can_reset_the_password(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    set_tenant(acme, guest_sign_up=True)

    assert _ask(visitor, ADDRESS).state == "sign_up_sent"
    visitor.get(_path(post))
    assert visitor.shown.state == "invitation"
    joined = visitor.fill(display_name="Ines Inge", new_password=NEW_PASSWORD)

    assert (joined.status, joined.state) == (200, "joined")
    assert "ines_outside.example#ext#@acme.example" in joined.text
    assert visitor.start(ADDRESS).state == "proving"


def test_known_unknown_and_foreign_addresses_get_one_page(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    set_tenant(acme, guest_sign_up=True)
    pages = []
    for email in (ADDRESS, "iris@example.org", "eve@acme.example", "not.there@acme.example"):
        visitor.clock.shift(seconds=60)
        pages.append(_ask(visitor, email))

    assert {page.state for page in pages} == {"sign_up_sent"}
    assert len({page.text for page in pages}) == 1
    assert [message["to"] for message in post()] == [ADDRESS, "iris@example.org"]


def test_on_the_shared_host_an_organisation_nobody_has_is_answered_like_one_with_a_door(
    acme: Acme, clock: Clock, post: Post
) -> None:
    set_tenant(acme, guest_sign_up=True)
    shared = Visitor("localhost", clock)
    pages = [_ask(shared, ADDRESS, organisation=name) for name in ("acme.example", "no-such.org")]

    assert {page.state for page in pages} == {"sign_up_sent"}
    assert len({page.text for page in pages}) == 1
    assert [message["to"] for message in post()] == [ADDRESS]


def test_where_the_door_is_closed_the_page_says_whom_to_ask(acme: Acme, visitor: Visitor) -> None:
    page = visitor.get(SIGN_UP)

    assert (page.status, page.state) == (403, "sign_up_closed")
    assert "/help/" in page.links
    assert visitor.post(SIGN_UP, {"email": ADDRESS}).status == 403


@pytest.mark.parametrize("email", ["", "  ", "nobody", "@"])
def test_what_is_no_address_is_told_at_the_field(
    acme: Acme, visitor: Visitor, post: Post, email: str
) -> None:
    set_tenant(acme, guest_sign_up=True)

    page = _ask(visitor, email)

    assert (page.status, page.state) == (200, "sign_up")
    assert 'id="email-error"' in page.text
    assert post() == []


def test_without_a_captcha_nothing_is_sent(acme: Acme, visitor: Visitor, post: Post) -> None:
    set_tenant(acme, guest_sign_up=True)
    visitor.get(SIGN_UP)

    assert visitor.fill(email=ADDRESS, ticket="").status == 400
    assert visitor.fill(email=ADDRESS).state == "waiting"
    assert post() == []
    visitor.clock.shift(seconds=4)
    assert visitor.get("/reset/wait/").state == "sign_up_sent"
    assert [message["to"] for message in post()] == [ADDRESS]


def test_asking_too_often_is_told_with_the_time_to_come_back(acme: Acme, visitor: Visitor) -> None:
    set_tenant(acme, guest_sign_up=True)
    for _ in range(20):
        assert _ask(visitor, ADDRESS).state == "sign_up_sent"

    page = _ask(visitor, ADDRESS)

    assert page.status == 429
    assert int(page.headers["Retry-After"]) > 0


def test_a_password_that_breaks_the_rules_is_told_and_the_link_goes_on(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    set_tenant(acme, guest_sign_up=True)
    _ask(visitor, ADDRESS)
    path = _path(post)
    visitor.get(path)

    assert visitor.fill(display_name="", new_password="").state == "invitation"
    weak = visitor.fill(display_name="", new_password="short")
    assert (weak.state, 'id="new_password-error"' in weak.text) == ("invitation", True)
    assert visitor.fill(display_name="", new_password=NEW_PASSWORD).state == "joined"
    assert visitor.get(path).status == 410


def test_an_address_with_a_home_here_is_not_asked_for_a_password(
    acme: Acme, beta: Beta, visitor: Visitor, post: Post
) -> None:
    set_tenant(acme, guest_sign_up=True)
    _ask(visitor, f"new@{beta.domain}")

    page = visitor.get(_path(post))

    assert page.form.typed == ["display_name"]
    assert visitor.fill(display_name="").state == "joined"


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_that_is_none_is_over(acme: Acme, visitor: Visitor, method: str) -> None:
    path = f"/invitation/{acme.id.hex}.{'x' * 43}/"
    visitor.get("/help/")

    page = visitor.get(path) if method == "get" else visitor.post(path, {"new_password": "x"})

    assert (page.status, page.state) == (410, "invitation_ended")


def test_far_too_long_a_form_is_refused(acme: Acme, visitor: Visitor) -> None:
    set_tenant(acme, guest_sign_up=True)
    visitor.get(SIGN_UP)

    assert visitor.fill(email=f"{'x' * 400}@example.org").status == 400
