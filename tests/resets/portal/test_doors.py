"""A door is shown from memory for a few seconds; behind it is the host's owner of now."""

import pytest

from notifications.models import Message
from resets import captcha
from resets.models import Flow
from tenants.models import Host
from tests.cast import Acme, Beta
from tests.resets.visitor import TICKET_AGE, Visitor
from tests.resets.walks import set_tenant

pytestmark = pytest.mark.django_db


def take_host(acme: Acme) -> None:
    """As another process does it: nothing here hears of it."""
    with acme.inside():
        rows = Host.objects.filter(name=acme.host)
        assert rows._raw_delete(rows.db) == 1


def give_host(acme: Acme, beta: Beta) -> None:
    take_host(acme)
    with beta.inside():
        Host.objects.bulk_create([Host(name=acme.host)])


def go_through(visitor: Visitor, **fields: str) -> None:
    """Sends the form of the page that is shown."""
    with visitor.clock.running():
        ticket = captcha.new_ticket(visitor.host, visitor.clock.now - TICKET_AGE)
    visitor.fill(ticket=ticket, **fields)


def journeys(place: Acme | Beta) -> int:
    with place.inside():
        found: int = Flow.objects.count()
        return found


def test_a_start_belongs_to_whom_the_host_was_given_a_moment_ago(
    acme: Acme, beta: Beta, visitor: Visitor
) -> None:
    visitor.get("/reset/")
    give_host(acme, beta)

    go_through(visitor, user_id=beta.bob.user_id)

    assert visitor.shown.state == "proving"
    assert (journeys(acme), journeys(beta)) == (0, 1)


def test_a_call_for_help_goes_to_whom_the_host_was_given_a_moment_ago(
    acme: Acme, beta: Beta, visitor: Visitor
) -> None:
    for place in (acme, beta):
        set_tenant(place, helpdesk_email="desk@example.net")
    visitor.get("/help/")
    give_host(acme, beta)

    go_through(visitor, user_id=beta.bob.user_id, note="Please help.")

    assert visitor.shown.state == "help_sent"
    for place, told in ((acme, 0), (beta, 1)):
        with place.inside():
            assert Message.objects.count() == told


@pytest.mark.parametrize(("path", "fields"), [("/reset/", {}), ("/help/", {"note": "Help."})])
def test_where_the_host_is_nobody_s_any_more_there_is_no_page(
    acme: Acme, visitor: Visitor, path: str, fields: dict[str, str]
) -> None:
    visitor.get(path)
    take_host(acme)

    go_through(visitor, user_id=acme.bob.user_id, **fields)

    assert visitor.shown.status == 404
    assert journeys(acme) == 0


def test_an_answer_is_spent_once_whoever_owns_the_host(
    acme: Acme, beta: Beta, visitor: Visitor
) -> None:
    visitor.get("/reset/")
    with visitor.clock.running():
        ticket = captcha.new_ticket(visitor.host, visitor.clock.now - TICKET_AGE)
    visitor.fill(user_id=acme.bob.user_id, ticket=ticket)
    assert visitor.shown.state == "proving"
    give_host(acme, beta)

    visitor.get("/reset/")
    visitor.fill(user_id=beta.bob.user_id, ticket=ticket)

    assert (visitor.shown.status, visitor.shown.state) == (400, "started")
    assert journeys(beta) == 0
