"""The agent as it is installed, in an environment without Django, against the running product."""

import os
import socket
import subprocess
from pathlib import Path

from tests.lab.administrator import Administrator
from tests.lab.hybrid import Hybrid
from tests.lab.hybrid_fixtures import MakeHome
from tests.lab.samba_dc import SambaDc
from tests.writeback.agent.installed import installed_fixture, wheel_fixture  # noqa: F401

NEW = "Quiet-Harbour 7 Lanterns"


def listens(pid: int) -> bool:
    """Whether this process waits for anybody to connect."""
    shown = subprocess.run(["ss", "-ltnpH"], capture_output=True, text=True, check=True).stdout
    return f"pid={pid}," in shown


def test_the_wheel_walks_the_journey_and_listens_on_nothing(
    hybrid: Hybrid,
    make_home: MakeHome,
    installed: Path,
    administrator: Administrator,
    dc: SambaDc,
) -> None:
    home = make_home(command=[str(installed / "bin" / "sspr-agent")])
    assert "Compare these six words" in home.words
    seed = hybrid.person(administrator)
    browser = hybrid.submitted(seed, NEW)
    assert hybrid.settled(browser) == "done"
    assert dc.kinit(seed.login, NEW).granted
    assert not dc.kinit(seed.login, seed.password).granted
    assert home.process is not None
    assert not listens(home.process.pid)


def test_what_listens_is_seen() -> None:
    """The look at a listening process finds one, so that finding none means something."""
    with socket.create_server(("127.0.0.1", 0)):
        assert listens(os.getpid())


def test_a_stopped_agent_is_missed_and_welcome_back(
    hybrid: Hybrid, make_home: MakeHome, administrator: Administrator
) -> None:
    """The states of the connection by killing and pausing what is really there."""
    home = make_home()
    assert hybrid.state() == "healthy"
    home.kill()
    hybrid.forget_agents_for(80)
    assert hybrid.state() == "disconnected"
    seed = hybrid.person(administrator)
    browser = hybrid.lab.browser()
    browser.start(hybrid.users[seed.name].user_id)
    assert (browser.state, hybrid.lab.flow(browser).reason) == ("refused", "SSPR_0030")
    home.start()
    hybrid.wait_until_healthy()
    assert home.process is not None
    home.process.pause()
    hybrid.forget_agents_for(80)
    assert hybrid.state() == "disconnected"
    home.process.go_on()
    hybrid.wait_until_healthy()
