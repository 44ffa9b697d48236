"""A reset from the portal to a real domain controller, by a real agent: what is told is true."""

from pathlib import Path

import pytest

from tests.lab.administrator import Administrator
from tests.lab.hybrid import AgentHome, Hybrid
from tests.lab.hybrid_fixtures import MakeHome
from tests.lab.samba_dc import SambaDc
from tests.lab.seeds import POWERLESS, RESETS_ONLY, Mark, Seed
from tests.resets.walks import set_policy
from tests.security.lab.client import Browser

NEW = "Quiet-Harbour 7 Lanterns"


@pytest.fixture
def agent(make_home: MakeHome) -> AgentHome:
    return make_home()


def reset(hybrid: Hybrid, seed: Seed, password: str = NEW) -> Browser:
    browser = hybrid.submitted(seed, password)
    hybrid.settled(browser)
    return browser


def test_the_new_password_opens_the_domain_and_the_old_one_does_not(
    hybrid: Hybrid, agent: AgentHome, administrator: Administrator, dc: SambaDc
) -> None:
    seed = hybrid.person(administrator)
    browser = reset(hybrid, seed)
    assert browser.state == "done"
    assert administrator.sign_in(seed.login, NEW) == "ok"
    assert dc.kinit(seed.login, NEW).granted
    assert not dc.kinit(seed.login, seed.password).granted


def test_a_locked_account_is_unlocked_with_its_reset(
    hybrid: Hybrid, agent: AgentHome, administrator: Administrator
) -> None:
    seed = hybrid.person(administrator)
    administrator.lock(seed)
    assert reset(hybrid, seed).state == "done"
    assert administrator.sign_in(seed.login, NEW) == "ok"


def test_a_locked_account_is_unlocked_and_keeps_its_password(
    hybrid: Hybrid, agent: AgentHome, administrator: Administrator
) -> None:
    set_policy(hybrid.acme, unlock_without_reset=True)
    seed = hybrid.person(administrator)
    administrator.lock(seed)
    browser = hybrid.proved(hybrid.users[seed.name])
    assert browser.state == "proved"
    browser.operation("unlock")
    assert hybrid.settled(browser) == "done"
    assert "Your account is unlocked" in browser.status().text
    assert administrator.sign_in(seed.login, seed.password) == "ok"


def test_somebody_who_had_to_change_does_not_have_to_any_more(
    hybrid: Hybrid, agent: AgentHome, administrator: Administrator
) -> None:
    seed = hybrid.person(administrator, "must_change")
    assert reset(hybrid, seed).state == "done"
    assert administrator.sign_in(seed.login, NEW) == "ok"


@pytest.mark.parametrize(
    ("marks", "unit", "words"),
    [
        (("disabled",), "Staff", "disabled in your organisation"),
        (("protected",), "Staff", "This account is protected"),
        (("account_expired",), "Staff", "expired in your organisation"),
        ((), "Outside", "can&#x27;t be changed here"),
    ],
)
def test_whom_the_agent_may_not_touch_is_told_so_and_nothing_changes(
    hybrid: Hybrid,
    agent: AgentHome,
    administrator: Administrator,
    marks: tuple[Mark, ...],
    unit: str,
    words: str,
) -> None:
    seed = hybrid.person(administrator, *marks, unit=unit)
    before = administrator.last_set(seed)
    browser = reset(hybrid, seed)
    assert browser.state == "failed"
    assert words in browser.status().text
    assert administrator.last_set(seed) == before


def test_an_account_without_the_right_is_told_as_such(
    hybrid: Hybrid, make_home: MakeHome, administrator: Administrator
) -> None:
    make_home(POWERLESS)
    seed = hybrid.person(administrator)
    browser = reset(hybrid, seed)
    assert browser.state == "failed"
    assert "can&#x27;t be changed here" in browser.status().text
    assert administrator.sign_in(seed.login, seed.password) == "ok"


def test_a_password_that_is_set_while_the_lock_stays_is_told_as_both(
    hybrid: Hybrid, make_home: MakeHome, administrator: Administrator
) -> None:
    make_home(RESETS_ONLY)
    seed = hybrid.person(administrator)
    administrator.lock(seed)
    browser = reset(hybrid, seed)
    assert browser.state == "done"
    assert "still locked" in browser.status().text
    assert administrator.sign_in(seed.login, NEW) == "775"


def test_a_password_that_is_too_short_leads_back_and_the_next_one_holds(
    hybrid: Hybrid, agent: AgentHome, administrator: Administrator
) -> None:
    seed = hybrid.person(administrator)
    browser = hybrid.choosing(hybrid.users[seed.name])
    browser.submit("Short-1x")
    assert hybrid.settled(browser) == "choosing"
    assert "does not accept this password" in browser.status().text
    assert administrator.sign_in(seed.login, seed.password) == "ok"
    browser.submit(NEW)
    assert hybrid.settled(browser) == "done"
    assert administrator.sign_in(seed.login, NEW) == "ok"


def test_the_domains_own_rules_are_shown_before_the_password_is_typed(
    hybrid: Hybrid, agent: AgentHome, administrator: Administrator
) -> None:
    seed = hybrid.person(administrator)
    browser = hybrid.choosing(hybrid.users[seed.name])

    def shown() -> str:
        return "yes" if "Use 10 characters or more" in browser.status().text else "no"

    assert hybrid.until(shown, "no") == "yes"


STRANGE = [
    " Two spaces at both ends, 1 ",
    "Emoji \U0001f9ff and combining e\u0301 n\u0303",
    "\"; calc & $(id) %0a ' \\ <x> {{7*7}} %s",
    "L" + "ong-7" * 25 + "!",
]


@pytest.mark.parametrize("password", STRANGE)
def test_a_password_arrives_exactly_as_it_was_typed(
    hybrid: Hybrid, agent: AgentHome, administrator: Administrator, password: str
) -> None:
    seed = hybrid.person(administrator)
    assert reset(hybrid, seed, password).state == "done"
    assert administrator.sign_in(seed.login, password) == "ok"
    assert administrator.sign_in(seed.login, password.strip() + "x") != "ok"


def test_an_agent_starts_no_process_for_a_password(
    hybrid: Hybrid, agent: AgentHome, administrator: Administrator
) -> None:
    assert agent.process is not None
    tasks = Path(f"/proc/{agent.process.pid}/task")
    seed = hybrid.person(administrator)
    browser = hybrid.submitted(seed, STRANGE[2])
    children = "".join((task / "children").read_text() for task in tasks.iterdir() if task.exists())
    assert hybrid.settled(browser) == "done"
    children += "".join((task / "children").read_text() for task in tasks.iterdir())
    assert children == ""
