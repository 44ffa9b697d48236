"""The same journey without any agent process: the worker reaches OpenLDAP itself."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.utils import timezone

from tenants.secret import Secret
from tests.lab.hybrid import READY_WITHIN, Hybrid
from tests.lab.hybrid_fixtures import PUBLIC
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
from tests.lab.tcp_proxy import Interception, TcpProxy
from tests.lab.test_hybrid_openldap import NEW, opens, reset
from tests.services.command import CommandProcess, worker
from tests.services.ports import wait_until
from tests.services.session import outbox
from tests.writeback.field import ADMIN
from writeback.direct_settings import DirectSettings
from writeback.models import Agent, Begun, Connector
from writeback.services.direct import set_direct

StartWorker = Callable[[], CommandProcess]


class PasswordProxy(TcpProxy):
    """Knows a change of a password (RFC 3062) when it passes, and can keep it from arriving."""

    CHANGE = b"1.3.6.1.4.1.4203.1.11.1"
    holds_next = False
    changes = 0

    def _before_request(self, data: bytes) -> None:
        if self.CHANGE not in data:
            return
        self.changes += 1
        if self.holds_next:
            self.holds_next = False
            self.stall_requests()


@pytest.fixture(name="ldap_line")
def ldap_line_fixture(own_slapd: Slapd, tmp_path: Path) -> Iterator[PasswordProxy]:
    """What lies between the worker and the directory."""
    authority = own_slapd.authority
    shown = authority.issue(tmp_path / "shown", ["127.0.0.1"])
    reads = Interception(shown, authority.file, "127.0.0.1")
    proxy = PasswordProxy(("127.0.0.1", own_slapd.port), interception=reads)
    proxy.start()
    yield proxy
    proxy.stop()


@pytest.fixture(name="start_worker")
def start_worker_fixture(hybrid: Hybrid, ldap_line: PasswordProxy) -> Iterator[StartWorker]:
    """`start_worker()` is one more worker, which may reach this directory and no other."""
    started: list[CommandProcess] = []
    env = {
        "SSPR_DIRECT_HOSTS": f"127.0.0.1:{ldap_line.port}",
        "SSPR_SIGNER_PUBLIC_KEYS": PUBLIC,
        # It may be the one that sends a code, and then where the server does.
        "SSPR_OUTBOX_DIR": str(outbox()),
    }

    def start() -> CommandProcess:
        process = worker(env)
        started.append(process)
        return process

    yield start
    for process in started:
        process.stop()


@pytest.fixture
def somebody(
    hybrid: Hybrid, own_slapd: Slapd, ldap_line: PasswordProxy, person: str, settings: object
) -> str:
    """Somebody of a directory that the product reaches itself."""
    settings.SSPR_DIRECT_HOSTS = [f"127.0.0.1:{ldap_line.port}"]  # type: ignore[attr-defined]
    authority = Path(own_slapd.authority.file).read_text(encoding="utf-8")
    text = "\n".join(
        [
            f'servers = ["127.0.0.1:{ldap_line.port}"]',
            f'base = "{BASE}"',
            f'account = "{WRITEBACK}"',
            f'default_policy = "{DEFAULT_POLICY}"',
            f"ca_pem = '''\n{authority}'''",
        ]
    )
    with hybrid.acme.inside():
        Connector.objects.update(kind="openldap")
        row = Connector.objects.get()
        wanted = DirectSettings(text, (PEOPLE,))
        secret = Secret(ACCOUNT_PASSWORD)
        set_direct(row, wanted, secret, by=ADMIN, now=timezone.now())
    hybrid.users[person] = hybrid.add_person(person, anchor(person))
    return person


def begun(hybrid: Hybrid) -> list[Begun]:
    with hybrid.acme.inside():
        return list(Begun.objects.order_by("at"))


def test_the_worker_carries_a_reset_to_the_directory_without_an_agent(
    hybrid: Hybrid, own_slapd: Slapd, somebody: str, start_worker: StartWorker
) -> None:
    process = start_worker()
    hybrid.wait_until_healthy()

    browser = reset(hybrid, somebody)

    assert browser.state == "done"
    assert opens(own_slapd, somebody, NEW)
    assert not opens(own_slapd, somebody, FIRST_PASSWORD)
    [job] = hybrid.jobs(browser)
    assert job.agent is not None
    assert (job.outcome, job.agent.own) == ("succeeded", True)
    [entry] = begun(hybrid)
    assert entry.job == job.pk
    assert entry.result is not None
    for secret in (NEW, ACCOUNT_PASSWORD):
        assert secret not in process.log
        assert secret not in str((entry.facts, entry.result))
    with hybrid.acme.inside():
        assert [agent.own for agent in Agent.objects.all()] == [True]


def test_a_rejected_password_leads_back_to_choosing(
    hybrid: Hybrid, own_slapd: Slapd, somebody: str, start_worker: StartWorker
) -> None:
    start_worker()
    hybrid.wait_until_healthy()
    browser = hybrid.choosing(hybrid.users[somebody])

    browser.submit(FIRST_PASSWORD)

    assert hybrid.settled(browser) == "choosing"
    assert "does not accept this password" in browser.status().text
    browser.submit(NEW)
    assert hybrid.settled(browser) == "done"
    assert opens(own_slapd, somebody, NEW)


def test_a_worker_that_is_asked_to_end_does_so_and_the_next_one_goes_on(
    hybrid: Hybrid, own_slapd: Slapd, somebody: str, start_worker: StartWorker
) -> None:
    first = start_worker()
    hybrid.wait_until_healthy()
    first.stop()
    start_worker()

    assert reset(hybrid, somebody).state == "done"
    assert opens(own_slapd, somebody, NEW)


def test_what_a_killed_worker_left_between_intent_and_change_is_settled_by_the_next(
    hybrid: Hybrid,
    own_slapd: Slapd,
    ldap_line: PasswordProxy,
    somebody: str,
    start_worker: StartWorker,
) -> None:
    first = start_worker()
    hybrid.wait_until_healthy()
    browser = hybrid.choosing(hybrid.users[somebody])
    ldap_line.holds_next = True
    browser.submit(NEW)
    wait_until(lambda: ldap_line.changes == 1, "a change on its way")
    [entry] = begun(hybrid)
    assert entry.result is None
    first.kill()
    ldap_line.cut()
    ldap_line.release()
    # A server whose client vanished may refuse everybody for a moment.
    wait_until(lambda: opens(own_slapd, somebody, FIRST_PASSWORD), "the old password to be right")

    hybrid.let_pass(browser, 31)
    start_worker()

    assert hybrid.settled(browser, 2 * READY_WITHIN) == "done"
    assert opens(own_slapd, somebody, NEW)
    [job] = hybrid.jobs(browser)
    assert (job.fence, job.outcome) == (2, "succeeded")
    [entry] = begun(hybrid)
    assert entry.result is not None
    assert ldap_line.changes == 2
