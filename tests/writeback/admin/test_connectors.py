"""Directories on the administration site."""

from datetime import timedelta
from html import unescape

import pytest

from tests.cast import Acme
from tests.resets.visitor import Clock
from tests.writeback.admin.desk import ClockDesk, colleague, events, page, refusal
from tests.writeback.field import FieldAgent, make_agent, make_connector
from writeback.connectors.base import DirectoryRules
from writeback.models import Agent, Connector, DirectoryLink, EnrolmentCode, WritebackJob
from writeback.reports import rules_written
from writeback.services.links import look_again

pytestmark = pytest.mark.django_db
LIST = "writeback/connector/"


def row_page(connector: Connector, more: str = "change/") -> str:
    return f"{LIST}{connector.pk}/{more}"


def test_a_directory_is_added_and_changed_with_a_line_in_the_trail(
    acme: Acme, desk: ClockDesk
) -> None:
    added = desk.send(f"{LIST}add/", name="Head office", kind="openldap")
    with acme.inside():
        [row] = Connector.objects.all()
    assert page(added) == row_page(row)
    assert (row.name, row.kind, row.enabled) == ("Head office", "openldap", True)

    desk.send(row_page(row), name="Branch", canary="of nobody", enabled=None)
    with acme.inside():
        row.refresh_from_db()
    assert (row.name, row.canary, row.enabled) == ("Branch", "of nobody", False)

    [made] = events(acme, "connector.added")
    [changed] = events(acme, "connector.changed")
    assert made.actor_label == changed.actor_label == acme.carol.user_id
    assert made.data == {"connector": "Head office", "kind": "openldap"}
    assert changed.data == {"connector": "Branch", "fields": ["name", "canary", "enabled"]}


def test_saving_what_stands_leaves_no_line(
    acme: Acme, desk: ClockDesk, connector: Connector
) -> None:
    desk.send(row_page(connector))
    assert events(acme, "connector.changed") == []


def test_no_two_directories_have_one_name(
    acme: Acme, desk: ClockDesk, connector: Connector
) -> None:
    other = make_connector(acme, "Branch")
    for path in (f"{LIST}add/", row_page(other)):
        answer = desk.send(path, name=connector.name, kind="openldap")
        assert "There is a directory of this name already." in refusal(answer)
    with acme.inside():
        assert sorted(Connector.objects.values_list("name", flat=True)) == ["Branch", "Head office"]


def state_words(acme: Acme, desk: ClockDesk, connector: Connector) -> str:
    return unescape(desk.read(LIST) + desk.read(row_page(connector)))


def test_how_a_directory_is_connected_stands_there_with_what_mends_it(
    acme: Acme, desk: ClockDesk, connector: Connector, signer: None, clock: Clock
) -> None:
    assert "Make a code for an agent, enrol it" in state_words(acme, desk, connector)
    agent = make_agent(acme, connector, clock)
    assert "An agent waits for jobs, and its version is current." in state_words(
        acme, desk, connector
    )
    clock.shift(seconds=100)
    text = state_words(acme, desk, connector)
    assert "Not connected" in text
    assert "run `sspr-agent status` there" in text
    agent.beat(directory={"state": "misconfigured", "trouble": "account"})
    assert "Agent's account refused" in state_words(acme, desk, connector)
    agent.beat(directory={"state": "misconfigured", "trouble": "untrusted"})
    assert "Certificate not to be believed" in state_words(acme, desk, connector)
    agent.beat(journal="damaged")
    assert "Revoke that agent, find out who changed its files" in state_words(acme, desk, connector)
    desk.send(row_page(connector), enabled=None)
    assert "Switched off" in state_words(acme, desk, connector)


def test_the_page_shows_agents_rules_and_jobs(
    acme: Acme, hybrid: Acme, desk: ClockDesk, connector: Connector, agent: FieldAgent, clock: Clock
) -> None:
    rules = rules_written(DirectoryRules(min_length=14, max_age=timedelta(days=42)))
    agent.beat(rules=rules)
    with acme.inside():
        look_again(acme.bob, clock.now)
    text = desk.read(row_page(connector))
    for expected in ("dc-proxy", "0.1.0", "14 characters", "42 days", "look at the rules"):
        assert expected in text
    assert acme.bob.user_id in text

    with acme.inside():
        Connector.objects.update(rules={"of": "another version"})
    assert "The directory has told none yet." in desk.read(row_page(connector))


