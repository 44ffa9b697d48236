"""Everything that can fail between a person and a domain: what is told stays true (F-05…F-31)."""

import resource

import pytest

from tests.lab.administrator import Administrator
from tests.lab.hybrid import AgentHome, Hybrid
from tests.lab.hybrid_fixtures import MakeHome
from tests.lab.seeds import Seed
from tests.lab.tcp_proxy import DirectoryProxy, TcpProxy
from tests.security.lab.client import Browser
from tests.services.ports import wait_until

NEW = "Quiet-Harbour 7 Lanterns"
SETTLES = 60.0


@pytest.fixture
def agent(make_home: MakeHome) -> AgentHome:
    return make_home()


@pytest.fixture
def seed(hybrid: Hybrid, agent: AgentHome, administrator: Administrator) -> Seed:
    return hybrid.person(administrator)


def taken(hybrid: Hybrid, browser: Browser) -> None:
    """Returns once an agent holds the job."""
    wait_until(lambda: hybrid.jobs(browser)[-1].state == "taken", "an agent to take the job")


def signed(hybrid: Hybrid, browser: Browser) -> None:
    """Returns once the job may be taken: the signer refuses one that was changed before."""
    wait_until(lambda: hybrid.jobs(browser)[-1].state == "ready", "the job to be signed")


def held_up(hybrid: Hybrid, seed: Seed, domain: DirectoryProxy) -> Browser:
    """Somebody whose job an agent holds, while nothing reaches the directory."""
    browser = hybrid.choosing(hybrid.users[seed.name])
    domain.stall_requests()
    browser.submit(NEW)
    taken(hybrid, browser)
    return browser


def lose_connections(domain: DirectoryProxy) -> None:
    """What was on its way never arrives; from now on everything does."""
    domain.cut()
    domain.release()


def test_f05_an_agent_that_dies_before_the_change_leaves_it_to_its_next_start(
    hybrid: Hybrid,
    agent: AgentHome,
    administrator: Administrator,
    seed: Seed,
    domain: DirectoryProxy,
) -> None:
    before = administrator.version(seed)
    browser = held_up(hybrid, seed, domain)
    agent.kill()
    lose_connections(domain)
    hybrid.let_pass(browser, 31)
    agent.start()
    assert hybrid.settled(browser, SETTLES) == "done"
    assert administrator.version(seed) == before + 1
    assert administrator.sign_in(seed.login, NEW) == "ok"


def test_f05_a_second_agent_takes_over_what_the_first_one_died_with(
    hybrid: Hybrid,
    agent: AgentHome,
    make_home: MakeHome,
    administrator: Administrator,
    seed: Seed,
    domain: DirectoryProxy,
) -> None:
    other = make_home()
    before = administrator.version(seed)
    browser = held_up(hybrid, seed, domain)
    holder, peer = _holder(hybrid, browser, agent, other)
    holder.kill()
    lose_connections(domain)
    hybrid.let_pass(browser, 31)
    assert hybrid.settled(browser, SETTLES) == "done"
    job = hybrid.jobs(browser)[-1]
    assert job.agent is not None
    assert (job.agent.name, job.fence) == (peer.folder.name, 2)
    assert administrator.version(seed) == before + 1


def test_an_agent_that_died_while_it_waited_is_handed_nothing(
    hybrid: Hybrid, agent: AgentHome, make_home: MakeHome, seed: Seed
) -> None:
    other = make_home()
    browser = hybrid.choosing(hybrid.users[seed.name])
    agent.kill()
    browser.submit(NEW)
    assert hybrid.settled(browser, SETTLES) == "done"
    job = hybrid.jobs(browser)[-1]
    assert job.agent is not None
    assert (job.agent.name, job.fence) == (other.folder.name, 1)


def sent_and_unanswered(hybrid: Hybrid, seed: Seed, domain: DirectoryProxy) -> Browser:
    """The change reached the directory; its answer does not come back."""
    browser = hybrid.choosing(hybrid.users[seed.name])
    domain.at_change = "hold"
    browser.submit(NEW)
    wait_until(lambda: domain.is_holding, "the change to be answered")
    return browser


