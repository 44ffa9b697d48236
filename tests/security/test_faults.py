"""F-01…F-04: processes that are killed at the worst moment, by their own id, with SIGKILL."""

from collections.abc import Iterator

import httpx
import pytest

from accounts.models import User
from notifications.models import Message
from tests.cast import NEW_PASSWORD
from tests.resets.walks import BOB_EMAIL
from tests.security.lab.client import Browser, Wire
from tests.security.lab.extra_faults import (
    CuttingProxy,
    MailServer,
    kill_workers,
    mail_server,
    wait_for,
    worker_pids,
)
from tests.security.lab.extra_limits import count_of
from tests.security.lab.lab import Lab
from tests.services.command import worker


@pytest.fixture
def proxy(lab: Lab) -> Iterator[CuttingProxy]:
    with CuttingProxy(lab.server.port) as running:
        yield running


@pytest.fixture
def browser(lab: Lab, proxy: CuttingProxy) -> Iterator[Browser]:
    """A browser whose way to the server leads over the proxy."""
    wire = Wire(proxy.port, lab.journal)
    yield Browser(wire, lab.acme.host, lab.address())
    wire.close()


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


def _is_back(lab: Lab, killed: list[int]) -> bool:
    workers = worker_pids(lab.server)
    if not workers or set(workers) & set(killed):
        return False
    try:
        return lab.browser().request("GET", "/healthz").status == 200
    except httpx.TransportError:
        return False


def _lose_answer(lab: Lab, proxy: CuttingProxy, browser: Browser, step: str, text: str) -> None:
    """Sends a step; the server carries it out and is killed before anybody hears of it."""
    killed = worker_pids(lab.server)
    proxy.cut(f"/{step}/", kill_workers(lab.server))
    with pytest.raises(httpx.TransportError):
        browser.verify(text) if step == "verify" else browser.submit(text)
    assert proxy.was_cut.is_set()
    wait_for(lambda: _is_back(lab, killed), "the next worker")


def test_f01_an_answer_whose_reply_was_lost_can_be_sent_again_and_counts_once(
    lab: Lab, proxy: CuttingProxy, browser: Browser
) -> None:
    bob = lab.acme.bob
    browser.start(bob.user_id)
    code = lab.app_code(bob)

    _lose_answer(lab, proxy, browser, "verify", code)
    assert lab.gates(browser) == ["app_code"]
    thief = browser.twin()
    assert thief.status().status == 401
    thief.shown = browser.shown
    assert thief.verify("000000").status == 401
    again = browser.verify(code)

    assert (again.status, browser.state) == (303, "proving")
    assert lab.gates(browser) == ["app_code"]
    assert lab.types(browser).count("flow.verification_completed") == 1
    assert count_of(lab.acme, "failed_proofs") == 0
    browser.choose("email", BOB_EMAIL)
    browser.verify(lab.code())
    browser.submit(NEW_PASSWORD)
    assert browser.state == "done"


def test_f01_an_old_secret_is_no_place_to_guess_at(lab: Lab) -> None:
    bob = lab.acme.bob
    browser = lab.begun(bob.user_id)
    thief = browser.twin()
    code = lab.app_code(bob)
    browser.verify(code)
    guesses = [f"{number:06d}" for number in range(1, 8) if f"{number:06d}" != code][:5]

    assert {thief.verify(guess).status for guess in guesses} == {401}
    assert thief.verify(code).status == 401
    browser.choose("email", BOB_EMAIL)
    assert browser.page.form.typed == ["code"]


def test_f02_a_password_whose_reply_was_lost_is_set_once_and_the_page_says_so(
    lab: Lab, proxy: CuttingProxy, browser: Browser
) -> None:
    bob = lab.acme.bob
    browser.start(bob.user_id)
    browser.verify(lab.app_code(bob))
    browser.choose("email", BOB_EMAIL)
    browser.verify(lab.code())

    _lose_answer(lab, proxy, browser, "submit", NEW_PASSWORD)

    assert browser.status().page.state == "done"
    assert browser.submit("Another-Harbour 8 Lanterns").status == 409
    assert lab.password_is(bob, NEW_PASSWORD)
    assert lab.types(browser).count("password.reset") == 1
    with lab.acme.inside():
        assert User.objects.get(pk=bob.pk).session_epoch == 1
    told = [message for message in lab.messages() if message["kind"] == "password_changed"]
    assert [message["to"] for message in told] == [BOB_EMAIL]


def _asked_for_code(lab: Lab) -> Browser:
    lab.policy(methods_required=1)
    browser = lab.begun(lab.acme.bob.user_id)
    assert browser.choose("email", BOB_EMAIL).status == 303
    return browser


def _states(lab: Lab) -> list[str]:
    with lab.acme.inside():
        return list(Message.objects.values_list("state", flat=True))


def test_f03_a_worker_killed_before_the_mail_was_taken_leaves_it_to_the_next(
    lab: Lab, mail: MailServer
) -> None:
    mail.mode = "stall"
    browser = _asked_for_code(lab)
    with worker({"EMAIL_URL": mail.url}) as first:
        wait_for(mail.reached.is_set, "the first worker")
        first.kill()
    assert (_states(lab), mail.mails) == (["queued"], [])
    mail.mode = "ok"

    with worker({"EMAIL_URL": mail.url}) as second:
        wait_for(lambda: _states(lab) == ["sent"], "the second worker")
        assert second.is_running

    assert [sent.recipients for sent in mail.mails] == [[BOB_EMAIL]]
    lab.codes |= set(mail.codes())
    assert browser.verify(mail.codes()[0]).status == 303
    assert browser.state == "choosing"


def test_f04_a_worker_killed_after_the_mail_was_taken_sends_the_same_code_again(
    lab: Lab, mail: MailServer
) -> None:
    mail.mode = "hold"
    browser = _asked_for_code(lab)
    with worker({"EMAIL_URL": mail.url}) as first:
        wait_for(mail.accepted.is_set, "the first worker")
        first.kill()
    assert _states(lab) == ["queued"]
    mail.mode = "ok"

    with worker({"EMAIL_URL": mail.url}):
        wait_for(lambda: _states(lab) == ["sent"], "the second worker")

    assert len(mail.mails) == 2
    assert len(set(mail.codes())) == 1
    assert len({sent.message["Message-ID"] for sent in mail.mails}) == 1
    lab.codes |= set(mail.codes())
    browser.verify(mail.codes()[0])
    assert browser.state == "choosing"