class TestTheCode:
    def test_it_is_shown_once_with_what_to_type(
        self, acme: Acme, desk: ClockDesk, connector: Connector, signer: None, clock: Clock
    ) -> None:
        answer = desk.post(row_page(connector, "code/"), {})
        text = unescape(answer.content.decode())
        code = text.partition("sspr_enr_")[2].partition("<")[0]
        assert len(code) == 22
        for expected in ("sspr-agent enrol", "sspr-agent run", 'kind = "active_directory"'):
            assert expected in text
        with acme.inside():
            [row] = EnrolmentCode.objects.all()
        assert row.expires_at == clock.now + timedelta(minutes=15)
        for path in (row_page(connector, "code/"), row_page(connector), LIST):
            assert "sspr_enr_" not in desk.read(path)
        assert FieldAgent(clock).enrol(f"sspr_enr_{code}").status == 201
        assert FieldAgent(clock).enrol(f"sspr_enr_{code}").status == 403
        [made] = events(acme, "agent.code_made")
        assert made.actor_label == acme.carol.user_id
        assert "sspr_enr_" not in str(made.data)

    def test_looking_at_the_page_makes_none(
        self, acme: Acme, desk: ClockDesk, connector: Connector
    ) -> None:
        desk.read(row_page(connector, "code/"))
        with acme.inside():
            assert not EnrolmentCode.objects.exists()


class TestRemoving:
    def test_says_what_stops_and_takes_the_right_name_and_a_reason(
        self,
        acme: Acme,
        hybrid: Acme,
        desk: ClockDesk,
        connector: Connector,
        agent: FieldAgent,
        clock: Clock,
    ) -> None:
        path = row_page(connector, "remove/")
        text = desk.read(path)
        assert "passwords of 1 person can" in text
        assert "1 active agent will be turned away" in text
        wrong = desk.send(path, name="Branch", reason="closed")
        assert "This is not the name of the directory." in refusal(wrong)
        refusal(desk.send(path, name="Head office"))

        assert page(desk.send(path, name="Head office", reason="closed")) == LIST
        with acme.inside():
            for model in (Connector, Agent, DirectoryLink):
                assert not model.objects.exists()
        [removed] = events(acme, "connector.removed")
        assert (removed.reason, removed.data) == ("closed", {"connector": "Head office"})
        assert agent.beat().status == 401

    def test_waits_for_jobs_that_are_under_way(
        self, acme: Acme, hybrid: Acme, desk: ClockDesk, connector: Connector, clock: Clock
    ) -> None:
        with acme.inside():
            look_again(acme.bob, clock.now)
        path = row_page(connector, "remove/")
        answer = desk.send(path, name="Head office", reason="closed")
        assert "Jobs are under way" in refusal(answer)
        with acme.inside():
            WritebackJob.objects.update(state="done")
        assert page(desk.send(path, name="Head office", reason="closed")) == LIST


@pytest.mark.parametrize(
    ("roles", "may"),
    [
        (["hybrid_identity_administrator"], True),
        (["global_administrator"], True),
        (["user_administrator"], False),
        (["helpdesk_administrator"], False),
        (["authentication_policy_administrator"], False),
        (["security_reader"], False),
    ],
)
def test_only_some_connect_directories_and_everybody_may_look(
    acme: Acme, connector: Connector, clock: Clock, roles: list[str], may: bool
) -> None:
    desk = colleague(acme, clock, *roles)
    assert connector.name in desk.read(LIST)
    assert "Make a code for an agent, enrol it" in desk.read(row_page(connector))
    for path in (f"{LIST}add/", row_page(connector, "code/"), row_page(connector, "remove/")):
        assert desk.get(path).status_code == (200 if may else 403), path
        posted = desk.post(path, {"name": "x", "kind": "scim", "reason": "x"}).status_code
        assert (posted == 403) is not may, path
    changed = desk.post(row_page(connector), {"name": "y", "kind": "scim"})
    assert changed.status_code == (302 if may else 403)
