"""The same journey with OpenLDAP and its password policy behind an agent."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.lab.hybrid import AgentHome, Hybrid, cloud_address, source_command, write_config
from tests.lab.slapd import (
    ACCOUNT_PASSWORD,
    BASE,
    DEFAULT_POLICY,
    FIRST_PASSWORD,
    PEOPLE,
    WRITEBACK,
    Slapd,
    anchor,
)
from tests.lab.tcp_proxy import TcpProxy
from tests.resets.walks import set_policy
from tests.security.lab.client import Browser

NEW = "Quiet-Harbour 7 Lanterns"


@pytest.fixture
def agent(hybrid: Hybrid, slapd: Slapd, cloud: TcpProxy, tmp_path: Path) -> AgentHome:
    """An agent of the OpenLDAP server, at work."""
    home = AgentHome(tmp_path / "agent", source_command())
    settings = {
        "servers": [f"127.0.0.1:{slapd.port}"],
        "base": BASE,
        "account": WRITEBACK,
        "default_policy": DEFAULT_POLICY,
        "ca_file": str(slapd.authority.file),
    }
    write_config(
        home.folder,
        cloud_address(cloud),
        settings,
        secret=ACCOUNT_PASSWORD,
        kind="openldap",
        places=[PEOPLE],
    )
    hybrid.homes.append(home)
    hybrid.enrol(home)
    home.start()
    hybrid.wait_until_healthy()
    return home


@pytest.fixture
def somebody(hybrid: Hybrid, slapd: Slapd, person: str) -> str:
    """Somebody of the directory who is known to the product too, by the same name."""
    hybrid.users[person] = hybrid.add_person(person, anchor(person))
    return person


def opens(slapd: Slapd, login: str, password: str) -> bool:
    """Whether OpenLDAP's own client signs this person in."""
    done = subprocess.run(
        [
            "ldapwhoami",
            "-x",
            "-H",
            f"ldaps://127.0.0.1:{slapd.port}",
            "-D",
            f"uid={login},{PEOPLE}",
            "-y",
            "/dev/stdin",
        ],
        input=password.encode(),
        env={"PATH": os.environ["PATH"], "LDAPTLS_CACERT": str(slapd.authority.file)},
        capture_output=True,
        timeout=30,
        check=False,
    )
    return done.returncode == 0


def reset(hybrid: Hybrid, login: str, password: str = NEW) -> Browser:
    browser = hybrid.choosing(hybrid.users[login])
    browser.submit(password)
    hybrid.settled(browser)
    return browser


def test_the_new_password_opens_the_directory_and_the_old_one_does_not(
    hybrid: Hybrid, agent: AgentHome, slapd: Slapd, somebody: str
) -> None:
    assert reset(hybrid, somebody).state == "done"
    assert opens(slapd, somebody, NEW)
    assert not opens(slapd, somebody, FIRST_PASSWORD)


def test_a_locked_account_is_unlocked_and_keeps_its_password(
    hybrid: Hybrid, agent: AgentHome, slapd: Slapd, somebody: str
) -> None:
    set_policy(hybrid.acme, unlock_without_reset=True)
    for _ in range(3):
        assert not opens(slapd, somebody, "a wrong one")
    assert not opens(slapd, somebody, FIRST_PASSWORD)
    browser = hybrid.proved(hybrid.users[somebody])
    browser.operation("unlock")
    assert hybrid.settled(browser) == "done"
    assert opens(slapd, somebody, FIRST_PASSWORD)


def test_rules_and_history_lead_back_to_choosing(
    hybrid: Hybrid, agent: AgentHome, slapd: Slapd, somebody: str
) -> None:
    browser = hybrid.choosing(hybrid.users[somebody])
    for refused in ("Short-1", FIRST_PASSWORD):
        browser.submit(refused)
        assert hybrid.settled(browser) == "choosing"
        assert "does not accept this password" in browser.status().text
    browser.submit(NEW)
    assert hybrid.settled(browser) == "done"
    assert opens(slapd, somebody, NEW)
