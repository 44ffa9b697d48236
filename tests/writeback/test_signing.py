"""What the signer signs, and that nothing made with SQL alone is among it (R-21, A-105, A-106)."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from resets.models import Flow, Gate
from tenants.models import ResetPolicy
from tests.cast import Acme
from tests.resets.conftest import Post
from tests.resets.visitor import Clock, Visitor, trail
from tests.resets.walks import gates_of, pass_app, set_policy, to_password
from tests.writeback.field import (
    DONE,
    SIGNER,
    FieldAgent,
    link,
    sign_what_waits,
)
from tests.writeback.orders import order
from writeback.jobs import State
from writeback.models import (
    Agent,
    AgentKey,
    Connector,
    DirectoryLink,
    JobEnvelope,
    WritebackJob,
)
from writeback.protocol import Passwords, key_id, seal_job, sign_job
from writeback.sealing import as_told, find_recipients
from writeback.services import signing


def jobs(organisation: Acme) -> list[WritebackJob]:
    with organisation.inside():
        return list(WritebackJob.objects.order_by("created_at"))


def causes(organisation: Acme) -> list[str]:
    """Why jobs were not signed, as administrators read it."""
    return [event.reason for event in trail(organisation, type="writeback.not_signed")]


def test_a_job_of_a_finished_journey_is_signed_once(
    hybrid: Acme, visitor: Visitor, agent: FieldAgent, post: Post, clock: Clock
) -> None:
    to_password(visitor, hybrid.bob, post)
    visitor.fill(new_password="Quiet-Harbour 7 Lanterns")
    assert sign_what_waits(clock.now) == 2, "the look at the rules, and the reset"
    assert sign_what_waits(clock.now) == 0
    assert {job.state for job in jobs(hybrid)} == {State.READY}
    assert causes(hybrid) == []


class TestAWriterOfTheDatabase:
    """Holds every row and no key."""

    @pytest.fixture
    def written(
        self, hybrid: Acme, visitor: Visitor, agent: FieldAgent, post: Post, clock: Clock
    ) -> Acme:
        """Bob sent a new password; the signer did not come yet."""
        to_password(visitor, hybrid.bob, post)
        sign_what_waits(clock.now)
        visitor.fill(new_password="Quiet-Harbour 7 Lanterns")
        return hybrid

    def resets(self, acme: Acme) -> WritebackJob:
        with acme.inside():
            found: WritebackJob = WritebackJob.objects.get(purpose="reset")
            return found

    def refused(self, acme: Acme, agent: FieldAgent, clock: Clock, cause: str) -> None:
        sign_what_waits(clock.now)
        held = agent.take()
        while held is not None and held.job.operation == "describe":
            held = agent.take()
        assert held is None
        assert causes(acme) == [cause]

    def test_seals_another_password_to_the_agents_public_key(
        self, written: Acme, agent: FieldAgent, clock: Clock
    ) -> None:
        """Anybody can encrypt to a public key."""
        with written.inside():
            job = self.resets(written)
            envelope = JobEnvelope.objects.get(job=job)
            told = as_told(job, key_id(agent.key.public_key()))
            envelope.sealed = seal_job(
                told, Passwords(new="Attacker 1 chose this"), agent.key.public_key()
            )
            envelope.save()
        self.refused(written, agent, clock, "seal")

    def test_makes_a_whole_job_of_their_own(
        self, written: Acme, agent: FieldAgent, clock: Clock
    ) -> None:
        with written.inside():
            job = self.resets(written)
            JobEnvelope.objects.filter(job=job).delete()
            job.pk, job._state.adding = uuid4(), True
            job.attempt = 2
            job.save()
            Flow.objects.update(attempts=2)
            told = as_told(job, key_id(agent.key.public_key()))
            sealed = seal_job(told, Passwords(new="Attacker 1 chose this"), agent.key.public_key())
            JobEnvelope.objects.create(
                job=job, agent_id=agent.id, text=told.text(), sealed=sealed, seal=bytes(32)
            )
            WritebackJob.objects.filter(attempt=1).delete()
        self.refused(written, agent, clock, "seal")

    def test_signs_it_with_a_key_of_their_own(
        self, written: Acme, agent: FieldAgent, clock: Clock
    ) -> None:
        """The agent pinned the signer's key when it was enrolled."""
        from writeback.protocol import Refused

        with written.inside():
            job = self.resets(written)
            WritebackJob.objects.exclude(pk=job.pk).delete()
            envelope = JobEnvelope.objects.get(job=job)
            own = Ed25519PrivateKey.generate()
            envelope.signed = sign_job(bytes(envelope.text), bytes(envelope.sealed), own)
            envelope.save()
            job.state = State.READY
            job.save()
        with pytest.raises(Refused, match="unknown_signer"):
            agent.take()

    def test_moves_what_was_sealed_for_one_person_into_another_ones_job(
        self, written: Acme, agent: FieldAgent, connector: Connector, clock: Clock
    ) -> None:
        link(written, written.alice, connector, "alice-anchor")
        with written.inside():
            WritebackJob.objects.filter(purpose="reset").update(
                anchor="alice-anchor", user=written.alice
            )
        self.refused(written, agent, clock, "text")

    def test_turns_the_job_into_another_operation(
        self, written: Acme, agent: FieldAgent, clock: Clock
    ) -> None:
        with written.inside():
            WritebackJob.objects.filter(purpose="reset").update(must_change=True)
        self.refused(written, agent, clock, "text")

    def test_calls_a_reset_something_that_needs_no_proof(
        self, written: Acme, agent: FieldAgent, clock: Clock
    ) -> None:
        with written.inside():
            WritebackJob.objects.filter(purpose="reset").update(purpose="sign_in")
        self.refused(written, agent, clock, "evidence")

    def test_takes_the_gates_away_that_it_rests_on(
        self, written: Acme, agent: FieldAgent, clock: Clock
    ) -> None:
        with written.inside():
            Gate.objects.filter(step=2).delete()
            Flow.objects.update(gates_required=1)
        self.refused(written, agent, clock, "evidence")

    def test_makes_the_rules_easier(self, written: Acme, agent: FieldAgent, clock: Clock) -> None:
        with written.inside():
            ResetPolicy.objects.update(methods_required=1)
        self.refused(written, agent, clock, "evidence")

    def test_marks_gates_as_passed(self, written: Acme, agent: FieldAgent, clock: Clock) -> None:
        with written.inside():
            Gate.objects.filter(step=2).update(evidence="made by hand")
        self.refused(written, agent, clock, "evidence")

    def test_makes_somebody_elses_account_their_own(
        self, written: Acme, agent: FieldAgent, clock: Clock
    ) -> None:
        """Bob proved who he is, and would like to reset the director."""
        with written.inside():
            DirectoryLink.objects.update(anchor="director")
            WritebackJob.objects.filter(purpose="reset").update(anchor="director")
        self.refused(written, agent, clock, "text")

    def test_keeps_a_job_until_it_suits(
        self, written: Acme, agent: FieldAgent, clock: Clock
    ) -> None:
        clock.shift(seconds=61)
        self.refused(written, agent, clock, "too_old")

    def test_gives_a_job_a_longer_life(
        self, written: Acme, agent: FieldAgent, clock: Clock
    ) -> None:
        with written.inside():
            WritebackJob.objects.update(expires_at=clock.now + timedelta(hours=9))
        self.refused(written, agent, clock, "lifetime")


