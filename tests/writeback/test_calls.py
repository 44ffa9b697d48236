"""Who may call as an agent: the key decides, and a call counts once (A-101, A-103, A-104)."""

import base64
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.cast import Acme, Beta
from tests.resets.visitor import Clock
from tests.writeback.field import (
    ADMIN,
    DONE,
    FieldAgent,
    Held,
    link,
    make_agent,
    make_connector,
    row_of,
    sign_what_waits,
)
from tests.writeback.orders import order
from writeback.models import Agent, AgentCall, Connector, WritebackJob
from writeback.reports import Report
from writeback.services import enrolment
from writeback.services.outcome import forget_calls


def test_every_answer_to_an_agent_is_signed_for_its_own_call(agent: FieldAgent) -> None:
    first, second = agent.beat(), agent.call("jobs/next", {"wait": 0})
    assert (first.status, first.signed) == (200, True)
    assert (second.status, second.signed) == (204, True)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"signature": base64.b64encode(bytes(64)).decode()}, "signature"),
        ({"signature": "no base64!"}, "signature"),
        ({"signature": ""}, "signature"),
        ({"sent_body": b'{"wait":1}'}, "signature"),
        ({"agent": ""}, "unknown"),
        ({"agent": "00000000-0000-4000-8000-000000000000"}, "unknown"),
        ({"agent": "not an id"}, "unknown"),
        ({"nonce": "short"}, "signature"),
        ({"nonce": "g" * 32}, "signature"),
    ],
)
def test_a_call_that_is_not_exactly_the_agents_is_nobodys(
    agent: FieldAgent, changed: dict[str, Any], fault: str
) -> None:
    reply = agent.call("jobs/next", {"wait": 0}, **changed)
    assert (reply.status, reply.body) == (401, {"error": fault})
    assert agent.call("jobs/next", {"wait": 0}).status == 204


@pytest.mark.parametrize(("seconds", "status"), [(-121, 401), (-120, 204), (120, 204), (121, 401)])
def test_a_clock_that_is_two_minutes_off_is_told_so(
    agent: FieldAgent, clock: Clock, seconds: int, status: int
) -> None:
    reply = agent.call("jobs/next", {"wait": 0}, time=clock.now + timedelta(seconds=seconds))
    assert reply.status == status
    assert reply.body == (None if status == 204 else {"error": "clock_skew"})


def test_a_call_that_was_overheard_is_not_answered_again(agent: FieldAgent) -> None:
    nonce = "0123456789abcdef" * 2
    assert agent.call("jobs/next", {"wait": 0}, nonce=nonce).status == 204
    again = agent.call("jobs/next", {"wait": 0}, nonce=nonce)
    assert (again.status, again.body) == (401, {"error": "replayed"})


def test_another_identity_does_not_speak_for_an_agent(
    acme: Acme, agent: FieldAgent, clock: Clock
) -> None:
    agent.identity = Ed25519PrivateKey.generate()
    assert agent.beat().body == {"error": "signature"}


def test_a_row_that_was_written_by_hand_is_no_agent(
    acme: Acme, agent: FieldAgent, connector: Connector, clock: Clock
) -> None:
    """Somebody who writes to the database puts an own identity into an agent's row."""
    agent.identity = Ed25519PrivateKey.generate()
    with acme.inside():
        public = agent.identity.public_key().public_bytes_raw()
        Agent.objects.filter(pk=agent.id).update(identity=public)
    assert agent.beat().body == {"error": "unknown"}


def test_an_agent_is_pending_until_the_words_were_compared(
    acme: Acme, connector: Connector, signer: None, clock: Clock
) -> None:
    newcomer = FieldAgent(clock)
    with acme.inside():
        code = enrolment.make_code(connector, ADMIN, clock.now)
    assert newcomer.enrol(code).status == 201
    reply = newcomer.beat()
    assert (reply.status, reply.body) == (403, {"error": "pending"})