def part(cloud: TcpProxy) -> None:
    """Agent and product no longer reach each other, until `release`."""
    cloud.stall_requests()
    cloud.cut()


def unreported(hybrid: Hybrid, seed: Seed, domain: DirectoryProxy, cloud: TcpProxy) -> Browser:
    """The change is made, and its agent knows and can't tell."""
    browser = sent_and_unanswered(hybrid, seed, domain)
    part(cloud)
    domain.release()
    return browser


def test_f06_an_agent_that_dies_after_the_change_finds_out_what_became_of_it(
    hybrid: Hybrid,
    agent: AgentHome,
    administrator: Administrator,
    seed: Seed,
    domain: DirectoryProxy,
) -> None:
    before = administrator.version(seed)
    browser = sent_and_unanswered(hybrid, seed, domain)
    agent.kill()
    lose_connections(domain)
    agent.start()
    assert hybrid.settled(browser, SETTLES) == "done"
    assert administrator.version(seed) == before + 1
    assert hybrid.jobs(browser)[-1].reconciled


def test_f07_a_result_that_was_written_down_and_not_brought_is_brought_after_a_restart(
    hybrid: Hybrid,
    agent: AgentHome,
    administrator: Administrator,
    seed: Seed,
    cloud: TcpProxy,
    domain: DirectoryProxy,
) -> None:
    before = administrator.version(seed)
    browser = unreported(hybrid, seed, domain, cloud)
    wait_until(lambda: administrator.sign_in(seed.login, NEW) == "ok", "the change to be made")
    agent.kill()
    cloud.release()
    agent.start()
    assert hybrid.settled(browser, SETTLES) == "done"
    assert administrator.version(seed) == before + 1


def test_f15_a_directory_that_is_down_is_told_before_anything_is_proved(
    hybrid: Hybrid, make_home: MakeHome, administrator: Administrator, domain: DirectoryProxy
) -> None:
    domain.refuse()
    home = make_home(start=False)
    home.start()
    hybrid.wait_for_state("disconnected")
    seed = hybrid.person(administrator)
    browser = hybrid.lab.browser()
    browser.start(hybrid.users[seed.name].user_id)
    assert browser.state == "refused"
    assert hybrid.lab.flow(browser).reason == "SSPR_0030"
    assert hybrid.lab.messages() == []


def test_f16_a_directory_that_is_down_at_the_submit_changes_nothing_and_is_tried_again(
    hybrid: Hybrid,
    agent: AgentHome,
    administrator: Administrator,
    seed: Seed,
    domain: DirectoryProxy,
) -> None:
    before = administrator.version(seed)
    browser = hybrid.choosing(hybrid.users[seed.name])
    domain.refuse()
    browser.submit(NEW)
    assert hybrid.settled(browser, 20) == "choosing"
    assert "Nothing was changed" in browser.status().text
    assert administrator.version(seed) == before
    domain.accept()
    # A controller that failed is left alone for half a minute.
    wait_until(lambda: hybrid.again(browser, NEW) == "done", "the second try to succeed", SETTLES)
    assert administrator.version(seed) == before + 1


def test_f17_a_directory_that_answers_late_ends_in_a_success(
    hybrid: Hybrid,
    agent: AgentHome,
    administrator: Administrator,
    seed: Seed,
    domain: DirectoryProxy,
) -> None:
    before = administrator.version(seed)
    browser = sent_and_unanswered(hybrid, seed, domain)
    told = hybrid.settled(browser, 20)
    assert told == "unknown", "nobody is told a success or a failure that is not known"
    domain.release()
    assert hybrid.known(browser, SETTLES) == "done"
    assert administrator.version(seed) == before + 1


def test_f18_an_answer_that_was_cut_off_is_found_out(
    hybrid: Hybrid,
    agent: AgentHome,
    administrator: Administrator,
    seed: Seed,
    domain: DirectoryProxy,
) -> None:
    before = administrator.version(seed)
    browser = sent_and_unanswered(hybrid, seed, domain)
    lose_connections(domain)
    end = hybrid.known(browser, SETTLES)
    assert end == "done"
    assert administrator.version(seed) == before + 1
    assert administrator.sign_in(seed.login, NEW) == "ok"