def test_gates_that_were_made_with_sql_open_nothing(
    hybrid: Acme, visitor: Visitor, agent: FieldAgent, clock: Clock
) -> None:
    """A-105 (b): a journey begun for somebody, its gates done by hand."""
    visitor.start(hybrid.bob.user_id)
    pass_app(visitor, hybrid.bob)
    [gate] = gates_of(hybrid, visitor)
    with hybrid.inside():
        challenge = gate.challenge
        challenge.pk, challenge._state.adding, challenge.step = uuid4(), True, 2
        challenge.save()
        gate.pk, gate._state.adding = uuid4(), True
        gate.challenge, gate.step, gate.method = challenge, 2, "email"
        gate.anchor = bytes(32)
        gate.save()
        Flow.objects.update(state="choosing")
    page = visitor.post(
        f"/reset/{visitor.flow}/submit/", {"new_password": "Quiet-Harbour 7 Lanterns"}
    )
    assert page.state != "writing"
    assert [job.purpose for job in jobs(hybrid)] in ([], ["describe"])


class TestKeysOfTheDay:
    """A password is sealed to nobody but a confirmed agent with its own key."""

    def recipients(self, acme: Acme, connector: Connector, clock: Clock) -> list[UUID]:
        with acme.inside():
            return [found.pk for found, _ in find_recipients(connector.pk, clock.now)]

    def test_a_confirmed_agent_with_its_key_is_sealed_to(
        self, acme: Acme, connector: Connector, agent: FieldAgent, clock: Clock
    ) -> None:
        assert self.recipients(acme, connector, clock) == [UUID(agent.id)]

    def test_a_key_that_was_put_in_its_place_is_not(
        self, acme: Acme, connector: Connector, agent: FieldAgent, clock: Clock
    ) -> None:
        mine = X25519PrivateKey.generate().public_key().public_bytes_raw()
        with acme.inside():
            AgentKey.objects.update(key=mine)
        assert self.recipients(acme, connector, clock) == []

    def test_an_agent_that_was_confirmed_with_sql_is_not(
        self, acme: Acme, connector: Connector, agent: FieldAgent, clock: Clock
    ) -> None:
        with acme.inside():
            Agent.objects.update(connector=make_other(acme))
        assert self.recipients(acme, connector, clock) == []

    def test_an_old_key_is_not(
        self, acme: Acme, connector: Connector, agent: FieldAgent, clock: Clock
    ) -> None:
        clock.shift(days=1)
        assert self.recipients(acme, connector, clock) == []


