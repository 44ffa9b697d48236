"""A-113…A-115: secrets stay nowhere, not even when something breaks, and the queue holds ids."""

import os
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from psycopg import sql

from accounts.models import AuthenticatorDevice, ContactPoint, QuestionAnswer
from notifications.models import Message
from notifications.sealing import opened
from resets.models import Challenge
from tenants.keys import SealBroken, forget_keys
from tests.cast import (
    ALICE_EMAIL,
    ALICE_MOBILE,
    ALICE_OFFICE,
    NEW_PASSWORD,
    PASSWORD,
    QUESTIONS,
    seed_of,
)
from tests.resets.walks import BOB_EMAIL
from tests.security.lab.canaries import find_secrets
from tests.security.lab.client import Answer, Browser
from tests.security.lab.lab import Lab
from tests.security.lab.observers import dump, superuser
from tests.services.server import ROOT

DIGITS = ALICE_MOBILE.replace(" ", "")


@dataclass
class Sweep:
    """One journey by one method, looked into while it runs."""

    lab: Lab
    browser: Browser
    password: str

    def look(self) -> None:
        """Everything that is kept at this moment, for every secret there is so far."""
        lab = self.lab
        secrets: set[str | bytes] = {*lab.journal.secrets, *lab.codes, *lab.seeds, self.password}
        places = {**dump(), "log": lab.log.encode()}
        assert find_secrets(places, secrets) == []


def _by_app(lab: Lab, person: Browser) -> None:
    person.verify(lab.app_code(lab.acme.alice))


def _by_sent_code(lab: Lab, person: Browser) -> None:
    """The code must be in no row while it waits to be sent, either."""
    waiting = {**dump(), "log": lab.log.encode()}
    code = lab.code()
    assert find_secrets(waiting, [code]) == []
    person.verify(code)


def _by_questions(lab: Lab, person: Browser) -> None:
    with lab.acme.inside():
        asked = Challenge.objects.get(flow=person.flow, dead=False, used_at=None).questions
    person.verify(answers=[QUESTIONS[key] for key in asked])


METHODS: dict[str, tuple[tuple[str, ...], Callable[[Lab, Browser], None]]] = {
    "app_code": (("app_code",), _by_app),
    "email": (("email", ALICE_EMAIL), _by_sent_code),
    "sms": (("mobile_phone", ALICE_MOBILE, "sms"), _by_sent_code),
    "voice": (("mobile_phone", ALICE_MOBILE, "voice"), _by_sent_code),
    "office_phone": (("office_phone", ALICE_OFFICE), _by_sent_code),
    "security_questions": (("security_questions",), _by_questions),
}


@pytest.mark.parametrize("method", METHODS)
def test_a113_a_whole_journey_by_each_method_leaves_no_secret_anywhere(
    lab: Lab, method: str
) -> None:
    gates = 2 if method == "security_questions" else 1
    lab.policy(methods_required=gates, password_rules="nist")
    canary = f'Überfahrt "{method}" & 100% <Kanarienvögel>'
    person = lab.begun(lab.acme.alice.user_id)
    sweep = Sweep(lab, person, canary)
    chosen, prove = METHODS[method]

    person.choose(*chosen)
    sweep.look()
    prove(lab, person)
    if method == "security_questions":
        person.choose("app_code")
        _by_app(lab, person)
    sweep.look()
    person.submit("short")
    person.submit(canary)
    lab.messages()
    sweep.look()

    assert person.state == "done"
    assert lab.password_is(lab.acme.alice, canary)
    assert chosen[0] in lab.gates(person)
    assert canary not in "".join(answer.text for answer in person.walk)
    assert find_secrets({"messages": repr(lab.sent).encode()}, [canary, *QUESTIONS.values()]) == []


def test_a113_seeds_contacts_and_answers_are_unreadable_without_the_key(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.policy(methods_required=1)
    alice = lab.acme.alice
    person = lab.begun(alice.user_id)
    person.choose("email", ALICE_EMAIL)
    with lab.acme.inside():
        device = AuthenticatorDevice.objects.get(user=alice)
        contacts = list(ContactPoint.objects.filter(user=alice))
        message = Message.objects.get()
        readable = [device.read_seed().reveal(), *(row.read().reveal() for row in contacts)]
        answers = list(QuestionAnswer.objects.filter(user=alice))
    assert readable[0] == seed_of(alice)
    assert ALICE_EMAIL in readable

    monkeypatch.setattr("django.conf.settings.SSPR_MASTER_KEY", b64encode(bytes(32)).decode())
    forget_keys()
    with lab.acme.inside():
        for read in (device.read_seed, *(row.read for row in contacts)):
            with pytest.raises(SealBroken):
                read()
        with pytest.raises(SealBroken):
            opened(message, "recipient")
    monkeypatch.undo()
    forget_keys()

    hashes = [row.answer_hash for row in answers]
    assert len({text for text in hashes if text.startswith("argon2$argon2id$")}) == len(QUESTIONS)
    kept = dump()
    given: set[str | bytes] = {
        ALICE_EMAIL,
        DIGITS,
        ALICE_OFFICE,
        *QUESTIONS.values(),
        seed_of(alice),
    }
    assert find_secrets(kept, given) == []
    assert find_secrets(kept, [alice.user_id]) != []  # what is no secret is found by this search


# --- exceptions ---------------------------------------------------------------------------

CONSTRAINT = sql.Identifier("broken_on_purpose")


@contextmanager
def _broken(table: str) -> Iterator[None]:
    """No row can be written into this table: the statement fails in the middle of the work."""
    name = sql.Identifier(table)
    with superuser() as connection:
        add = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} CHECK (false) NOT VALID")
        connection.execute(add.format(name, CONSTRAINT))
    try:
        yield
    finally:
        with superuser() as connection:
            drop = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
            connection.execute(drop.format(name, CONSTRAINT))


