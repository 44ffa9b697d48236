"""The six states of a connection, each brought about by what happens to the real processes, and
what somebody hears who wants a new password meanwhile."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db.models import F

from tenants.heartbeat import SIGNER
from tenants.models import Heartbeat
from tests.lab.administrator import Administrator
from tests.lab.hybrid import AgentHome, Hybrid
from tests.lab.hybrid_fixtures import MakeHome
from tests.lab.seeds import Seed
from tests.services.command import CommandProcess
from writeback.health import Versions
from writeback.services import states

OLD_AGENT = """\
import sys
from writeback import agent
agent.VERSION = "0.0.9"
from writeback.agent.cli import main
sys.exit(main())
"""


@pytest.fixture
def seed(hybrid: Hybrid, administrator: Administrator) -> Seed:
    return hybrid.person(administrator)


def refused(hybrid: Hybrid, seed: Seed) -> str:
    """Why somebody is turned away who begins now; nothing was sent to them."""
    browser = hybrid.lab.browser()
    browser.start(hybrid.users[seed.name].user_id)
    assert browser.state == "refused"
    assert hybrid.lab.messages() == []
    return str(hybrid.lab.flow(browser).reason)


def begins(hybrid: Hybrid, seed: Seed) -> bool:
    browser = hybrid.lab.browser()
    browser.start(hybrid.users[seed.name].user_id)
    return bool(browser.state == "proving")


def test_healthy_until_the_agent_s_computer_sleeps_and_again_when_it_wakes(
    hybrid: Hybrid, make_home: MakeHome, seed: Seed
) -> None:
    agent = make_home()
    assert agent.process is not None
    agent.process.pause()
    hybrid.forget_agents_for(80)
    assert hybrid.state() == "disconnected"
    assert refused(hybrid, seed) == "SSPR_0030"
    agent.process.go_on()
    hybrid.wait_until_healthy()
    assert begins(hybrid, seed)


@contextmanager
def gone(signer: CommandProcess) -> Iterator[None]:
    """No signer meanwhile, and long enough to be missed."""
    signer.kill()
    try:
        beats = Heartbeat.objects.filter(name=SIGNER)
        assert beats.update(beat_at=F("beat_at") - timedelta(seconds=61)) == 1
        yield
    finally:
        signer.start("signing")


def test_a_signer_that_is_gone_is_a_fault_of_our_own(
    hybrid: Hybrid, make_home: MakeHome, signer: CommandProcess, seed: Seed
) -> None:
    make_home()
    with gone(signer):
        assert hybrid.state() == "service_fault"
        assert refused(hybrid, seed) == "SSPR_0030"
    hybrid.wait_until_healthy()
    assert begins(hybrid, seed)


def test_an_agent_that_the_directory_does_not_let_in_is_not_set_up(
    hybrid: Hybrid, make_home: MakeHome, seed: Seed
) -> None:
    agent = make_home(start=False)
    assert hybrid.state() == "not_configured"
    (agent.folder / "secret").write_text("not-its-password", encoding="utf-8")
    agent.start()
    hybrid.wait_for_trouble("account")
    assert hybrid.state() == "not_configured"
    assert refused(hybrid, seed) == "SSPR_0029"


def test_an_agent_of_an_old_version_works_and_its_state_says_so(
    hybrid: Hybrid, make_home: MakeHome, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_home()
    newer = Versions(reports=(0, 1, 0), recommended=(0, 2, 0))
    monkeypatch.setattr(states, "VERSIONS", newer)
    assert hybrid.state() == "healthy_outdated"
    assert begins(hybrid, seed)


def test_an_agent_too_old_to_say_how_it_is_is_asked_all_the_same(
    hybrid: Hybrid, make_home: MakeHome, seed: Seed
) -> None:
    agent: AgentHome = make_home(command=old_agent(), start=False)
    agent.start()
    hybrid.wait_for_state("unknown_outdated")
    assert begins(hybrid, seed)


def old_agent() -> list[str]:
    """The real agent, as it was released before."""
    return [sys.executable, "-c", OLD_AGENT]