def test_f19_a_change_that_never_arrived_is_made_once(
    hybrid: Hybrid,
    agent: AgentHome,
    administrator: Administrator,
    seed: Seed,
    domain: DirectoryProxy,
) -> None:
    before = administrator.version(seed)
    browser = hybrid.choosing(hybrid.users[seed.name])
    domain.at_change = "lose"
    browser.submit(NEW)
    end = hybrid.known(browser, SETTLES)
    assert end in {"done", "failed"}
    changed = administrator.version(seed) - before
    assert changed == (1 if end == "done" else 0)
    right = NEW if end == "done" else seed.password
    assert administrator.sign_in(seed.login, right) == "ok"


def test_f24_an_agent_that_can_write_nothing_down_does_nothing(
    hybrid: Hybrid, agent: AgentHome, administrator: Administrator, seed: Seed
) -> None:
    before = administrator.version(seed)
    assert agent.process is not None
    resource.prlimit(agent.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    browser = hybrid.submitted(seed, NEW)
    assert hybrid.settled(browser) == "failed"
    assert administrator.version(seed) == before
    assert hybrid.jobs(browser)[-1].cause == "journal"


def test_f25_an_agent_that_slept_over_its_lease_writes_nothing_any_more(
    hybrid: Hybrid,
    agent: AgentHome,
    make_home: MakeHome,
    administrator: Administrator,
    seed: Seed,
    domain: DirectoryProxy,
) -> None:
    other = make_home()
    before = administrator.version(seed)
    browser = held_up(hybrid, seed, domain)
    holder, peer = _holder(hybrid, browser, agent, other)
    assert holder.process is not None
    holder.process.pause()
    lose_connections(domain)
    hybrid.let_pass(browser, 31)
    assert hybrid.settled(browser, SETTLES) == "done"
    holder.process.go_on()
    assert peer.process is not None
    assert peer.process.is_running
    wait_until(lambda: hybrid.state() == "healthy", "both to be back")
    assert administrator.version(seed) == before + 1


def _holder(
    hybrid: Hybrid, browser: Browser, one: AgentHome, other: AgentHome
) -> tuple[AgentHome, AgentHome]:
    """Who holds the job, and who does not."""
    job = hybrid.jobs(browser)[-1]
    name = job.agent.name if job.agent is not None else ""
    return (one, other) if one.folder.name == name else (other, one)


def test_f30_what_nobody_could_take_is_told_as_not_changed_and_never_done_late(
    hybrid: Hybrid, agent: AgentHome, administrator: Administrator, seed: Seed, cloud: TcpProxy
) -> None:
    before = administrator.version(seed)
    browser = hybrid.choosing(hybrid.users[seed.name])
    part(cloud)
    browser.submit(NEW)
    signed(hybrid, browser)
    hybrid.let_pass(browser, 16)
    hybrid.sweep()
    assert browser.status().page.state == "choosing"
    assert "Nothing was changed" in browser.status().text
    cloud.release()
    hybrid.wait_until_healthy()
    assert administrator.version(seed) == before
    assert administrator.sign_in(seed.login, seed.password) == "ok"


def test_f31_a_change_that_could_not_be_reported_is_unknown_until_it_is(
    hybrid: Hybrid,
    agent: AgentHome,
    administrator: Administrator,
    seed: Seed,
    cloud: TcpProxy,
    domain: DirectoryProxy,
) -> None:
    before = administrator.version(seed)
    browser = unreported(hybrid, seed, domain, cloud)
    wait_until(lambda: administrator.sign_in(seed.login, NEW) == "ok", "the change to be made")
    hybrid.let_pass(browser, 61)
    hybrid.sweep()
    assert browser.status().page.state == "unknown"
    assert "first with the new password" in browser.status().text
    cloud.release()
    assert hybrid.known(browser, SETTLES) == "done"
    assert administrator.version(seed) == before + 1
