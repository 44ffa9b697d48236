"""Which directory accounts are a person's, and what their directories say."""

from html import unescape

import pytest

from accounts.models import User
from tests.cast import Acme
from tests.resets.visitor import Clock
from tests.writeback.admin.desk import ClockDesk, colleague, events, page, refusal
from tests.writeback.conftest import BOB_ANCHOR
from tests.writeback.field import FieldAgent, link, make_connector, sign_what_waits
from writeback.connectors.base import DirectoryRules
from writeback.models import Connector, DirectoryLink, WritebackJob
from writeback.reports import Report
from writeback.sealing import is_linked

pytestmark = pytest.mark.django_db
ALICE_ANCHOR = "0c5e0e5c-8f0d-4c39-8e8f-3f1d1f1c9b11"
PERSON = {
    "protected": False,
    "enabled": True,
    "locked": True,
    "must_change": False,
    "may_reset": True,
    "may_unlock": True,
    "changed_at": None,
    "password_ends": "2026-12-24T10:00:00+00:00",
    "account_ends": None,
}


def person_page(user: User, more: str = "change/") -> str:
    return f"accounts/user/{user.pk}/{more}"


def links_of(acme: Acme, user: User) -> list[DirectoryLink]:
    with acme.inside():
        return list(DirectoryLink.objects.filter(user=user).order_by("anchor"))


def source_of(acme: Acme, user: User) -> str:
    with acme.inside():
        user.refresh_from_db()
    return user.source


class TestAdding:
    def test_says_whose_account_it_is_and_where_the_password_is_compared(
        self, acme: Acme, desk: ClockDesk, connector: Connector
    ) -> None:
        answer = desk.send(
            person_page(acme.alice, "link/"),
            connector=str(connector.pk),
            anchor=f" {ALICE_ANCHOR.upper()} ",
        )
        assert page(answer) == person_page(acme.alice)
        [row] = links_of(acme, acme.alice)
        assert row.anchor == ALICE_ANCHOR
        with acme.inside():
            assert is_linked(row)
        assert source_of(acme, acme.alice) == User.Source.PASS_THROUGH
        [added] = events(acme, "link.changed")
        assert added.data == {"connector": "Head office", "change": "added"}
        assert added.target_label == acme.alice.user_id
        [changed] = events(acme, "user.changed")
        assert changed.data == {"fields": ["source"]}
        assert ALICE_ANCHOR in desk.read(person_page(acme.alice))

    @pytest.mark.parametrize(
        ("anchor", "words"),
        [
            ("", "required"),
            ("bob", "looks like"),
            ("x" * 201, "at most 200"),
            (BOB_ANCHOR, "belongs to somebody else"),
        ],
    )
    def test_is_refused_for_what_can_not_be_the_account(
        self,
        acme: Acme,
        hybrid: Acme,
        desk: ClockDesk,
        connector: Connector,
        anchor: str,
        words: str,
    ) -> None:
        fields = {"connector": str(connector.pk), "anchor": anchor}
        assert words in unescape(refusal(desk.send(person_page(acme.alice, "link/"), **fields)))
        assert links_of(acme, acme.alice) == []
        assert source_of(acme, acme.alice) == User.Source.CLOUD

    @pytest.mark.parametrize("anchor", [" ", "a\u202eb"])
    def test_of_a_kind_with_its_own_ids_takes_any_readable_text(
        self, acme: Acme, desk: ClockDesk, connector: Connector, anchor: str
    ) -> None:
        with acme.inside():
            Connector.objects.update(kind=Connector.Kind.SCIM)
        path = person_page(acme.alice, "link/")
        refusal(desk.send(path, connector=str(connector.pk), anchor=anchor))
        page(desk.send(path, connector=str(connector.pk), anchor="2819c223"))
        assert [row.anchor for row in links_of(acme, acme.alice)] == ["2819c223"]

    def test_is_offered_for_directories_without_an_account_and_for_members_alone(
        self, acme: Acme, hybrid: Acme, desk: ClockDesk, connector: Connector
    ) -> None:
        assert desk.get(person_page(acme.bob, "link/")).status_code == 404
        assert desk.get(person_page(acme.iris, "link/")).status_code == 404
        branch = make_connector(acme, "Branch")
        text = desk.read(person_page(acme.bob, "link/"))
        assert str(branch.pk) in text
        assert str(connector.pk) not in text

    def test_twice_at_once_is_refused_the_second_time(
        self, acme: Acme, desk: ClockDesk, connector: Connector
    ) -> None:
        path = person_page(acme.alice, "link/")
        make_connector(acme, "Branch")
        fields = desk.filled(path, connector=str(connector.pk), anchor=ALICE_ANCHOR)
        page(desk.post(path, fields))
        refusal(desk.post(path, fields))
        assert len(links_of(acme, acme.alice)) == 1


