"""Blocks of a person: seen with their end, lifted with a reason, in the audit trail."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from resets.models import Flow
from resets.services.blocks import blocks_of, lift_blocks
from tenants.audit import Party
from tenants.invalid import Invalid
from tenants.models import Counter
from tests.cast import PASSWORD, Acme, Beta
from tests.resets.conftest import NOW
from tests.resets.visitor import Clock, Visitor, trail
from tests.resets.walks import set_policy, set_user, wrong_code
from tests.services.signed_in import prove_client
from tests.tenants.admin.cast import try_sign_in

pytestmark = pytest.mark.django_db(transaction=True)
CARER = Party("administrator", None, "carol@acme.example")


@pytest.fixture
def locked(acme: Acme, visitor: Visitor) -> Visitor:
    """Bob's browser after five wrong codes."""
    visitor.start(acme.bob.user_id)
    for _ in range(5):
        page = wrong_code(visitor)
    assert page.state == "locked"
    return visitor


@pytest.fixture
def desk(acme: Acme, clock: Clock) -> Iterator[Client]:
    """Carol's browser, signed in, at the time of the clock."""
    with clock.running():
        yield enter(acme, acme.carol)


def enter(acme: Acme, user: User) -> Client:
    client = Client(headers={"host": acme.host})
    assert try_sign_in(user.user_id, PASSWORD, client=client, host=acme.host).status_code == 302
    prove_client(client)
    return client


def page_of(user: User, ending: str = "change/") -> str:
    return f"/admin/accounts/user/{user.pk}/{ending}"


def test_the_page_of_a_person_shows_what_holds_and_until_when(
    acme: Acme, locked: Visitor, desk: Client
) -> None:
    text = desk.get(page_of(acme.bob)).content.decode()

    assert "Too many proofs failed, over all methods" in text
    assert "Too many wrong answers" in text
    assert "A journey is locked" in text
    assert text.count("2026-11-21 09:30:00 UTC") >= 3
    assert "neither shown nor lifted here" in text
    assert page_of(acme.bob, "lift/") in text
    other = desk.get(page_of(acme.alice)).content.decode()
    assert "No limit holds now." in other
    assert page_of(acme.alice, "lift/") not in other


def test_locked_journeys_are_listed_while_they_are_locked(
    acme: Acme, locked: Visitor, clock: Clock, desk: Client
) -> None:
    reference = locked.shown.reference
    address = "/admin/resets/flow/?locked=now"

    now = desk.get(address).content.decode()
    with acme.inside():
        Flow.objects.update(blocked_until=NOW)
    later = desk.get(address).content.decode()

    assert reference in now
    assert "locked until 2026-11-21 09:30:00 UTC" in now
    assert reference not in later


def test_after_lifting_the_person_starts_again_at_once(
    acme: Acme, locked: Visitor, clock: Clock, desk: Client
) -> None:
    assert Visitor(acme.host, clock).start(acme.bob.user_id).state == "locked"

    answer = desk.post(page_of(acme.bob, "lift/"), {"reason": "Called back, ticket 4711"})
    again = Visitor(acme.host, clock).start(acme.bob.user_id)

    assert (answer.status_code, again.state) == (302, "proving")
    [event] = trail(acme, type="block.lifted")
    assert (event.actor_label, event.target_label) == (acme.carol.user_id, acme.bob.user_id)
    assert event.reason == "Called back, ticket 4711"
    assert event.data["limits"] == ["failed_method", "failed_proofs"]
    assert locked.shown.reference in event.data["journeys"]
    assert "No limit holds now." in desk.get(page_of(acme.bob)).content.decode()


@pytest.mark.parametrize("reason", ["", "   ", "x" * 121])
def test_without_a_reason_nothing_is_lifted(
    reason: str, acme: Acme, locked: Visitor, clock: Clock, desk: Client
) -> None:
    answer = desk.post(page_of(acme.bob, "lift/"), {"reason": reason})

    assert answer.status_code == 200
    assert trail(acme, type="block.lifted") == []
    assert Visitor(acme.host, clock).start(acme.bob.user_id).state == "locked"


