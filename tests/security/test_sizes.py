"""A-060…A-062: what is too much is refused before anything is looked up, hashed or matched.

A refused input takes less than 200 ms of the processor; it is measured on the server's processes.
"""

from collections.abc import Callable

import pytest
from django.contrib.auth.hashers import make_password

from resets.services import finish
from tests.cast import NEW_PASSWORD, PASSWORD, Acme
from tests.resets.conftest import NOW
from tests.resets.visitor import Clock, Visitor, take_messages
from tests.resets.walks import BOB_EMAIL, to_password
from tests.security.lab.captcha import ripe_ticket
from tests.security.lab.client import Answer, Browser
from tests.security.lab.extra_limits import children_of, cpu_seconds
from tests.security.lab.lab import Lab

CPU_LIMIT = 0.2
BOMB = "\ufdfa"
FORM_LIMIT = 64 * 1024


def _costs(lab: Lab, act: Callable[[], Answer]) -> tuple[int, float]:
    """The status, and the seconds of the processor that the server spent on it."""
    process = lab.server._process
    assert process is not None
    pids = [process.pid, *children_of(process.pid)]
    before = cpu_seconds(pids)
    answer = act()
    return answer.status, cpu_seconds(pids) - before


def _refused(lab: Lab, act: Callable[[], Answer], *statuses: int) -> None:
    status, seconds = _costs(lab, act)
    assert status in (statuses or (400, 413))
    assert seconds < CPU_LIMIT


def _begun(lab: Lab, user_id: str) -> Browser:
    """Somebody's journey in a browser that takes a new connection for every request: what is
    refused unread leaves nothing that could be taken for the next request."""
    browser = lab.browser()
    browser.headers["Connection"] = "close"
    browser.start(user_id)
    return browser


def _at_password(lab: Lab) -> Browser:
    browser = _begun(lab, lab.acme.bob.user_id)
    browser.verify(lab.app_code(lab.acme.bob))
    browser.choose("email", BOB_EMAIL)
    browser.verify(lab.code())
    assert browser.state == "choosing"
    return browser


def test_a060_a_password_that_is_far_too_long_is_refused_at_once_and_the_journey_goes_on(
    lab: Lab,
) -> None:
    browser = _at_password(lab)

    _refused(lab, lambda: browser.submit("Aa1-" * 262_144), 413)
    browser.status()
    _refused(lab, lambda: browser.submit("Aa1-" * 300), 400)
    browser.status()
    _refused(lab, lambda: browser.submit("Aa1-" * 64 + "x"), 400)

    assert "256" in browser.page.text
    assert lab.password_is(lab.acme.bob, PASSWORD)
    browser.submit(NEW_PASSWORD)
    assert browser.state == "done"


@pytest.mark.django_db
def test_a060_a_password_that_is_too_long_is_never_hashed(
    acme: Acme, outbox_dir: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pathlib import Path

    assert isinstance(outbox_dir, Path)
    folder = outbox_dir
    visitor, hashed = Visitor(acme.host, Clock(NOW)), []
    to_password(visitor, acme.bob, lambda: take_messages(folder, NOW))

    def make(text: str) -> str:
        hashed.append(len(text))
        return make_password(text)

    monkeypatch.setattr(finish, "make_password", make)

    assert visitor.fill(new_password="Aa1-" * 64 + "x").status == 400
    assert visitor.fill(new_password="Aa1-" * 300).status == 400
    assert hashed == []
    visitor.get(f"/reset/{visitor.flow}/")
    visitor.fill(new_password=NEW_PASSWORD)
    assert hashed == [len(NEW_PASSWORD)]


def _start(lab: Lab, user_id: str) -> Callable[[], Answer]:
    browser = lab.browser()
    browser.headers["Connection"] = "close"
    browser.get("/reset/")
    fields = {"user_id": user_id, "ticket": ripe_ticket(lab.acme.host)}
    return lambda: browser.post("/reset/", fields, follow=False)


@pytest.mark.parametrize("count", [65_536, 5_000, 114])
def test_a061_a_character_that_grows_eighteenfold_is_refused_as_a_user_id(
    lab: Lab, count: int
) -> None:
    _refused(lab, _start(lab, BOMB * count))
    assert (lab.rows("resets_flow"), lab.trail()) == (0, [])


def test_a061_it_is_refused_as_an_answer_a_code_and_a_contact(lab: Lab) -> None:
    browser = _begun(lab, lab.acme.alice.user_id)
    _refused(lab, lambda: browser.choose("email", BOMB * 5_000), 400)
    browser.choose("security_questions")
    for count in (65_536, 5_000, 41):
        _refused(lab, lambda count=count: browser.verify(answers=[BOMB * count] * 3))  # type: ignore[misc]  # bound now
    assert lab.flow(browser).tries == 0
    code = _begun(lab, lab.acme.bob.user_id)
    status, seconds = _costs(lab, lambda: code.verify(BOMB * 5_000))
    assert (status, seconds < CPU_LIMIT) == (400, True)
    assert lab.flow(code).tries == 0


@pytest.mark.django_db
def test_a061_a_display_name_of_it_is_refused_by_the_policy_file() -> None:
    from tests.tenants.config.files import apply

    text = (
        '[tenant]\nslug = "acme"\nname = "Acme"\ndomains = [{ name = "acme.example" }]\n'
        f'[[users]]\nid = "zoe@acme.example"\ndisplay_name = "{BOMB * 65_536}"\n'
    )

    problems = apply(text, dry_run=True).problems

    assert [problem.key for problem in problems] == ["users[0].display_name"]


@pytest.mark.parametrize(
    "text",
    [
        "a@" * 50_000,
        "a@" * 10_000,
        "+1" + "4" * 1_000_000,
        "+1" + "4" * 20_000,
        '"' * 20_000 + "@x.example",
        '"\\"' * 6_000 + "@x.example",
        "(" * 20_000 + "a@b.example" + ")" * 20_000,
        "a" + ".a" * 10_000 + "@" + "b." * 10_000,
    ],
    ids=["at-100k", "at-20k", "digits-1m", "digits-20k", "quotes", "escapes", "comments", "dots"],
)
def test_a062_no_text_makes_a_pattern_run_long(lab: Lab, text: str) -> None:
    _refused(lab, _start(lab, text))
    browser = _begun(lab, lab.acme.alice.user_id)
    for method in ("email", "mobile_phone"):
        _refused(lab, lambda method=method: browser.choose(method, text))  # type: ignore[misc]  # bound now
    assert lab.flow(browser).tries == 0
    assert lab.messages() == []
