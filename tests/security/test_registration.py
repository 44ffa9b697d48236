"""A-045, A-046, A-048: what an attacker with a session or a password does to what is on file."""

import re
from datetime import timedelta

import pytest

from accounts.models import AuthenticatorDevice, ContactPoint, User
from tests.resets.walks import BOB_EMAIL
from tests.security.lab.client import Browser
from tests.security.lab.lab import Lab

NEW = "intruder@example.org"
ADD = "/security-info/add/email/"
_LINK = re.compile(r"https://[^\s/]+(/security-info/undo/\S+)")


def email_row(lab: Lab, user: User) -> ContactPoint | None:
    with lab.acme.inside():
        found: ContactPoint | None = ContactPoint.objects.filter(
            user=user, kind="alternate_email"
        ).first()
        return found


def register_email(lab: Lab, browser: Browser, path: str) -> None:
    browser.get(path)
    browser.post(path, {"contact": NEW})
    pending = next(form.values["pending"] for form in browser.page.forms if "code" in form.values)
    browser.post(path, {"pending": pending, "code": lab.code()})


def test_a045_who_was_reached_before_a_change_is_told_and_puts_it_back(lab: Lab) -> None:
    bob = lab.acme.bob
    before = email_row(lab, bob)
    assert before is not None
    thief = lab.signed_in(bob, proved_ago=timedelta(0))
    register_email(lab, thief, f"/security-info/change/email/{before.pk}/")
    changed = email_row(lab, bob)
    assert changed is not None
    assert bytes(changed.lookup) != bytes(before.lookup)

    [told] = [message for message in lab.messages() if message["kind"] == "method_changed"]
    assert told["to"] == BOB_EMAIL
    assert NEW not in told["text"] + told["html"]
    link = _LINK.search(told["text"])
    assert link is not None
    victim, scanner = lab.browser(), lab.browser()
    assert scanner.get(link[1]).status == 200
    still = email_row(lab, bob)
    assert still is not None
    assert bytes(still.lookup) == bytes(changed.lookup)
    victim.get(link[1])
    assert victim.post(link[1], {}).status == 200

    back = email_row(lab, bob)
    assert back is not None
    assert bytes(back.lookup) == bytes(before.lookup)
    assert thief.get("/security-info/").status == 302
    assert victim.post(link[1], {}).status == 410
    assert len(lab.trail(type="method.undone")) == 1


@pytest.mark.parametrize("proved_ago", [None, timedelta(minutes=5)])
def test_a046_nothing_is_added_or_removed_without_a_fresh_proof(
    lab: Lab, proved_ago: timedelta | None
) -> None:
    bob = lab.acme.bob
    row = email_row(lab, bob)
    assert row is not None
    with lab.acme.inside():
        device = AuthenticatorDevice.objects.get(user=bob).pk
    thief = lab.signed_in(bob, proved_ago=proved_ago)
    thief.get("/security-info/register/")
    thief.get("/reset/")

    for path, fields in (
        ("/security-info/add/mobile_phone/", {"country": "US", "number": "4255550142"}),
        (f"/security-info/change/email/{row.pk}/", {"contact": NEW}),
        (f"/security-info/remove/email/{row.pk}/", {}),
        (f"/security-info/remove/app_code/{device}/", {}),
    ):
        answer = thief.post(path, fields)
        assert (answer.status, answer.page.state) == (403, "step_up_required")

    assert email_row(lab, bob) is not None
    assert lab.messages() == []
    assert lab.trail(type__startswith="method.") == []


@pytest.mark.parametrize("allowed", [True, False])
def test_a048_a_first_method_with_only_the_password_is_as_the_policy_says(
    lab: Lab, allowed: bool
) -> None:
    eve = lab.acme.eve
    lab.policy(register_with_password=allowed)
    thief = lab.signed_in(eve, proved_ago=None)
    if allowed:
        register_email(lab, thief, ADD)
        assert email_row(lab, eve) is not None
        told = [m for m in lab.messages() if m["kind"] == "method_changed"]
        assert [(m["to"], bool(_LINK.search(m["text"]))) for m in told] == [(eve.user_id, True)]
        return
    thief.get("/reset/")

    assert thief.get(ADD).status == 403
    assert thief.post(ADD, {"contact": NEW}).status == 403

    assert email_row(lab, eve) is None
    assert lab.messages() == []