class TestChanging:
    def test_forgets_what_was_found_of_the_other_account(
        self, acme: Acme, hybrid: Acme, desk: ClockDesk, clock: Clock
    ) -> None:
        with acme.inside():
            DirectoryLink.objects.update(described={"person": PERSON}, described_at=clock.now)
        page(desk.send(person_page(acme.bob, "change-link/"), anchor=ALICE_ANCHOR))
        [row] = links_of(acme, acme.bob)
        assert (row.anchor, row.described, row.described_at) == (ALICE_ANCHOR, None, None)
        with acme.inside():
            assert is_linked(row)
        [event] = events(acme, "link.changed")
        assert event.data["change"] == "changed"

    def test_to_the_same_account_leaves_no_line(
        self, acme: Acme, hybrid: Acme, desk: ClockDesk
    ) -> None:
        page(desk.send(person_page(acme.bob, "change-link/"), anchor=BOB_ANCHOR))
        assert events(acme, "link.changed") == []

    def test_to_somebody_elses_account_is_refused(
        self, acme: Acme, hybrid: Acme, desk: ClockDesk, connector: Connector
    ) -> None:
        link(acme, acme.alice, connector, ALICE_ANCHOR)
        answer = desk.send(person_page(acme.bob, "change-link/"), anchor=ALICE_ANCHOR)
        assert "belongs to somebody else" in refusal(answer)
        assert [row.anchor for row in links_of(acme, acme.bob)] == [BOB_ANCHOR]

    def test_an_account_of_somebody_else_can_not_be_chosen(
        self, acme: Acme, hybrid: Acme, desk: ClockDesk, connector: Connector
    ) -> None:
        link(acme, acme.alice, connector, ALICE_ANCHOR)
        [theirs] = links_of(acme, acme.alice)
        for key in ("change-link", "unlink"):
            path = person_page(acme.bob, f"{key}/")
            refusal(desk.send(path, link=str(theirs.pk), anchor="x"))
        assert len(links_of(acme, acme.alice)) == 1


class TestRemoving:
    @pytest.mark.parametrize(
        ("to_cloud", "source"),
        [("on", User.Source.CLOUD), (None, User.Source.PASSWORD_HASH_SYNC)],
    )
    def test_the_last_account_leaves_the_password_where_it_was_told(
        self, acme: Acme, hybrid: Acme, desk: ClockDesk, to_cloud: str | None, source: str
    ) -> None:
        page(desk.send(person_page(acme.bob, "unlink/"), to_cloud=to_cloud))
        assert links_of(acme, acme.bob) == []
        assert source_of(acme, acme.bob) == source
        [event] = events(acme, "link.changed")
        assert event.data["change"] == "removed"

    def test_one_of_two_accounts_keeps_the_password_in_the_other_directory(
        self, acme: Acme, hybrid: Acme, desk: ClockDesk
    ) -> None:
        branch = make_connector(acme, "Branch")
        link(acme, acme.bob, branch, ALICE_ANCHOR)
        path = person_page(acme.bob, "unlink/")
        refusal(desk.send(path))
        [first, _] = links_of(acme, acme.bob)
        page(desk.send(path, link=str(first.pk), to_cloud="on"))
        assert [row.anchor for row in links_of(acme, acme.bob)] == [BOB_ANCHOR]
        assert source_of(acme, acme.bob) == User.Source.PASSWORD_HASH_SYNC


