"""Where the script of a page works, who gets on sees the next page as the answer to the form."""

from datetime import datetime

import pytest

from resets import services
from resets.services import FlowView, Handle, Result
from tests.cast import (
    ALICE_EMAIL,
    ALICE_MOBILE,
    NEW_PASSWORD,
    PASSWORD,
    Acme,
    app_code,
)
from tests.resets.conftest import Post
from tests.resets.visitor import Page, Visitor
from tests.resets.walks import (
    BOB_EMAIL,
    WRONG_CODE,
    newest_code,
    password_is,
    set_policy,
    set_tenant,
)

ASKED = "?direct=1"


@pytest.fixture(autouse=True)
def _what_a_step_left_is_what_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page of a step is made of what the step knows; it shows what is in the database."""
    after = services.read_flow_after

    def compared(handle: Handle, result: Result, *, now: datetime) -> FlowView:
        view = after(handle, result, now=now)
        assert view == services.read_flow(handle, now=now)
        return view

    monkeypatch.setattr(services, "read_flow_after", compared)


def send(visitor: Visitor, query: str = ASKED, **typed: str) -> int:
    """Sends the page's form as its script does; the status of the answer, before any redirect."""
    visitor.shown.form.action += query
    visitor.fill(**typed)
    return visitor.answered


def is_posted(page: Page) -> bool:
    return "data-posted" in page.text


def test_every_step_from_the_first_proof_on_is_answered_with_the_next_page(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    visitor.start(acme.bob.user_id)
    here = visitor.path
    statuses = [send(visitor, code=app_code(acme.bob, visitor.clock.now))]
    statuses.append(send(visitor, contact=BOB_EMAIL))
    statuses.append(send(visitor, code=newest_code(post)))
    states = [visitor.shown.state]
    statuses.append(send(visitor, new_password=NEW_PASSWORD))
    states.append(visitor.shown.state)

    assert (statuses, states) == ([200, 200, 200, 200], ["choosing", "done"])
    assert is_posted(visitor.shown)
    assert f'data-here="{here}"' in visitor.shown.text
    assert password_is(acme, acme.bob, NEW_PASSWORD)
    # Loaded again, it is what the answer to the form was.
    assert visitor.get(here).state == "done"
    assert not is_posted(visitor.shown)


def test_nobody_who_proved_nothing_gets_a_page_for_a_step(acme: Acme, visitor: Visitor) -> None:
    visitor.get("/reset/")
    visitor.start(acme.bob.user_id)
    visitor.get(f"{visitor.path}?other=1")

    assert send(visitor, method="email", contact="somebody@example.net") == 303
    visitor.get(visitor.path + "?other=1")
    assert send(visitor, method="app_code", contact="") == 303
    assert send(visitor, code=WRONG_CODE) == 200
    assert (visitor.shown.state, is_posted(visitor.shown)) == ("proving", True)
    assert password_is(acme, acme.bob, PASSWORD)


@pytest.mark.parametrize("query", ["", "?direct=", "?direct=0", "?direct=2"])
def test_without_the_script_the_answer_is_an_address(
    acme: Acme, visitor: Visitor, query: str
) -> None:
    visitor.start(acme.bob.user_id)
    assert send(visitor, query, code=app_code(acme.bob, visitor.clock.now)) == 303
    assert (visitor.shown.state, is_posted(visitor.shown)) == ("proving", False)


@pytest.mark.parametrize("disclosure", ["guided", "concealed"])
def test_who_chooses_a_way_is_shown_its_page_and_may_choose_anew(
    acme: Acme, visitor: Visitor, post: Post, disclosure: str
) -> None:
    set_tenant(acme, disclosure=disclosure)
    visitor.start(acme.alice.user_id)
    statuses = [send(visitor, method="email", contact=ALICE_EMAIL)]
    statuses.append(send(visitor, code=newest_code(post)))
    statuses.append(send(visitor, method="mobile_phone", contact=ALICE_MOBILE, channel="sms"))
    fields = [list(visitor.shown.form.typed)]
    visitor.get(f"/reset/{visitor.flow}/?other=1")
    statuses.append(send(visitor, method="app_code"))
    fields.append(list(visitor.shown.form.typed))
    statuses.append(send(visitor, code=app_code(acme.alice, visitor.clock.now)))

    assert fields == [["code"], ["code"]]
    assert (statuses, visitor.shown.state) == ([303, 200, 200, 200, 200], "choosing")


def test_the_only_proof_is_answered_with_the_page_of_the_password(
    acme: Acme, visitor: Visitor
) -> None:
    set_policy(acme, methods_required=1)
    visitor.start(acme.bob.user_id)
    assert send(visitor, method="app_code") == 303
    assert send(visitor, code=app_code(acme.bob, visitor.clock.now)) == 200
    assert (visitor.shown.state, is_posted(visitor.shown)) == ("choosing", True)
