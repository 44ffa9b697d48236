"""Proving who one is while signed in, with every kind of answer that is typed."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import ProofChallenge
from tenants.models import AuditEvent
from tests.accounts.signin.people import PROVE, text_of
from tests.cast import QUESTIONS, Acme, app_code
from tests.resets.visitor import take_messages
from tests.services.signed_in import prove_client, signed_in_client

NEXT = "?next=/sign-in/sessions/"
COOKIE = settings.SESSION_COOKIE_NAME


@pytest.fixture
def alice(acme: Acme) -> Client:
    """Alice signed in with the password alone; she registered everything."""
    return signed_in_client(acme, acme.alice)


def take_up(client: Client, method: str, **more: str) -> Any:
    return client.post(f"{PROVE}choose/{NEXT}", {"method": method, **more})


def verify(client: Client, **fields: str) -> Any:
    return client.post(f"{PROVE}verify/{NEXT}", fields)


def newest_code(outbox: Path) -> str:
    [message] = take_messages(outbox, timezone.now())
    return str(message["data"]["code"])


def other_code(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def is_proved(answer: Any) -> bool:
    return (answer.status_code, answer.headers.get("Location")) == (303, "/sign-in/sessions/")


@pytest.mark.parametrize(
    ("method", "channel"),
    [("email", ""), ("mobile_phone", "sms"), ("mobile_phone", "voice"), ("office_phone", "")],
)
def test_a_code_goes_to_the_contact_on_file_and_proves_once(
    acme: Acme, alice: Client, outbox_dir: Path, method: str, channel: str
) -> None:
    before = alice.cookies[COOKIE].value
    assert take_up(alice, method, channel=channel).status_code == 303
    page = text_of(alice.get(PROVE + NEXT))
    assert 'name="contact"' not in page
    code = newest_code(outbox_dir)
    assert code not in page

    assert "not right" in text_of(verify(alice, code=other_code(code)))
    assert is_proved(verify(alice, code=code))
    assert alice.cookies[COOKIE].value != before
    assert not is_proved(verify(alice, code=code))
    with acme.inside():
        types = set(AuditEvent.objects.values_list("type", flat=True))
    assert types >= {"user.proof_asked", "user.proof_sent", "user.proof_failed", "user.proved"}


def test_questions_are_answered_while_signed_in(alice: Client, acme: Acme) -> None:
    take_up(alice, "security_questions")
    with acme.inside():
        asked = ProofChallenge.objects.get().questions
    right = {f"answer_{n}": QUESTIONS[key] for n, key in enumerate(asked, start=1)}

    assert "Answer every question" in text_of(verify(alice, answer_1="x"))
    assert "Not every answer" in text_of(verify(alice, **{**right, "answer_2": "x"}))
    with acme.inside():
        asked = ProofChallenge.objects.get().questions
    right = {f"answer_{n}": QUESTIONS[key] for n, key in enumerate(asked, start=1)}
    assert is_proved(verify(alice, **right))


def test_a_code_of_another_session_is_nobodys(acme: Acme, alice: Client, outbox_dir: Path) -> None:
    take_up(alice, "email")
    code = newest_code(outbox_dir)
    thief = signed_in_client(acme, acme.alice)
    thief.get(PROVE + NEXT)

    assert not is_proved(verify(thief, code=code))
    assert is_proved(verify(alice, code=code))


def test_five_tries_end_a_code_and_ten_block_the_person_for_an_hour(
    acme: Acme, alice: Client, outbox_dir: Path
) -> None:
    take_up(alice, "email")
    code = newest_code(outbox_dir)
    answers = [verify(alice, code=other_code(code)) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 5
    assert not is_proved(verify(alice, code=code))

    take_up(alice, "mobile_phone")
    code = newest_code(outbox_dir)
    for _ in range(5):
        verify(alice, code=other_code(code))
    alice.get(PROVE + NEXT)
    blocked = verify(alice, code=app_code(acme.alice, timezone.now()))
    assert (blocked.status_code, int(blocked.headers["Retry-After"]) > 3500) == (429, True)

    with time_machine.travel(timezone.now() + timedelta(hours=1, seconds=5)):
        late = signed_in_client(acme, acme.alice)
        late.get(PROVE + NEXT)
        assert is_proved(verify(late, code=app_code(acme.alice, timezone.now())))


def test_the_sixth_text_message_in_an_hour_is_not_sent(
    acme: Acme, alice: Client, outbox_dir: Path
) -> None:
    answers = [take_up(alice, "mobile_phone").status_code for _ in range(6)]

    assert answers == [303] * 5 + [429]
    assert len(take_messages(outbox_dir, timezone.now())) == 5


def test_a_new_code_takes_its_time_and_ends_the_old_one(
    acme: Acme, alice: Client, outbox_dir: Path
) -> None:
    take_up(alice, "email")
    first = newest_code(outbox_dir)
    assert alice.post(f"{PROVE}send/{NEXT}").status_code == 429

    with time_machine.travel(timezone.now() + timedelta(seconds=31)):
        assert alice.post(f"{PROVE}send/{NEXT}").status_code == 303
        second = newest_code(outbox_dir)
        assert first == second or not is_proved(verify(alice, code=first))
        assert is_proved(verify(alice, code=second))


def test_an_expired_code_is_told_and_not_counted(
    acme: Acme, alice: Client, outbox_dir: Path
) -> None:
    take_up(alice, "email")
    code = newest_code(outbox_dir)

    with time_machine.travel(timezone.now() + timedelta(seconds=301)):
        assert "has expired" in text_of(verify(alice, code=code))
    with acme.inside():
        assert ProofChallenge.objects.get().tries == 0


@pytest.mark.parametrize("fields", [{"code": ""}, {"code": "12"}, {"method": "passkey"}])
def test_what_can_be_no_answer_is_not_counted(
    acme: Acme, alice: Client, fields: dict[str, str]
) -> None:
    alice.get(PROVE + NEXT)

    answer = verify(alice, **fields)

    assert answer.status_code == 400
    with acme.inside():
        assert ProofChallenge.objects.get().tries == 0


@pytest.mark.parametrize("method", ["", "passkey", "nothing", "email' --"])
def test_only_what_is_registered_can_be_chosen(alice: Client, method: str) -> None:
    page = text_of(take_up(alice, method))

    assert "Choose one of these ways" in page


def test_what_an_administrator_knows_is_no_second_factor(acme: Acme) -> None:
    with acme.inside():
        acme.alice.roles = ["global_administrator"]
        acme.alice.save(update_fields=["roles"])
    client = signed_in_client(acme, acme.alice)

    page = text_of(client.get(f"{PROVE}?next=/admin/&other=1"))

    assert 'value="email"' in page
    assert 'value="security_questions"' not in page
    prove_client(client, "security_questions")
    assert client.get("/admin/").status_code == 302


def test_an_administrator_without_anything_sets_it_up_first(acme: Acme) -> None:
    with acme.inside():
        acme.eve.roles = ["global_administrator"]
        acme.eve.save(update_fields=["roles"])
    client = signed_in_client(acme, acme.eve)

    answer = client.get("/admin/", follow=True)

    assert "First set up a second way" in text_of(answer)
    assert client.get("/admin/").status_code == 302


def test_a_session_that_was_ended_meanwhile_does_not_come_back(acme: Acme, alice: Client) -> None:
    alice.get(PROVE + NEXT)
    with acme.inside():
        acme.alice.session_epoch += 1
        acme.alice.save(update_fields=["session_epoch"])

    answer = verify(alice, code=app_code(acme.alice, timezone.now()))

    assert answer.headers["Location"].startswith("/sign-in/?next=")
