"""Orders that are refused: at the form, and by the signer."""

from datetime import timedelta
from html import unescape
from uuid import uuid4

import pytest

from accounts.models import User
from tenants.licensing import entitlements
from tests.cast import Acme
from tests.resets.visitor import Clock
from tests.writeback.admin.desk import ClockDesk, colleague, events, refusal
from tests.writeback.admin.ordering import order, person_page
from tests.writeback.field import (
    DONE,
    FieldAgent,
    link,
    sign_what_waits,
)
from writeback.models import Connector, DirectoryLink, DirectoryOrder, WritebackJob


class TestRefusals:
    def test_on_oneself(self, acme: Acme, hybrid: Acme, desk: ClockDesk) -> None:
        with acme.inside():
            connector = Connector.objects.get()
        link(acme, acme.carol, connector, str(uuid4()))
        answer = desk.send(person_page(acme.carol), reason="mine")
        assert "You can&#x27;t do this to yourself" in refusal(answer)
        self.nothing_was_asked(acme)

    def test_without_a_reason(self, acme: Acme, hybrid: Acme, desk: ClockDesk) -> None:
        refusal(desk.send(person_page(acme.bob)))
        self.nothing_was_asked(acme)

    def test_for_who_has_no_account(self, acme: Acme, hybrid: Acme, desk: ClockDesk) -> None:
        assert desk.get(person_page(acme.alice)).status_code == 404
        with acme.inside():
            DirectoryLink.objects.update(seal=bytes(32))
        answer = desk.send(person_page(acme.bob), reason="x")
        assert "No directory account of this person is known." in refusal(answer)
        self.nothing_was_asked(acme)

    @pytest.mark.parametrize(
        ("what", "words"),
        [
            ("disabled", "let them in again first"),
            ("policy", "Passwords are not written to directories here"),
            ("plan", "Passwords are not written to directories here"),
            ("no policy", "Passwords are not written to directories here"),
            ("switched off", "no confirmed agent"),
            ("away", "no agent has called for more than a minute"),
        ],
    )
    def test_where_it_can_not_go_well(
        self,
        acme: Acme,
        hybrid: Acme,
        desk: ClockDesk,
        connector: Connector,
        clock: Clock,
        what: str,
        words: str,
    ) -> None:
        with acme.inside():
            if what == "disabled":
                User.objects.filter(pk=acme.bob.pk).update(is_active=False)
            elif what == "policy":
                acme.policy.writeback = False
                acme.policy.save(update_fields=["writeback"])
            elif what == "plan":
                assert not entitlements("free", trial=False).writeback
                acme.subscription.plan = "free"
                acme.subscription.save(update_fields=["plan"])
            elif what == "no policy":
                acme.policy.delete()
            elif what == "switched off":
                Connector.objects.update(enabled=False)
        if what == "away":
            clock.shift(seconds=100)
        assert words in unescape(refusal(desk.send(person_page(acme.bob), reason="x")))
        self.nothing_was_asked(acme)

    def test_while_another_one_is_under_way(
        self, acme: Acme, hybrid: Acme, desk: ClockDesk, agent: FieldAgent, clock: Clock
    ) -> None:
        order(desk, acme.bob)
        answer = desk.send(person_page(acme.bob), reason="again")
        assert "was ordered for this person just now" in refusal(answer)
        sign_what_waits(clock.now)
        agent.do(DONE)
        order(desk, acme.bob)

    def nothing_was_asked(self, acme: Acme) -> None:
        with acme.inside():
            assert not DirectoryOrder.objects.exists()
            assert not WritebackJob.objects.exists()
        assert events(acme, "writeback.ordered") == []


class TestTheSigner:
    """What a row in the database alone does not get (R-21)."""

    def refused(self, acme: Acme, clock: Clock) -> None:
        sign_what_waits(clock.now)
        with acme.inside():
            [job] = WritebackJob.objects.all()
        assert (job.state, job.cause) == ("done", "not_signed")
        [event] = events(acme, "writeback.not_signed")
        assert event.data["cause"] == "evidence"

    @pytest.mark.parametrize(
        "change",
        [
            {"is_active": False},
            {"roles": []},
            {"roles": ["groups_administrator"]},
        ],
        ids=str,
    )
    def test_signs_for_nobody_who_may_not_order_any_more(
        self, acme: Acme, hybrid: Acme, desk: ClockDesk, clock: Clock, change: dict[str, object]
    ) -> None:
        order(desk, acme.bob)
        with acme.inside():
            User.objects.filter(pk=acme.carol.pk).update(**change)
        self.refused(acme, clock)

    def test_signs_nothing_for_a_person_who_was_given_a_role_meanwhile(
        self, acme: Acme, hybrid: Acme, clock: Clock
    ) -> None:
        order(colleague(acme, clock, "helpdesk_administrator"), acme.bob)
        with acme.inside():
            User.objects.filter(pk=acme.bob.pk).update(roles=["global_reader"])
        self.refused(acme, clock)

    @pytest.mark.parametrize(
        "column", ["administrator", "user", "created_at", "outcome", "gone", "oneself"]
    )
    def test_signs_nothing_that_rests_on_a_row_written_by_hand(
        self, acme: Acme, hybrid: Acme, desk: ClockDesk, clock: Clock, column: str
    ) -> None:
        order(desk, acme.bob)
        with acme.inside():
            other = User.objects.create(
                user_id="amy@acme.example", roles=["global_administrator"], password="x"
            )
            rows = DirectoryOrder.objects.all()
            if column == "administrator":
                rows.update(administrator=other)
            elif column == "user":
                rows.update(user=acme.alice)
            elif column == "created_at":
                rows.update(created_at=clock.now + timedelta(seconds=1))
            elif column == "outcome":
                rows.update(outcome="done")
            elif column == "gone":
                rows.delete()
            else:
                User.objects.filter(pk=acme.bob.pk).update(roles=["global_administrator"])
                rows.update(administrator=acme.bob)
        self.refused(acme, clock)

    def test_signs_no_account_that_was_put_in_place_of_the_persons_own(
        self, acme: Acme, hybrid: Acme, desk: ClockDesk, clock: Clock
    ) -> None:
        order(desk, acme.bob)
        with acme.inside():
            [row] = DirectoryLink.objects.all()
            row.anchor = str(uuid4())
            row.save()
        self.refused(acme, clock)
