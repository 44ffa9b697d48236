"""What a stranger's request makes the database do, in statements: none is much dearer than a page.

Measured in a process that has served the tenant before. A change that needs more has to say so
here; one that needs fewer lowers them.
"""

import secrets
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from resets import captcha
from tests.cast import Acme
from tests.costs import counted
from tests.resets.visitor import TICKET_AGE, Clock, Page, Visitor, get_flow_row
from tests.resets.walks import WRONG_CODE, pass_app, set_policy, set_tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stranger(acme: Acme, clock: Clock) -> Visitor:
    """Somebody at a door that others were at before, with a form's protection of their own."""
    warm(acme, clock)
    visitor = Visitor(acme.host, clock, address="192.0.2.77")
    visitor.get("/reset/")
    return visitor


def statements_of(act: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as queries:
        act()
    return counted(queries)["statement"]


def warm(acme: Acme, clock: Clock) -> None:
    """Somebody else was here since the tenant was changed."""
    Visitor(acme.host, clock).start(acme.alice.user_id)


@pytest.mark.parametrize(("step", "most"), [("verify", 4), ("submit", 3), ("choose", 2)])
def test_a_step_with_a_forged_cookie_costs_a_few_look_ups(
    acme: Acme, stranger: Visitor, step: str, most: int
) -> None:
    fields = {
        "verify": {"code": WRONG_CODE},
        "submit": {"new_password": "Quiet-Harbour 7"},
        "choose": {"method": "email", "contact": "somebody@example.net"},
    }
    stranger.client.cookies["sspr_flow"] = f"{acme.id.hex}.{secrets.token_urlsafe(32)}"

    cost = statements_of(lambda: stranger.post(f"/reset/{uuid4()}/{step}/", fields[step]))

    assert stranger.shown.status == 401
    assert cost <= most


@pytest.mark.parametrize("disclosure", ["guided", "concealed"])
@pytest.mark.parametrize("user_id", ["bob@acme.example", "nobody@acme.example"])
def test_a_start_costs_the_same_few_statements_for_everybody(
    acme: Acme, stranger: Visitor, disclosure: str, user_id: str
) -> None:
    set_tenant(acme, disclosure=disclosure)
    warm(acme, stranger.clock)

    cost = statements_of(lambda: stranger.start(user_id))

    # Four of them are the start, one is the page after it.
    assert cost == 5


def test_a_wrong_code_is_answered_with_what_the_step_knows_already(
    acme: Acme, stranger: Visitor
) -> None:
    stranger.start(acme.bob.user_id)
    cost = statements_of(lambda: stranger.fill(code=WRONG_CODE))

    assert (stranger.shown.status, stranger.shown.state) == (200, "proving")
    assert "That code is not right" in stranger.shown.text
    # What the journey is, that a try is counted, what came of it.
    assert cost == 3


def test_the_page_after_a_wrong_code_is_the_one_that_is_loaded_afresh(
    acme: Acme, stranger: Visitor
) -> None:
    stranger.start(acme.bob.user_id)

    for left in (4, 3):
        wrong = stranger.fill(code=WRONG_CODE)
        assert wrong.status == 200
        loaded = stranger.get(f"/reset/{stranger.flow}/")
        assert _facts(wrong) == _facts(loaded)
        assert get_flow_row(acme, stranger.flow).tries == 5 - left


def _facts(page: Page) -> object:
    """What the page is about and where it leads, without what belongs to the mistake."""
    forms = [(form.action, form.typed, form.choices) for form in page.forms]
    links = [link for link in page.links if not link.startswith("#")]
    return page.state, page.reference, forms, links


def test_a_method_that_a_wrong_code_disabled_is_offered_no_more(
    acme: Acme, stranger: Visitor
) -> None:
    set_policy(acme, methods_required=1, limits={"failed_in_a_row": 1})
    stranger.start(acme.bob.user_id)
    stranger.fill(method="app_code")

    wrong = stranger.fill(code=WRONG_CODE)
    loaded = stranger.get(f"/reset/{stranger.flow}/?other=1")

    assert "app_code" not in [
        choice for form in loaded.forms for choice in form.choices.get("method", [])
    ]
    assert f"/reset/{stranger.flow}/?other=1" not in wrong.links


@pytest.mark.parametrize("user_id", ["nobody@acme.example", "bob@acme.example"])
def test_a_call_for_help_reads_once_and_writes_once(
    acme: Acme, stranger: Visitor, user_id: str
) -> None:
    set_tenant(acme, helpdesk_email="desk@acme.example")
    warm(acme, stranger.clock)
    stranger.get("/help/")
    with stranger.clock.running():
        ticket = captcha.new_ticket(stranger.host, stranger.clock.now - TICKET_AGE)

    cost = statements_of(lambda: stranger.fill(user_id=user_id, note="Please help.", ticket=ticket))

    assert stranger.shown.state == "help_sent"
    assert cost == 4


def test_nobody_is_told_from_somebody_by_the_statements_of_a_wrong_code(
    acme: Acme, clock: Clock
) -> None:
    set_tenant(acme, disclosure="concealed")
    warm(acme, clock)

    def cost_for(user_id: str) -> int:
        visitor = Visitor(acme.host, clock, address="192.0.2.78")
        visitor.start(user_id)
        visitor.fill(method="app_code")
        cost = statements_of(lambda: visitor.fill(code=WRONG_CODE))
        assert "That code is not right" in visitor.shown.text
        return cost

    assert cost_for(acme.bob.user_id) == cost_for("nobody@acme.example")


def test_the_right_code_still_opens_the_gate_after_a_wrong_one(
    acme: Acme, stranger: Visitor
) -> None:
    stranger.start(acme.bob.user_id)
    stranger.fill(code=WRONG_CODE)

    assert pass_app(stranger, acme.bob).state == "proving"
    with acme.inside():
        assert get_flow_row(acme, stranger.flow).gates.count() == 1
