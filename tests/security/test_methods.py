"""A-039…A-044: the questions, what may be registered, and what is never a proof."""

import pytest

from accounts.models import AuthenticatorDevice, ContactPoint
from resets.models import Challenge, Flow
from tests.cast import ALICE_MOBILE, QUESTIONS, give_contact, give_email
from tests.resets.walks import BOB_EMAIL
from tests.security.lab.client import Browser
from tests.security.lab.compare import assert_uniform
from tests.security.lab.extra_limits import count_of
from tests.security.lab.lab import Lab
from tests.security.lab.observers import message_rows
from tests.security.lab.verdicts import assert_denied, journey_row
from tests.tenants.config.files import apply

ALICE_IN_A_FILE = """
[tenant]
slug = "acme"
name = "Acme"
domains = [{{ name = "acme.example" }}]
hosts = ["acme.sspr.test"]
[policy]
questions_to_register = 3
[[users]]
id = "zoe@acme.example"
questions = [{rows}]
"""


def _asked(lab: Lab, browser: Browser) -> list[str]:
    """The keys of the questions that are asked now."""
    with lab.acme.inside():
        flow = Flow.objects.get(pk=browser.flow)
        return list(Challenge.objects.get(flow=flow, dead=False, used_at=None).questions)


def _at_questions(lab: Lab) -> Browser:
    browser = lab.begun(lab.acme.alice.user_id)
    browser.choose("security_questions")
    return browser


@pytest.mark.parametrize(
    "dress",
    [str.upper, str.lower, lambda text: f"  {text} ", lambda text: text.replace(" ", "   ")],
    ids=["upper", "lower", "padded", "spaced"],
)
def test_a039_case_and_blanks_of_an_answer_do_not_matter(lab: Lab, dress: object) -> None:
    assert callable(dress)
    browser = _at_questions(lab)

    browser.verify(answers=[dress(QUESTIONS[key]) for key in _asked(lab, browser)])

    assert lab.gates(browser) == ["security_questions"]


def test_a039_after_a_wrong_answer_other_questions_are_asked_and_five_are_the_end(
    lab: Lab,
) -> None:
    browser = _at_questions(lab)
    drawn = [_asked(lab, browser)]
    for _ in range(4):
        right = [QUESTIONS[key] for key in drawn[-1]]
        answer = browser.verify(answers=["not the answer", *right[1:]])
        assert (answer.status, browser.state) == (200, "proving")
        assert "Not every answer is right" in answer.text
        drawn.append(_asked(lab, browser))
    browser.verify(answers=["not the answer"] * 3)

    assert (browser.shown and browser.shown.status, browser.state) == (429, "locked")
    assert len({frozenset(keys) for keys in drawn}) > 1
    assert all(len(set(keys)) == 3 for keys in drawn)
    again = lab.begun(lab.acme.alice.user_id)
    assert again.state == "locked"


@pytest.mark.parametrize(
    ("answers", "fix"),
    [
        (["What was your first pet called?", "Brigid", "Larch"], "Neither the question"),
        (["zoe@acme.example", "Brigid", "Larch"], "Neither the question"),
        (["Zoe", "Brigid", "Larch"], "Neither the question"),
        (["Snowball", "snow  BALL", "SNOWBALL "], "an answer of its own"),
        (["ab", "Brigid", "Larch"], "3 to 40 characters"),
        (["x" * 41, "Brigid", "Larch"], "3 to 40 characters"),
    ],
)
def test_a040_an_answer_that_everybody_knows_or_that_is_no_answer_is_refused(
    lab: Lab, answers: list[str], fix: str
) -> None:
    keys = ("first_pet", "birth_hospital", "first_street")

    def file(texts: list[str]) -> str:
        rows = [
            f'{{ question = "{key}", answer = "{text}" }}'
            for key, text in zip(keys, texts, strict=True)
        ]
        return ALICE_IN_A_FILE.format(rows=", ".join(rows))

    refused = apply(file(answers))
    assert [problem.message for problem in refused.problems if fix in problem.message]
    assert not any(text in str(refused.problems) for text in answers if len(text) > 2)
    with lab.acme.inside():
        assert lab.rows("accounts_questionanswer WHERE question = 'first_pet'") == 2
    assert apply(file(["Snowball the First", "Brigid", "Larch"]), dry_run=True).problems == ()


