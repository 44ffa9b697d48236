"""A-045: who was there before the change is told of it, and can say that it was not them."""

import re
from datetime import timedelta

from accounts.models import ContactPoint
from notifications.models import Message
from tests.cast import NEW_PASSWORD, PASSWORD, QUESTIONS, give_primary_email
from tests.resets.walks import BOB_EMAIL
from tests.security.lab.client import Browser
from tests.security.lab.lab import Lab

_LINK = re.compile(r"https://[^\s/]+(/not-me/\S+)")
DESK = "bob.brown@acme.example"


def _reset(lab: Lab) -> Browser:
    browser = lab.begun(lab.acme.bob.user_id)
    browser.verify(lab.app_code(lab.acme.bob))
    browser.choose("email", BOB_EMAIL)
    browser.verify(lab.code())
    browser.submit(NEW_PASSWORD)
    assert browser.state == "done"
    return browser


def test_a045_after_a_reset_every_mailbox_on_file_is_told_within_a_minute_without_secrets(
    lab: Lab,
) -> None:
    with lab.acme.inside():
        give_primary_email(lab.acme.bob, DESK)
    browser = _reset(lab)

    told = [message for message in lab.messages() if message["kind"] == "password_changed"]

    assert sorted(message["to"] for message in told) == [DESK, BOB_EMAIL]
    for message in told:
        text = message["text"] + message["html"] + message["subject"]
        assert "password was changed" in text
        assert _LINK.search(message["text"]) is not None
        secrets = [NEW_PASSWORD, PASSWORD, *QUESTIONS.values(), *lab.codes, BOB_EMAIL, DESK]
        assert [secret for secret in secrets if secret in text] == []
    with lab.acme.inside():
        rows = Message.objects.filter(correlation_id=browser.flow, kind="password_changed")
        assert all(
            row.sent_at is not None and row.sent_at - row.created_at < timedelta(seconds=60)
            for row in rows
        )


def test_a045_this_was_not_me_freezes_the_account_once_and_only_by_the_button(lab: Lab) -> None:
    _reset(lab)
    [told] = [message for message in lab.messages() if message["kind"] == "password_changed"]
    found = _LINK.search(told["text"])
    assert found is not None
    victim, scanner = lab.browser(), lab.browser()

    assert scanner.get(found[1]).status == 200
    assert lab.begun(lab.acme.bob.user_id).state == "proving"
    victim.get(found[1])
    assert victim.post(found[1], {}).status == 200

    assert lab.begun(lab.acme.bob.user_id).state == "refused"
    assert [event.data for event in lab.trail(type="account.frozen")] == [{"cause": "not_me"}]
    assert victim.post(found[1], {}).status == 410
    frozen = [message for message in lab.messages() if message["kind"] == "account_frozen"]
    assert BOB_EMAIL in [message["to"] for message in frozen]


def test_a045_the_mailbox_that_was_there_before_is_told_when_it_leaves_in_the_same_minute(
    lab: Lab,
) -> None:
    """The notice is written with the change: taking the mailbox away later hides nothing."""
    _reset(lab)
    with lab.acme.inside():
        ContactPoint.objects.filter(user=lab.acme.bob).delete()

    told = [message for message in lab.messages() if message["kind"] == "password_changed"]

    assert [message["to"] for message in told] == [BOB_EMAIL]
