"""The laboratory itself: a secret that is kept is found, a difference that is shown is seen."""

import base64
import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.cast import CANARY, NEW_PASSWORD, Acme
from tests.resets.walks import BOB_EMAIL
from tests.security.lab.canaries import find_secrets
from tests.security.lab.client import Answer
from tests.security.lab.compare import assert_uniform
from tests.security.lab.lab import Lab
from tests.security.lab.observers import superuser

SECRET = 'Tüll-Ships "4" Every+body'


def test_a_whole_journey_over_the_wire_sets_the_password(lab: Lab) -> None:
    person = lab.browser()
    person.start(lab.acme.bob.user_id, work=True)
    person.verify(lab.app_code(lab.acme.bob))
    person.choose("email", BOB_EMAIL)
    person.verify(lab.code())
    person.submit(NEW_PASSWORD)

    assert person.state == "done"
    assert lab.password_is(lab.acme.bob, NEW_PASSWORD)


@pytest.mark.parametrize(
    "kept",
    [
        lambda text: text.encode(),
        lambda text: text.encode("utf-16-le"),
        lambda text: base64.b64encode(text.encode()),
        lambda text: base64.urlsafe_b64encode(b"x" + text.encode() + b"y"),
        lambda text: base64.b64encode(b"xx" + text.encode() + b"yy"),
        lambda text: text.encode().hex().encode(),
        lambda text: text.encode().hex().upper().encode(),
        lambda text: quote(text).encode(),
        lambda text: json.dumps({"x": text}).encode(),
    ],
)
def test_a_secret_is_found_in_every_dress(kept: Callable[[str], bytes]) -> None:
    places = {"table": b"before " + kept(SECRET) + b" after"}

    assert find_secrets(places, [SECRET])
    assert find_secrets({"table": b"nothing of it"}, [SECRET]) == []


def test_a_code_counts_where_it_stands_alone() -> None:
    assert find_secrets({"log": b'{"code": "402817"}'}, ["402817"])
    assert find_secrets({"log": b"at 09:30:00.402817Z, row 14028175"}, ["402817"]) == []


def test_a_secret_planted_in_a_table_or_the_log_fails_the_case(lab: Lab) -> None:
    lab.keep_secret(SECRET)
    lab.check()
    with superuser() as connection:
        change = "UPDATE accounts_user SET display_name = %s WHERE user_id = %s"
        connection.execute(change, [SECRET, lab.acme.eve.user_id])
    with pytest.raises(AssertionError, match="accounts_user"):
        lab.check()
    with superuser() as connection:
        connection.execute(change, ["Eve", lab.acme.eve.user_id])
    lab.check()
    with lab.server.log_file.open("a", encoding="utf-8") as log:
        log.write(f"somebody typed {quote(SECRET)}\n")
    with pytest.raises(AssertionError, match="log"):
        lab.check()
    lab.journal.secrets.discard(SECRET)


def test_a_row_of_the_other_tenant_that_changes_fails_the_case(lab: Lab) -> None:
    with lab.beta.inside():
        lab.beta.bob.display_name = "Bob"
        lab.beta.bob.save(update_fields=["display_name"])

    with pytest.raises(AssertionError, match="nobody worked in"):
        lab.check()
    lab.leave_alone(lab.beta)


def test_an_answer_that_shows_the_other_tenant_or_fails_is_seen(lab: Lab) -> None:
    shown = Answer("GET", lab.acme.host, "/x/", 200, (), CANARY.encode())
    failed = Answer("GET", lab.acme.host, "/x/", 500, (), b"")
    for answer in (shown, failed):
        lab.journal.add(answer)
        with pytest.raises(AssertionError):
            lab.check()
        lab.journal.answers.remove(answer)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ((("Content-Type", "text/html"),), b"<p>other</p>"),
        ((("Content-Type", "text/plain"),), b"<p>same</p>"),
        ((("Content-Type", "text/html"), ("Set-Cookie", "a=longer; Path=/")), b"<p>same</p>"),
    ],
)
def test_answers_that_differ_are_not_uniform(
    headers: tuple[tuple[str, str], ...], body: bytes
) -> None:
    usual = (("Content-Type", "text/html"), ("Set-Cookie", "a=short; Path=/"))
    one = Answer("GET", "acme", "/", 200, usual, b"<p>same</p>")

    assert_uniform(one, one)
    with pytest.raises(AssertionError):
        assert_uniform(one, Answer("GET", "acme", "/", 200, headers, body))


def test_the_addresses_of_two_attackers_differ(lab: Lab, acme: Acme) -> None:
    one, other = lab.browser(), lab.begun(acme.bob.user_id)

    assert one.address != other.address
    assert lab.flow(other).address == other.address
