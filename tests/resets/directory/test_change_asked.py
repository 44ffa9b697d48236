"""Changing a password that a directory keeps: when it is asked, for whom, and what is kept."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.test import Client

from accounts.models import Session
from resets.models import DirectoryChange
from tests.cast import NEW_PASSWORD, PASSWORD, Acme
from tests.resets.directory.person import DONE, OLD, PATH, Person, locks
from tests.resets.visitor import Clock
from tests.resets.walks import set_policy, set_user
from tests.services.signed_in import signed_in_client
from tests.writeback.field import (
    FieldAgent,
    sign_what_waits,
)
from writeback.models import Connector, DirectoryLink, WritebackJob
from writeback.services.orders import Order, links_of, place


class TestBeforeAnythingIsSent:
    def asked(self, acme: Acme) -> int:
        with acme.inside():
            return WritebackJob.objects.filter(purpose="change").count()

    @pytest.mark.parametrize("why", ["policy", "plan", "no link", "switched off"])
    def test_where_it_is_not_possible_the_page_says_whom_to_ask(
        self, hybrid: Acme, bob: Person, why: str
    ) -> None:
        with hybrid.inside():
            if why == "policy":
                set_policy(hybrid, writeback=False)
            elif why == "plan":
                hybrid.subscription.plan = "free"
                hybrid.subscription.save()
            elif why == "no link":
                DirectoryLink.objects.all().delete()
            else:
                Connector.objects.update(enabled=False)

        page = bob.change()

        assert (page.status, page.state) == (409, "change")
        assert "It can't be changed here yet" in page.text
        assert "old_password" not in page.text
        assert (self.asked(hybrid), locks(hybrid)) == (0, [])

    def test_a_directory_that_is_not_heard_of_means_try_later(
        self, hybrid: Acme, bob: Person, clock: Clock
    ) -> None:
        clock.shift(seconds=76)

        page = bob.change()

        assert (page.status, page.headers["Retry-After"]) == (503, "120")
        assert "can't be reached right now" in page.text
        assert (self.asked(hybrid), locks(hybrid)) == (0, [])

    @pytest.mark.parametrize(
        ("old", "new", "field"),
        [
            ("", NEW_PASSWORD, "old_password"),
            (OLD, "", "new_password"),
            (OLD, OLD, "new_password"),
            (OLD, "x" * 300, "new_password"),
        ],
    )
    def test_what_no_directory_has_to_judge_is_told_at_its_field(
        self, hybrid: Acme, bob: Person, old: str, new: str, field: str
    ) -> None:
        page = bob.change(old, new)

        assert page.state == "change"
        assert f'id="{field}-error"' in page.text
        assert (self.asked(hybrid), locks(hybrid)) == (0, [])

    def test_a_link_by_hand_leads_nowhere(self, hybrid: Acme, bob: Person) -> None:
        with hybrid.inside():
            DirectoryLink.objects.update(anchor="somebody else's")

        assert bob.change().status == 409
        assert (self.asked(hybrid), locks(hybrid)) == (0, [0])


class TestWhoseItIs:
    def test_a_second_one_in_the_same_session_is_the_first_one(
        self, hybrid: Acme, bob: Person, agent: FieldAgent
    ) -> None:
        bob.change()
        first = bob.path

        assert bob.change().state == "writing"

        assert bob.path == first
        agent.do(DONE)
        assert agent.take() is None
        assert locks(hybrid) == []

    def test_a_second_one_in_another_session_waits_for_the_first(
        self, hybrid: Acme, bob: Person, clock: Clock
    ) -> None:
        with clock.running():
            elsewhere = Person(signed_in_client(hybrid, hybrid.bob), clock)
        bob.change()

        page = elsewhere.change()

        assert (page.status, page.state) == (409, "change")
        assert "is being changed already" in page.text

    @pytest.fixture
    def others(self, hybrid: Acme, bob: Person, clock: Clock) -> Iterator[list[Client]]:
        bob.change()
        with clock.running():
            yield [
                signed_in_client(hybrid, hybrid.bob),
                signed_in_client(hybrid, hybrid.alice),
            ]

    def test_nobody_else_sees_what_became_of_it(
        self, hybrid: Acme, bob: Person, others: list[Client]
    ) -> None:
        for client in others:
            assert client.get(bob.path).status_code == 404
            assert client.get(f"{bob.path}status/").status_code == 404
        stranger = Client(headers={"host": hybrid.host})
        assert stranger.get(bob.path).headers["Location"].startswith("/sign-in/")
        assert bob.client.get(f"{PATH}{uuid4()}/").status_code == 404

    def test_a_session_that_ended_a_moment_ago_changes_nothing(
        self, hybrid: Acme, bob: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from resets.portal import directory_change

        real = directory_change._renew

        def ends_first(*given: Any) -> bytes:
            with hybrid.inside():
                Session.objects.all().delete()
            return real(*given)

        monkeypatch.setattr(directory_change, "_renew", ends_first)

        with bob.clock.running():
            answer = bob.client.post(PATH, {"old_password": OLD, "new_password": NEW_PASSWORD})

        assert answer.headers["Location"].startswith("/sign-in/")
        with hybrid.inside():
            assert not WritebackJob.objects.exists()

    def test_somebody_who_was_reset_meanwhile_is_not_changed(
        self, hybrid: Acme, bob: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from resets.portal import directory_change

        real = directory_change._count

        def reset_first(*given: Any) -> Any:
            set_user(hybrid, hybrid.bob, session_epoch=7)
            return real(*given)

        monkeypatch.setattr(directory_change, "_count", reset_first)

        with bob.clock.running():
            bob.client.post(PATH, {"old_password": OLD, "new_password": NEW_PASSWORD})

        with hybrid.inside():
            assert not WritebackJob.objects.exists()
        assert locks(hybrid) == [0]


def test_a_change_that_nobody_tells_of_is_not_known_and_keeps_nobody_from_another(
    hybrid: Acme, bob: Person, agent: FieldAgent, clock: Clock
) -> None:
    bob.change()
    with hybrid.inside():
        WritebackJob.objects.all().delete()
    clock.shift(seconds=121)
    agent.beat()
    assert bob.page().state == "unknown"

    assert bob.change().state == "writing"

    with hybrid.inside():
        states = DirectoryChange.objects.order_by("created_at").values_list("state", flat=True)
        assert list(states) == ["unknown", "writing"]
    assert locks(hybrid) == [1]


def test_changes_of_another_day_are_not_kept(
    hybrid: Acme, bob: Person, agent: FieldAgent, clock: Clock
) -> None:
    bob.change()
    agent.do(DONE)
    clock.shift(hours=25)
    agent.key = X25519PrivateKey.generate()
    agent.beat()
    with clock.running():
        again = Person(signed_in_client(hybrid, hybrid.bob), clock)

    assert again.change().state == "writing"

    with hybrid.inside():
        assert DirectoryChange.objects.count() == 1


def test_what_is_stored_of_a_change_is_no_password(hybrid: Acme, bob: Person) -> None:
    bob.change()

    with hybrid.inside():
        [row] = DirectoryChange.objects.values()
    assert NEW_PASSWORD not in str(row)
    assert OLD not in str(row)
    assert PASSWORD not in str(row)


@pytest.mark.parametrize("operation", ["change", "verify"])
def test_the_signer_signs_no_change_that_no_session_waits_for(
    hybrid: Acme, agent: FieldAgent, clock: Clock, operation: Any
) -> None:
    from tenants.together import Changes
    from writeback.protocol import NEEDS_NEW, Passwords

    changes = Changes()
    with hybrid.inside():
        new = NEW_PASSWORD if operation in NEEDS_NEW else None
        order = Order("change", operation, UUID(int=7), hybrid.bob, Passwords(new, OLD))
        [job] = place(order, links_of(hybrid.bob), clock.now, changes)
        changes.write()

    assert sign_what_waits(clock.now) == 1

    assert agent.take() is None
    with hybrid.inside():
        job.refresh_from_db()
    assert job.cause == "not_signed"
