"""A-064 and A-067: which new passwords are refused, and what the page does with one."""

import re

import pytest

from accounts.models import User
from tests.cast import NEW_PASSWORD, PASSWORD, give_app, give_email, make_person
from tests.security.lab.client import Browser
from tests.security.lab.extra_limits import count_of
from tests.security.lab.lab import Lab

MAILBOX = "katherine@example.net"
_FIELD = re.compile(r'<input type="password"[^>]*>')


@pytest.fixture
def choosing(lab: Lab) -> Browser:
    """The journey of Katherine Johnson, who only lacks the new password."""
    with lab.acme.inside():
        katherine = make_person(
            "katherine", lab.acme.domain, licence=lab.acme.subscription, surname="Johnson"
        )
        give_email(katherine, MAILBOX)
        give_app(katherine)
    browser = lab.begun(katherine.user_id)
    browser.verify(lab.app_code(katherine))
    browser.choose("email", MAILBOX)
    browser.verify(lab.code())
    assert browser.state == "choosing"
    return browser


def test_a064_a_weak_password_is_refused_with_the_reason_and_costs_no_try(
    lab: Lab, choosing: Browser
) -> None:
    lab.policy(banned_terms=["Lighthouse"])
    weak = (
        "P@ssw0rd1",
        "Lighthouse1!",
        "Acme2026!",
        "katherine-Harbour 7 Lanterns",
        "Quiet Johnson 7 Lanterns",
        "Short1!",
    )
    reasons = {}
    for password in weak:
        answer = choosing.submit(password)
        assert (answer.status, choosing.state) == (200, "choosing"), password
        found = re.search(r'id="new_password-error">(.*?)</ul>', answer.text, re.DOTALL)
        assert found is not None, password
        reasons[password] = re.sub(r"<[^>]+>|\s+", " ", found[1]).strip()
    assert all(reasons.values()), reasons
    assert len(set(reasons.values())) > 2

    rejected = lab.trail(type="password.rejected")
    assert len(rejected) == len(weak)
    assert all(event.data["codes"] for event in rejected)
    assert [count_of(lab.acme, n) for n in ("failed_proofs", "failed_method")] == [0, 0]
    assert lab.flow(choosing).tries == 0
    with lab.acme.inside():
        katherine = User.objects.get(user_id="katherine@acme.example")
    assert lab.password_is(katherine, PASSWORD)
    choosing.submit(NEW_PASSWORD)
    assert choosing.state == "done"


def test_a067_the_form_helps_password_managers_and_never_shows_a_password_again(
    lab: Lab, choosing: Browser
) -> None:
    def field(text: str) -> str:
        [found] = _FIELD.findall(text)
        return str(found)

    page = choosing.status()
    assert 'name="new_password"' in field(page.text)
    assert 'autocomplete="new-password"' in field(page.text)
    assert 'autocomplete="username"' in page.text
    for hindrance in ("onpaste", "oncopy", "ondrop", "maxlength="):
        assert hindrance not in page.text

    for password in ("Acme2026!", "x" * 257, "Kurz1!"):
        answer = choosing.submit(password)
        assert choosing.state == "choosing"
        assert password not in answer.text
        assert "value=" not in field(answer.text)
    choosing.submit(NEW_PASSWORD)
    assert NEW_PASSWORD not in choosing.page.text