def test_a_revoked_agent_is_refused_at_its_next_call_and_its_job_is_free(
    hybrid: Acme, agent: FieldAgent, connector: Connector, clock: Clock
) -> None:
    other = make_agent(hybrid, connector, clock)
    order(hybrid, hybrid.bob, clock.now)
    held = agent.take()
    assert held is not None
    with hybrid.inside():
        enrolment.revoke(UUID(agent.id), ADMIN, clock.now)
    assert agent.call("jobs/next", {"wait": 0}).body == {"error": "revoked"}
    assert agent.report(held, DONE).body == {"error": "revoked"}
    taken = other.take()
    assert taken is not None
    assert (taken.job.id, taken.fence) == (held.job.id, 2)


def test_an_agent_of_another_organisation_sees_and_ends_nothing(
    hybrid: Acme, beta: Beta, agent: FieldAgent, clock: Clock
) -> None:
    stranger = make_agent(beta, make_connector(beta), clock)
    order(hybrid, hybrid.bob, clock.now)
    assert stranger.take() is None
    held = agent.take()
    assert held is not None
    assert stranger.report(held, DONE).body == {"accepted": False}
    unknown = Held(held.job, held.fence, held.passwords)
    object.__setattr__(unknown.job, "id", UUID(agent.id))
    assert stranger.report(unknown, DONE).body == {"accepted": False}
    assert agent.report(held, DONE).status in {200, 409}


def test_an_agent_of_another_directory_gets_no_job_of_this_one(
    hybrid: Acme, agent: FieldAgent, clock: Clock
) -> None:
    elsewhere = make_agent(hybrid, make_connector(hybrid, "Branch"), clock)
    order(hybrid, hybrid.bob, clock.now)
    assert elsewhere.take() is None
    assert agent.take() is not None


def test_an_agent_calls_no_other_organisations_host(
    acme: Acme, beta: Beta, agent: FieldAgent
) -> None:
    from django.test import Client

    agent.client = Client(headers={"host": acme.host})
    assert agent.beat().status == 200
    agent.client = Client(headers={"host": beta.host})
    assert agent.beat().body == {"error": "unknown"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("jobs/next", b"no JSON"),
        ("jobs/next", b"[]"),
        ("jobs/next", b'{"wait":0,"tenant":"beta"}'),
        ("jobs/next", b'{"wait":0,"wait":1}'),
        ("jobs/next", b'{"wait":-1}'),
        ("jobs/next", b'{"wait":26}'),
        ("jobs/next", b'{"wait":true}'),
        ("jobs/next", b"[" * 5000),
        ("heartbeat", b"{}"),
        ("jobs/6f0f1c5e-0d5e-4a0e-9d7f-2f1c7d0c1b01/result", b'{"fence":1,"report":{}}'),
    ],
)
def test_a_body_that_is_none_is_refused_with_one_word(
    agent: FieldAgent, path: str, body: bytes
) -> None:
    reply = agent.call(path, body)
    assert (reply.status, reply.body) == (400, {"error": "body"})


@pytest.mark.parametrize(
    "changed",
    [
        {"keys": [{}]},
        {"keys": [{"key": "", "begins": 1, "ends": 2, "signature": ""}]},
        {"keys": ["x"] * 5},
        {"directory": {"state": "fine", "trouble": ""}},
        {"directory": {"state": "ok", "trouble": "<script>"}},
        {"directory": "ok"},
        {"journal": "lost"},
        {"version": "x" * 21},
        {"version": "a\nb"},
        {"rules": {"min_length": 8}},
        {"sequence": "1"},
        {"begun": "all"},
        {"begun": ["x"]},
        {"begun": [1]},
        {"begun": [str(UUID(int=n)) for n in range(201)]},
    ],
)
def test_a_heartbeat_says_what_is_known_and_nothing_else(
    agent: FieldAgent, changed: dict[str, Any]
) -> None:
    assert agent.beat(**changed).status == 400
    assert agent.beat().status == 200


def test_a_key_of_the_day_is_the_agents_own_and_for_a_day(
    acme: Acme, agent: FieldAgent, clock: Clock
) -> None:
    stranger = agent.offered()
    stranger["signature"] = base64.b64encode(bytes(64)).decode()
    assert agent.beat(keys=[stranger]).status == 400
    assert agent.beat(keys=[agent.offered(days=2)]).status == 400
    assert agent.beat(keys=[agent.offered()]).status == 200