class TestLooking:
    def test_again_and_again_asks_the_directory_each_time_and_shows_its_marks(
        self, acme: Acme, hybrid: Acme, desk: ClockDesk, agent: FieldAgent, clock: Clock
    ) -> None:
        path = person_page(acme.bob, "look-again/")
        for _ in range(2):
            assert page(desk.send(path)) == person_page(acme.bob)
        sign_what_waits(clock.now)
        rules = DirectoryRules(min_length=10)
        held = agent.do(Report("succeeded", rules=rules, person=PERSON, at=1))
        assert held.job.operation == "describe"
        assert held.passwords.new is None
        agent.do(Report("succeeded", rules=rules, person=PERSON, at=1))
        text = desk.read(person_page(acme.bob))
        assert "locked; password ends 2026-12-24 10:00 UTC" in text
        with acme.inside():
            assert {job.purpose for job in WritebackJob.objects.all()} == {"describe"}
            assert WritebackJob.objects.values("origin").distinct().count() == 2

    def test_what_an_older_version_kept_is_shown_as_nothing(
        self, acme: Acme, hybrid: Acme, desk: ClockDesk
    ) -> None:
        for kept in ({"person": {"of": "tomorrow"}}, ["no", "object"], {}):
            with acme.inside():
                DirectoryLink.objects.update(described=kept)
            assert BOB_ANCHOR in desk.read(person_page(acme.bob))

    def test_a_link_written_by_hand_is_none(
        self, acme: Acme, hybrid: Acme, desk: ClockDesk
    ) -> None:
        with acme.inside():
            DirectoryLink.objects.update(seal=bytes(32))
        answer = desk.send(person_page(acme.bob, "look-again/"))
        assert "No directory account of this person is known." in refusal(answer)


@pytest.mark.parametrize(
    ("role", "keys"),
    [
        ("hybrid_identity_administrator", {"link", "change-link", "unlink"}),
        ("helpdesk_administrator", {"look-again", "reset"}),
        ("password_administrator", {"look-again", "reset"}),
        ("user_administrator", {"look-again", "reset"}),
        ("groups_administrator", set()),
        ("security_reader", set()),
    ],
)
def test_each_role_has_its_own_work_with_accounts(
    acme: Acme, hybrid: Acme, clock: Clock, role: str, keys: set[str]
) -> None:
    make_connector(acme, "Branch")
    desk = colleague(acme, clock, role)
    everything = {"link", "change-link", "unlink", "look-again", "reset"}
    answers = {
        key: (
            desk.get(person_page(acme.bob, f"{key}/")).status_code,
            desk.post(person_page(acme.bob, f"{key}/"), {}).status_code == 403,
        )
        for key in everything
    }
    assert {key for key, (status, _) in answers.items() if status == 200} == keys
    assert {key for key, (_, refused) in answers.items() if refused} == everything - keys
    assert BOB_ANCHOR in desk.read(person_page(acme.bob))


def test_whoever_holds_a_role_is_touched_by_few(
    acme: Acme, hybrid: Acme, connector: Connector, clock: Clock
) -> None:
    link(acme, acme.carol, connector, ALICE_ANCHOR)
    for role, key in (
        ("helpdesk_administrator", "reset"),
        ("helpdesk_administrator", "look-again"),
        ("hybrid_identity_administrator", "unlink"),
    ):
        desk = colleague(acme, clock, role)
        assert desk.get(person_page(acme.carol, f"{key}/")).status_code == 403
    few = colleague(acme, clock, "privileged_authentication_administrator")
    assert few.get(person_page(acme.carol, "reset/")).status_code == 200
