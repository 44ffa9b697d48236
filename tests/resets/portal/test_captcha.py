"""The captcha: a proof of work or a waiting ticket, for one host, two minutes, once."""

import base64
import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from resets import captcha
from tests.cast import Acme, Beta
from tests.resets.visitor import Clock, Visitor, trail
from tests.resets.walks import set_policy


def _solved(host: str, now: datetime) -> str:
    made = json.loads(captcha.new_challenge(host, now))
    number = next(
        n
        for n in range(captcha.MAX_NUMBER + 1)
        if hashlib.sha256(f"{made['salt']}{n}".encode()).hexdigest() == made["challenge"]
    )
    answer = {
        "algorithm": made["algorithm"],
        "challenge": made["challenge"],
        "number": number,
        "salt": made["salt"],
        "signature": made["signature"],
    }
    return base64.b64encode(json.dumps(answer).encode()).decode()


def _send(visitor: Visitor, user_id: str, **fields: str) -> int:
    visitor.get("/reset/")
    return visitor.post("/reset/", {"user_id": user_id, "altcha": "", **fields}).status


def test_a_proof_of_work_opens_the_door_once(acme: Acme, visitor: Visitor, clock: Clock) -> None:
    solved = _solved(acme.host, clock.now)

    assert _send(visitor, acme.bob.user_id, altcha=solved) == 200
    assert visitor.shown.state == "proving"
    assert _send(visitor, acme.bob.user_id, altcha=solved) == 400


@pytest.mark.parametrize(("seconds", "status"), [(119, 200), (120, 400), (121, 400)])
def test_a_proof_of_work_lasts_two_minutes(
    acme: Acme, visitor: Visitor, clock: Clock, seconds: int, status: int
) -> None:
    solved = _solved(acme.host, clock.now)
    clock.shift(seconds=seconds)

    assert _send(visitor, acme.bob.user_id, altcha=solved) == status


def test_a_proof_of_work_of_another_host_is_none(
    acme: Acme, beta: Beta, visitor: Visitor, clock: Clock
) -> None:
    assert _send(visitor, acme.bob.user_id, altcha=_solved(beta.host, clock.now)) == 400
    assert trail(acme) == []


@pytest.mark.parametrize("change", ["number", "salt", "signature", "expires", "splice", "list"])
def test_a_proof_of_work_that_was_changed_is_none(
    acme: Acme, visitor: Visitor, clock: Clock, change: str
) -> None:
    answer = json.loads(base64.b64decode(_solved(acme.host, clock.now)))
    number = str(answer["number"])
    later = str(int((clock.now + timedelta(days=1)).timestamp()))
    changed: dict[str, Any] = {
        "number": {"number": answer["number"] + 1},
        "salt": {"salt": answer["salt"] + "x"},
        "signature": {"signature": "0" * 64},
        "expires": {"salt": answer["salt"].partition("?")[0] + f"?expires={later}&"},
        # The first digits of the number moved into the salt: the same text is hashed.
        "splice": {"salt": answer["salt"] + number[:1], "number": int(number[1:] or 0)},
        "list": {"challenge": [answer["challenge"]]},
    }[change]
    text = base64.b64encode(json.dumps({**answer, **changed}).encode()).decode()

    assert _send(visitor, acme.bob.user_id, altcha=text) == 400
    assert trail(acme) == []


@pytest.mark.parametrize(
    "payload",
    ["x", "e30=", "W10=", "bnVsbA==", "MQ==", "[" * 1500, base64.b64encode(b"[" * 1400).decode()],
)
def test_what_is_no_proof_of_work_is_refused(acme: Acme, visitor: Visitor, payload: str) -> None:
    assert _send(visitor, acme.bob.user_id, altcha=payload) == 400


@pytest.mark.parametrize("ticket", ["", "x", "x:y:z"])
def test_without_a_captcha_nothing_starts(acme: Acme, visitor: Visitor, ticket: str) -> None:
    assert _send(visitor, acme.bob.user_id, ticket=ticket) == 400
    assert visitor.shown.state == "started"
    assert visitor.shown.form.values["user_id"] == acme.bob.user_id
    assert trail(acme) == []


def _ticket(visitor: Visitor, host: str, age: float) -> str:
    with visitor.clock.running():
        return captcha.new_ticket(host, visitor.clock.now - timedelta(seconds=age))


def test_a_ticket_that_is_too_young_waits_on_a_page_that_comes_back(
    acme: Acme, visitor: Visitor, clock: Clock
) -> None:
    ticket = _ticket(visitor, acme.host, 1)
    _send(visitor, acme.bob.user_id, ticket=ticket)
    assert visitor.shown.state == "waiting"
    assert "http-equiv" in visitor.shown.text
    assert visitor.get("/reset/wait/").state == "waiting"
    assert trail(acme) == []

    clock.shift(seconds=3)
    page = visitor.get("/reset/wait/")

    assert page.state == "proving"
    assert visitor.client.cookies["sspr_wait"].value == ""


@pytest.mark.parametrize(("age", "status"), [(3, 200), (599, 200), (601, 400), (-1, 400)])
def test_a_ticket_ripens_and_grows_old(
    acme: Acme, visitor: Visitor, age: float, status: int
) -> None:
    assert _send(visitor, acme.bob.user_id, ticket=_ticket(visitor, acme.host, age)) == status


def test_a_ticket_works_once_and_on_its_own_host(acme: Acme, beta: Beta, visitor: Visitor) -> None:
    ticket = _ticket(visitor, acme.host, 10)

    assert _send(visitor, acme.bob.user_id, ticket=_ticket(visitor, beta.host, 10)) == 400
    assert _send(visitor, acme.bob.user_id, ticket=ticket) == 200
    assert _send(visitor, acme.bob.user_id, ticket=ticket) == 400


def test_a_false_proof_of_work_is_not_saved_by_a_ticket(acme: Acme, visitor: Visitor) -> None:
    ticket = _ticket(visitor, acme.host, 10)

    assert _send(visitor, acme.bob.user_id, ticket=ticket, altcha="e30=") == 400


def test_the_captcha_is_checked_before_anybody_is_looked_up(acme: Acme, visitor: Visitor) -> None:
    set_policy(acme, methods_required=1)

    for user_id in (acme.bob.user_id, "nobody@acme.example"):
        assert _send(visitor, user_id) == 400
    assert trail(acme) == []