def test_a_protocol_that_is_not_spoken_asks_for_an_upgrade(agent: FieldAgent) -> None:
    reply = agent.beat(protocol=2)
    assert (reply.status, reply.body) == (409, {"error": "upgrade_required"})


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"method": "GET"}, 405),
        ({"content_type": "text/plain"}, 415),
        ({"content_type": "application/x-www-form-urlencoded"}, 415),
        ({"sent_path": "/agent/v1/jobs/next/"}, 404),
        ({"sent_path": "/agent/v1/./jobs/next"}, 404),
        ({"sent_path": "/agent/v1//jobs/next"}, 404),
        ({"sent_path": "/agent/v1/jobs/next;x"}, 404),
        ({"sent_path": "/AGENT/v1/jobs/next"}, 404),
        ({"sent_path": "/agent/v1/jobs/next."}, 404),
    ],
)
def test_tricks_with_path_and_method_reach_nothing(
    acme: Acme, agent: FieldAgent, changed: dict[str, Any], status: int
) -> None:
    with acme.inside():
        before = AgentCall.objects.count()
    reply = agent.call("jobs/next", {"wait": 0}, **changed)
    assert reply.status in {status, 401}
    with acme.inside():
        assert AgentCall.objects.count() == before, "no call was answered"


@pytest.mark.parametrize(
    "path",
    [
        "/agent/v1/jobs/next",
        "/agent/v1/jobs%2Fnext",
        "/agent/v1/%6aobs/next",
        "/agent/v1/./jobs/next",
        "/agent/v1//jobs/next",
        "/agent/v1/jobs/next;x=y",
        "/agent/v1/enrol/../jobs/next",
        "/Agent/V1/jobs/next",
        "/agent/v1/jobs/next.",
        "/agent/v1/heartbeat",
        "/agent/v1/enrol",
        "/agent/v1/jobs/6f0f1c5e-0d5e-4a0e-9d7f-2f1c7d0c1b01/result",
    ],
)
def test_without_a_signature_no_way_of_writing_an_address_opens_it(
    acme: Acme, agent: FieldAgent, path: str
) -> None:
    reply = agent.call("jobs/next", {"wait": 0}, sent_path=path, signature="", agent=agent.id)
    assert reply.status in ({400, 401} if path.endswith("enrol") else {401, 404})
    with acme.inside():
        assert AgentCall.objects.filter(at=agent.clock.now).count() <= 1, "its enrolment's own"


def test_a_journal_that_was_put_back_is_not_called_sound(
    hybrid: Acme, agent: FieldAgent, clock: Clock
) -> None:
    order(hybrid, hybrid.bob, clock.now)
    held = agent.take()
    assert held is not None
    with hybrid.inside():
        # As a job of a journey, which its agent writes down.
        WritebackJob.objects.update(operation="reset_and_unlock", purpose="reset")
    assert agent.report(held, DONE).status == 200
    told = agent.beat(sequence=held.job.sequence - 1)
    assert told.body["seen_sequence"] == held.job.sequence
    assert not row_of(hybrid, agent).journal_sound
    agent.beat(sequence=held.job.sequence)
    assert row_of(hybrid, agent).journal_sound


@pytest.mark.parametrize(
    "report",
    [
        Report("failed", "outside_places"),
        Report("failed", "unreachable"),
        Report("succeeded", changed=True, reconciled=True),
    ],
)
def test_what_an_agent_did_not_write_down_is_not_asked_of_its_journal(
    hybrid: Acme, agent: FieldAgent, clock: Clock, report: Report
) -> None:
    """An agent that refuses a job, or finds it done by another, has no intent of it."""
    order(hybrid, hybrid.bob, clock.now)
    agent.do(report)

    assert agent.beat(sequence=0).body["seen_sequence"] == 0
    assert row_of(hybrid, agent).journal_sound


def test_what_calls_left_behind_is_removed(acme: Acme, agent: FieldAgent, clock: Clock) -> None:
    assert forget_calls(clock.now) == 0
    assert forget_calls(clock.now + timedelta(minutes=11)) > 0
    with acme.inside():
        assert AgentCall.objects.count() == 0
    assert agent.beat().status == 200