def make_other(acme: Acme) -> Any:
    made: Any = Connector.objects.create(name="Other", kind="openldap")
    assert acme.id == made.tenant_id
    return made


def test_two_signers_at_once_sign_a_job_once(hybrid: Acme, agent: FieldAgent, clock: Clock) -> None:
    order(hybrid, hybrid.bob, clock.now, signed=False)
    assert signing.drain(SIGNER, clock.now) == 1
    assert signing.drain(SIGNER, clock.now) == 0
    held = agent.do(DONE)
    assert held.job.operation == "verify"


def test_a_journey_that_was_refused_a_signature_says_that_nothing_was_changed(
    hybrid: Acme, visitor: Visitor, agent: FieldAgent, post: Post, clock: Clock
) -> None:
    to_password(visitor, hybrid.bob, post)
    visitor.fill(new_password="Quiet-Harbour 7 Lanterns")
    with hybrid.inside():
        Gate.objects.update(evidence="changed since")
    sign_what_waits(clock.now)
    page = visitor.get(f"/reset/{visitor.flow}/")
    assert page.state == "failed"
    assert "Your password is the same as before" in page.text


def test_a_policy_that_asks_for_one_proof_is_signed_with_one(
    hybrid: Acme, visitor: Visitor, agent: FieldAgent, post: Post, clock: Clock
) -> None:
    set_policy(hybrid, methods_required=1)
    visitor.start(hybrid.bob.user_id)
    pass_app(visitor, hybrid.bob)
    visitor.fill(new_password="Quiet-Harbour 7 Lanterns")
    sign_what_waits(clock.now)
    assert causes(hybrid) == []
