"""Where the script of a page works, who gets on sees the next page as the answer to the form."""

import pytest

from tests.cast import NEW_PASSWORD, PASSWORD, Acme, app_code
from tests.resets.conftest import Post
from tests.resets.visitor import Page, Visitor
from tests.resets.walks import BOB_EMAIL, WRONG_CODE, newest_code, password_is

ASKED = "?direct=1"


def send(visitor: Visitor, query: str = ASKED, **typed: str) -> int:
    """Sends the page's form as its script does; the status of the answer, before any redirect."""
    visitor.shown.form.action += query
    visitor.fill(**typed)
    return visitor.answered


def is_posted(page: Page) -> bool:
    return "data-posted" in page.text


def test_every_proof_and_the_password_are_answered_with_the_next_page(
    acme: Acme, visitor: Visitor, post: Post
) -> None:
    visitor.start(acme.bob.user_id)
    here = visitor.path
    statuses = [send(visitor, code=app_code(acme.bob, visitor.clock.now))]
    visitor.fill(contact=BOB_EMAIL)
    statuses.append(send(visitor, code=newest_code(post)))
    states = [visitor.shown.state]
    statuses.append(send(visitor, new_password=NEW_PASSWORD))
    states.append(visitor.shown.state)

    assert (statuses, states) == ([200, 200, 200], ["choosing", "done"])
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