class TestEnrolment:
    """A code lets one agent in, once, for 15 minutes, into its own organisation (A-102)."""

    @pytest.fixture
    def code(self, acme: Acme, connector: Connector, signer: None, clock: Clock) -> str:
        with acme.inside():
            return enrolment.make_code(connector, ADMIN, clock.now)

    def agents(self, acme: Acme) -> int:
        with acme.inside():
            return Agent.objects.count()

    def test_the_newcomer_is_told_whom_to_believe(
        self, acme: Acme, connector: Connector, code: str, clock: Clock
    ) -> None:
        newcomer = FieldAgent(clock)
        reply = newcomer.enrol(code)
        assert reply.status == 201
        assert (reply.body["tenant"], reply.body["group"]) == (str(acme.id), str(connector.pk))
        assert len(reply.body["words"]) == 6
        assert list(reply.body["signers"].values()) != []

    def test_a_code_is_used_once(self, acme: Acme, code: str, clock: Clock) -> None:
        assert FieldAgent(clock).enrol(code).status == 201
        again = FieldAgent(clock).enrol(code)
        assert (again.status, again.body) == (403, {"error": "code"})
        assert self.agents(acme) == 1

    @pytest.mark.parametrize(("seconds", "status"), [(899, 201), (900, 403)])
    def test_a_code_is_good_for_15_minutes(
        self, code: str, clock: Clock, seconds: int, status: int
    ) -> None:
        clock.shift(seconds=seconds)
        assert FieldAgent(clock).enrol(code).status == status

    @pytest.mark.parametrize("wrong", ["sspr_enr_AAAAAAAAAAAAAAAAAAAAAA", "x"])
    def test_a_wrong_code_lets_nobody_in(
        self, acme: Acme, code: str, clock: Clock, wrong: str
    ) -> None:
        assert FieldAgent(clock).enrol(wrong).status == 403
        assert self.agents(acme) == 0

    def test_whoever_uses_a_code_has_to_hold_the_identity(
        self, acme: Acme, code: str, clock: Clock
    ) -> None:
        newcomer = FieldAgent(clock)
        other = base64.b64encode(Ed25519PrivateKey.generate().public_key().public_bytes_raw())
        assert newcomer.enrol(code, identity=other.decode()).status == 401
        assert self.agents(acme) == 0

    def test_guessing_codes_is_limited(self, acme: Acme, code: str, clock: Clock) -> None:
        newcomer = FieldAgent(clock)
        replies = [newcomer.enrol(f"sspr_enr_{number:022d}").status for number in range(21)]
        assert replies == [403] * 20 + [429]
        assert newcomer.enrol(code).status == 429

    def test_confirming_and_revoking_happen_once(self, acme: Acme, code: str, clock: Clock) -> None:
        newcomer = FieldAgent(clock)
        newcomer.enrol(code)
        with acme.inside():
            enrolment.confirm(UUID(newcomer.id), ADMIN, clock.now)
            with pytest.raises(enrolment.WrongState):
                enrolment.confirm(UUID(newcomer.id), ADMIN, clock.now)
            enrolment.revoke(UUID(newcomer.id), ADMIN, clock.now)
            with pytest.raises(enrolment.WrongState):
                enrolment.revoke(UUID(newcomer.id), ADMIN, clock.now)
            with pytest.raises(enrolment.WrongState):
                enrolment.confirm(UUID(newcomer.id), ADMIN, clock.now)
            with pytest.raises(enrolment.WrongState):
                enrolment.revoke(acme.id, ADMIN, clock.now)


def test_a_link_to_somebody_in_another_directory_is_not_followed(
    hybrid: Acme, agent: FieldAgent, clock: Clock
) -> None:
    link(hybrid, hybrid.alice, make_connector(hybrid, "Branch"), "alice")
    order(hybrid, hybrid.alice, clock.now)
    sign_what_waits(clock.now)
    assert agent.take() is None


def test_the_body_of_a_call_is_limited(agent: FieldAgent) -> None:
    assert agent.call("jobs/next", json.dumps({"wait": "x" * 70_000}).encode()).status == 413
