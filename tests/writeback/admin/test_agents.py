"""Agents on the administration site: let in after their words were compared, and put out."""

from uuid import UUID

import pytest

from tests.cast import Acme
from tests.resets.visitor import Clock
from tests.writeback.admin.desk import ClockDesk, colleague, events, page, refusal
from tests.writeback.field import ADMIN, FieldAgent, row_of
from writeback.models import Agent, Connector
from writeback.services import enrolment
from writeback.words import fingerprint

pytestmark = pytest.mark.django_db
LIST = "writeback/agent/"


@pytest.fixture
def newcomer(acme: Acme, connector: Connector, signer: None, clock: Clock) -> FieldAgent:
    """Enrolled, and not confirmed yet."""
    return enrolled(acme, connector, clock)


def enrolled(acme: Acme, connector: Connector, clock: Clock) -> FieldAgent:
    agent = FieldAgent(clock)
    with acme.inside():
        code = enrolment.make_code(connector, ADMIN, clock.now)
    assert agent.enrol(code).status == 201
    return agent


def row_page(agent: FieldAgent, more: str = "change/") -> str:
    return f"{LIST}{agent.id}/{more}"


def words_of(agent: FieldAgent) -> tuple[str, ...]:
    """What stands on the agent's own screen."""
    return tuple(agent.told["words"])


def test_an_agent_is_confirmed_with_the_two_words_that_only_its_screen_shows(
    acme: Acme, desk: ClockDesk, newcomer: FieldAgent
) -> None:
    words = words_of(newcomer)
    assert len(words) == 6
    for path in (LIST, row_page(newcomer), row_page(newcomer, "confirm/")):
        assert f"{words[0]} {words[1]}" not in desk.read(path)
    assert " ".join(words[2:]) in desk.read(row_page(newcomer))
    assert " ".join(words[2:]) in desk.read(row_page(newcomer, "confirm/"))
    assert newcomer.beat().status == 403

    typed = f"  {words[0].upper()}   {words[1]} "
    answer = desk.send(row_page(newcomer, "confirm/"), words=typed)
    assert page(answer) == row_page(newcomer)
    assert newcomer.beat().status == 200
    assert " ".join(words) in desk.read(row_page(newcomer))
    [event] = events(acme, "agent.confirmed")
    assert (event.actor_label, event.data["agent"]) == (acme.carol.user_id, "dc-proxy")


@pytest.mark.parametrize("which", ["none", "the last ones", "of another agent", "too many"])
def test_other_words_confirm_nobody(
    acme: Acme,
    connector: Connector,
    desk: ClockDesk,
    newcomer: FieldAgent,
    clock: Clock,
    which: str,
) -> None:
    words = words_of(newcomer)
    typed = {
        "none": "",
        "the last ones": " ".join(words[2:4]),
        "of another agent": " ".join(words_of(enrolled(acme, connector, clock))[:2]),
        "too many": " ".join(words[:3]),
    }[which]
    text = refusal(desk.send(row_page(newcomer, "confirm/"), words=typed))
    assert ("not the first two words of this agent" in text) is bool(typed)
    assert row_of(acme, newcomer).state == Agent.State.PENDING
    assert newcomer.beat().status == 403
    assert events(acme, "agent.confirmed") == []


def test_a_directory_takes_no_more_agents_than_it_may(
    acme: Acme, desk: ClockDesk, newcomer: FieldAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrolment, "MAX_AGENTS", 0)
    words = " ".join(words_of(newcomer)[:2])
    assert "can&#x27;t be confirmed" in refusal(
        desk.send(row_page(newcomer, "confirm/"), words=words)
    )


def test_a_revoked_agent_is_out_at_once_and_for_good(
    acme: Acme, desk: ClockDesk, agent: FieldAgent
) -> None:
    refusal(desk.send(row_page(agent, "revoke/")))
    assert agent.beat().status == 200

    answer = desk.send(row_page(agent, "revoke/"), reason="the computer was stolen")
    assert page(answer) == row_page(agent)
    assert (agent.beat().status, agent.beat().body) == (401, {"error": "revoked"})
    [event] = events(acme, "agent.revoked")
    assert (event.reason, event.actor_label) == ("the computer was stolen", acme.carol.user_id)
    for key in ("confirm", "revoke"):
        assert desk.get(row_page(agent, f"{key}/")).status_code == 404
        assert desk.post(row_page(agent, f"{key}/"), {"reason": "x"}).status_code == 404
    assert "revoked" in desk.read(LIST)


def test_a_newcomer_can_be_turned_away(acme: Acme, desk: ClockDesk, newcomer: FieldAgent) -> None:
    desk.send(row_page(newcomer, "revoke/"), reason="nobody of ours")
    assert row_of(acme, newcomer).state == Agent.State.REVOKED


def test_of_two_who_revoke_at_once_one_is_told_so(
    acme: Acme, desk: ClockDesk, agent: FieldAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*args: object) -> None:
        raise enrolment.WrongState

    monkeypatch.setattr("writeback.admin.forms.revoke", late)
    answer = desk.send(row_page(agent, "revoke/"), reason="gone")
    assert "was revoked already" in refusal(answer)


def test_nobody_adds_an_agent_by_hand(desk: ClockDesk, agent: FieldAgent) -> None:
    assert desk.get(f"{LIST}add/").status_code == 403
    assert desk.post(row_page(agent), {"name": "x", "state": "active"}).status_code == 403


@pytest.mark.parametrize("key", ["confirm", "revoke"])
@pytest.mark.parametrize("role", ["user_administrator", "helpdesk_administrator", "global_reader"])
def test_whoever_may_only_look_lets_nobody_in_or_out(
    acme: Acme, clock: Clock, newcomer: FieldAgent, key: str, role: str
) -> None:
    desk = colleague(acme, clock, role)
    assert "dc-proxy" in desk.read(row_page(newcomer))
    words = " ".join(words_of(newcomer)[:2])
    fields = {"words": words, "reason": "x"}
    assert desk.get(row_page(newcomer, f"{key}/")).status_code == 403
    assert desk.post(row_page(newcomer, f"{key}/"), fields).status_code == 403
    assert row_of(acme, newcomer).state == Agent.State.PENDING


def test_the_words_are_of_the_key_that_the_product_knows(acme: Acme, newcomer: FieldAgent) -> None:
    with acme.inside():
        row = Agent.objects.get(pk=UUID(newcomer.id))
    assert fingerprint(bytes(row.identity)) == words_of(newcomer)