def test_looking_lifts_nothing(acme: Acme, locked: Visitor, clock: Clock, desk: Client) -> None:
    assert desk.get(page_of(acme.bob, "lift/")).status_code == 200

    assert Visitor(acme.host, clock).start(acme.bob.user_id).state == "locked"


@pytest.mark.parametrize(
    ("roles", "target", "status"),
    [
        (["helpdesk_administrator"], "bob", 302),
        (["billing_administrator"], "bob", 403),
        (["security_reader"], "bob", 403),
        (["helpdesk_administrator"], "boss", 403),
    ],
)
def test_only_who_may_lifts_and_the_help_desk_not_for_administrators(
    roles: list[str], target: str, status: int, acme: Acme, locked: Visitor, clock: Clock
) -> None:
    set_user(acme, acme.carol, roles=roles)
    if target == "boss":
        set_user(acme, acme.bob, roles=["global_administrator"])
    with clock.running():
        answer = enter(acme, acme.carol).post(page_of(acme.bob, "lift/"), {"reason": "asked"})

    assert answer.status_code == status
    assert len(trail(acme, type="block.lifted")) == (status == 302)


def test_a_person_of_another_tenant_is_unknown(
    acme: Acme, beta: Beta, locked: Visitor, desk: Client
) -> None:
    assert desk.post(page_of(beta.bob, "lift/"), {"reason": "asked"}).status_code == 404
    assert trail(beta, type="block.lifted") == []


def test_what_holds_for_everybody_is_told_and_stays(
    acme: Acme, locked: Visitor, clock: Clock
) -> None:
    set_policy(acme, limits={"failed_in_tenant": 1})
    with acme.inside():
        blocks = blocks_of(acme.bob, clock.now)
        assert [block.limit for block in blocks if block.whole_tenant] == ["failed_in_tenant"]
        lift_blocks(acme.bob, "asked", by=CARER, now=clock.now)
        assert [block.limit for block in blocks_of(acme.bob, clock.now)] == ["failed_in_tenant"]
        assert Counter.objects.filter(limit="failed_in_tenant").exists()


def test_blocks_of_others_stay(acme: Acme, locked: Visitor, clock: Clock) -> None:
    other = Visitor(acme.host, clock, address="192.0.2.20")
    other.start(acme.carol.user_id)
    for _ in range(5):
        wrong_code(other)
    with acme.inside():
        lift_blocks(acme.bob, "asked", by=CARER, now=clock.now)
        assert blocks_of(acme.bob, clock.now) == []
        assert {block.limit for block in blocks_of(acme.carol, clock.now)} >= {"failed_proofs"}


def test_where_nothing_holds_nothing_is_recorded(
    acme: Acme, locked: Visitor, clock: Clock, desk: Client
) -> None:
    late: Any = clock.now + timedelta(days=2)
    with acme.inside():
        assert blocks_of(acme.bob, late) == []
        with pytest.raises(Invalid, match="No limit holds"):
            lift_blocks(acme.bob, "asked", by=CARER, now=late)
    assert desk.post(page_of(acme.eve, "lift/"), {"reason": "asked"}).status_code == 404
    assert trail(acme, type="block.lifted") == []


def test_a_locked_sign_in_is_shown_and_lifted(acme: Acme, desk: Client, clock: Clock) -> None:
    client = Client(headers={"host": acme.host, "sec-fetch-site": "same-origin"})
    with clock.running():
        for number in range(11):
            fields = {"user_id": acme.bob.user_id, "password": f"Not This One {number}"}
            last = client.post("/sign-in/", fields)
        assert last.status_code == 429
        assert (
            "Too many wrong passwords at the sign-in"
            in desk.get(page_of(acme.bob)).content.decode()
        )

        desk.post(page_of(acme.bob, "lift/"), {"reason": "He called"})
        last = client.post("/sign-in/", {"user_id": acme.bob.user_id, "password": PASSWORD})

    assert last.status_code == 303
    [event] = trail(acme, type="block.lifted")
    assert event.data["limits"] == ["sign_in_lock"]