def test_a041_what_is_sent_names_the_organisation_the_code_and_what_to_do_and_nobody(
    lab: Lab,
) -> None:
    lab.policy(methods_required=1)
    for method, contact, channel in (
        ("email", "alice@example.net", ""),
        ("mobile_phone", ALICE_MOBILE, "sms"),
        ("mobile_phone", ALICE_MOBILE, "voice"),
    ):
        browser = lab.begun(lab.acme.alice.user_id)
        assert browser.choose(method, contact, channel).status == 303
    sent = [message for message in lab.messages() if message["kind"] == "code"]

    assert [message["channel"] for message in sent] == ["email", "sms", "voice"]
    for message in sent:
        code = message["data"]["code"]
        said = ", ".join(code) if message["channel"] == "voice" else code
        text = f"{message['subject']}\n{message['text']}"
        assert "Acme" in text
        assert said in text
        assert "5 minutes" in text
        assert "ignore" in text.lower() or "hang up" in text
        for secret in (lab.acme.alice.user_id, "Alice", "Adams", "http", "password"):
            assert secret not in message["text"], message["channel"]
    assert len(sent[1]["text"]) <= 160


def test_a042_a_wrong_number_gets_the_same_page_no_message_and_counts(lab: Lab) -> None:
    lab.policy(methods_required=1)
    right, wrong = lab.begun(lab.acme.alice.user_id), lab.begun(lab.acme.alice.user_id)

    right.choose("mobile_phone", ALICE_MOBILE, "sms")
    assert count_of(lab.acme, "failed_proofs") == 0
    wrong.choose("mobile_phone", "+1 4255550177", "sms")

    assert_uniform(right.walk, wrong.walk)
    assert [message["to"] for message in lab.messages()] == ["+14255550101"]
    assert message_rows(lab.acme) == [("code", "sms"), ("code", "none")]
    assert [count_of(lab.acme, n) for n in ("failed_proofs", "failed_method")] == [1, 1]
    # Even the code of the other journey is wrong here.
    assert "That code is not right" in wrong.verify(lab.code()).text


def test_a043_a_mailbox_inside_the_organisation_is_no_proof_and_the_reason_is_told(
    lab: Lab,
) -> None:
    from django.utils import timezone

    from resets.explain import explain

    with lab.acme.inside():
        ContactPoint.objects.filter(user=lab.acme.alice, kind="alternate_email").delete()
        give_email(lab.acme.alice, "alice.other@ACME.example")
    browser = lab.begun(lab.acme.alice.user_id)
    assert "email" not in browser.page.form.choices["method"]
    before = journey_row(lab, browser)

    answer = browser.choose("email", "alice.other@ACME.example")

    assert_denied(lab, answer, browser, before)
    assert lab.messages() == []
    assert count_of(lab.acme, "failed_proofs") == 0
    why = explain(lab.acme.alice.user_id, tenant=lab.acme.id, now=timezone.now())["notes"]
    assert [note for note in why if note.startswith("email: ") and "own domain" in note]


def test_a044_an_app_that_was_never_confirmed_is_not_offered_and_proves_nothing(lab: Lab) -> None:
    with lab.acme.inside():
        AuthenticatorDevice.objects.filter(user=lab.acme.alice).update(confirmed=False)
    browser = lab.begun(lab.acme.alice.user_id)
    assert "app_code" not in browser.page.form.choices["method"]

    before = journey_row(lab, browser)

    assert_denied(lab, browser.choose("app_code"), browser, before)
    browser.verify(lab.app_code(lab.acme.alice))

    assert journey_row(lab, browser) == before
    with lab.acme.inside():
        AuthenticatorDevice.objects.filter(user=lab.acme.alice).update(confirmed=True)
    later = lab.begun(lab.acme.alice.user_id)
    later.choose("app_code")
    later.verify(lab.app_code(lab.acme.alice))
    assert lab.gates(later) == ["app_code"]


def test_a044_a_contact_nobody_registered_is_not_offered_and_gets_nothing(lab: Lab) -> None:
    """A number of the directory that is no verification method, and one of somebody else."""
    with lab.acme.inside():
        give_contact(lab.acme.bob, "primary_email", "bob.desk@example.org")
    browser = lab.begun(lab.acme.bob.user_id)
    browser.verify(lab.app_code(lab.acme.bob))

    for contact in ("bob.desk@example.org", "alice@example.net"):
        browser.choose("email", contact)
    browser.choose("mobile_phone", ALICE_MOBILE, "sms")

    assert lab.messages() == []
    browser.choose("email", BOB_EMAIL)
    assert [message["to"] for message in lab.messages()] == [BOB_EMAIL]