def _ready(lab: Lab, step: str) -> Browser:
    """Bob in front of the step."""
    person = lab.browser()
    if step == "start":
        return person
    person.start(lab.acme.bob.user_id)
    if step in {"verify", "choose"}:
        return person
    person.verify(lab.app_code(lab.acme.bob))
    person.choose("email", BOB_EMAIL)
    if step == "submit":
        person.verify(lab.code())
    return person


STEPS: dict[str, tuple[str, Callable[[Lab, Browser], Answer]]] = {
    "start": ("resets_flow", lambda lab, person: person.start(lab.acme.bob.user_id)),
    "choose": ("notifications_message", lambda lab, person: person.choose("email", BOB_EMAIL)),
    "verify": ("resets_gate", lambda lab, person: person.verify(lab.app_code(lab.acme.bob))),
    "submit": ("accounts_user", lambda lab, person: person.submit(NEW_PASSWORD)),
}
TOLD = re.compile(r"(?i)traceback|integrityerror|constraint|broken_on_purpose|\.py|line \d")


@pytest.mark.parametrize("step", STEPS)
def test_a114_a_step_that_breaks_tells_nobody_what_was_in_its_hands(lab: Lab, step: str) -> None:
    lab.expect_5xx()
    table, act = STEPS[step]
    person = _ready(lab, step)
    typed = [NEW_PASSWORD, BOB_EMAIL, lab.acme.bob.user_id]

    with _broken(table):
        answer = act(lab, person)

    assert answer.status == 500
    assert TOLD.search(answer.text) is None
    assert not any(text in answer.text for text in typed)
    lines = [line for line in lab.log.splitlines() if '"IntegrityError"' in line]
    assert len(lines) == 1
    assert '"frames"' in lines[0]
    assert find_secrets({"log": lab.log.encode()}, [*typed, *lab.codes, *lab.journal.secrets]) == []
    assert not re.search(r'(?i)locals|failing row|DETAIL|"password|Traceback', lab.log)
    assert lab.password_is(lab.acme.bob, PASSWORD)
    assert person.get(person.flow_path or "/reset/").status == 200


def test_a114_a_worker_that_breaks_tells_nobody_what_was_in_its_hands(lab: Lab) -> None:
    lab.policy(methods_required=1)
    person = lab.begun(lab.acme.bob.user_id)
    person.choose("email", BOB_EMAIL)

    with _broken("notifications_message"):
        done = subprocess.run(
            [sys.executable, "manage.py", "work", "--once"],
            cwd=ROOT,
            env=dict(os.environ),
            capture_output=True,
            check=False,
            timeout=60,
        )
    said = done.stdout + done.stderr
    code = lab.code()

    assert b"queue_failed" in said
    assert b'"IntegrityError"' in said
    assert find_secrets({"worker": said}, [code, BOB_EMAIL, lab.acme.bob.user_id]) == []
    assert not re.search(rb"(?i)locals|failing row|DETAIL|Traceback", said)
    person.verify(code)
    assert person.state == "choosing"


# --- the queue ----------------------------------------------------------------------------

WORDS = re.compile(r"[a-z0-9_]{0,40}")
REFERENCE = re.compile(r"[2-9A-Z]{4}-[2-9A-Z]{4}")
OPAQUE = {
    "id",
    "tenant_id",
    "correlation_id",
    "recipient",
    "context",
    "code_nonce",
    "code_binding",
}
MOMENTS = {"due_at", "expires_at", "sent_at", "created_at"}


def test_a115_what_waits_to_be_sent_is_ids_words_of_ours_and_sealed_bytes(lab: Lab) -> None:
    lab.policy(methods_required=1, notify_admins="all")
    waiting = [
        (lab.acme.alice, ("email", ALICE_EMAIL)),
        (lab.acme.alice, ("mobile_phone", ALICE_MOBILE, "sms")),
        (lab.acme.alice, ("mobile_phone", ALICE_MOBILE, "voice")),
        (lab.acme.alice, ("office_phone", ALICE_OFFICE)),
        (lab.acme.carol, ("email", "carol@example.net")),
    ]
    for user, chosen in waiting:
        lab.begun(user.user_id).choose(*chosen)
    done = lab.begun(lab.acme.bob.user_id)
    done.choose("app_code")
    done.verify(lab.app_code(lab.acme.bob))
    done.submit(NEW_PASSWORD)

    with lab.acme.inside():
        rows = list(Message.objects.filter(state="queued").values())
    kept = dump()["notifications_message"]

    assert {row["kind"] for row in rows} >= {"code", "password_changed"}
    for row in rows:
        assert REFERENCE.fullmatch(row.pop("reference"))
        words = {name: row[name] for name in set(row) - OPAQUE - MOMENTS}
        for name, value in words.items():
            assert isinstance(value, int) or WORDS.fullmatch(value), name
    people = [lab.acme.alice, lab.acme.bob, lab.acme.carol]
    names = [text for user in people for text in (user.user_id, user.display_name)]
    addresses = [ALICE_EMAIL, BOB_EMAIL, "carol@example.net", DIGITS, DIGITS[2:]]
    lab.messages()
    assert len(lab.codes) >= len(waiting)
    assert find_secrets({"queue": kept}, [*names, *addresses, *lab.codes, NEW_PASSWORD]) == []
