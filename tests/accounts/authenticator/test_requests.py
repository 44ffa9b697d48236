"""Signed requests: whose they are, and that none is answered twice."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Credential
from tests.accounts.authenticator.walks import ask
from tests.cast import Acme, Beta
from tests.services.phone import PENDING, Phone, Send, body_of, give_phone, sending

EMPTY = b"{}"


@pytest.fixture
def phone(acme: Acme) -> Phone:
    with acme.inside():
        return give_phone(acme.bob)


def test_a_device_sees_what_waits_for_its_person_and_never_the_number(
    acme: Acme, phone: Phone, send: Send
) -> None:
    question = ask(acme, acme.bob)
    ask(acme, acme.alice)
    ask(acme, None)

    answer = phone.post(send, PENDING, {})

    [request] = body_of(answer)["requests"]
    assert request["person"] == acme.bob.user_id
    assert (request["reference"], request["address"]) == ("K7M4-92QX", "192.0.2.7")
    assert request["purpose"] == "reset"
    assert "number" not in request
    assert f'"{question.number}"' not in answer.content.decode()


def test_a_request_that_is_over_is_not_shown(acme: Acme, phone: Phone, send: Send) -> None:
    ask(acme, acme.bob, now=timezone.now() - timedelta(minutes=16))

    assert phone.requests(send) == []


def test_a_stamp_is_used_once_and_only_rises(phone: Phone, send: Send) -> None:
    stamp = phone.stamp()
    headers = phone.headers(PENDING, EMPTY, stamp)

    first, again = send(PENDING, EMPTY, headers), send(PENDING, EMPTY, headers)
    earlier = send(PENDING, EMPTY, phone.headers(PENDING, EMPTY, stamp - 1))
    later = send(PENDING, EMPTY, phone.headers(PENDING, EMPTY, stamp + 1))

    assert [a.status_code for a in (first, again, earlier, later)] == [200, 401, 401, 200]
    assert body_of(again)["error"] == body_of(earlier)["error"] == "replayed"


@pytest.mark.parametrize(("seconds", "status"), [(-61, 401), (-55, 200), (55, 200), (61, 401)])
def test_a_clock_may_be_a_minute_off_and_is_told_the_time(
    phone: Phone, send: Send, seconds: int, status: int
) -> None:
    now = int(timezone.now().timestamp() * 1000)

    answer = send(PENDING, EMPTY, phone.headers(PENDING, EMPTY, now + seconds * 1000))

    assert answer.status_code == status
    assert abs(body_of(answer)["now"] - now) < 10_000
    if status == 401:
        assert body_of(answer)["error"] == "clock"


@pytest.mark.parametrize("part", ["path", "body", "stamp", "device", "key"])
def test_a_request_changed_on_its_way_is_not_heard(
    acme: Acme, phone: Phone, send: Send, part: str
) -> None:
    with acme.inside():
        other = give_phone(acme.bob)
    path, body = PENDING, EMPTY
    headers = phone.headers(path, body)
    if part == "path":
        path = "/authenticator/api/alerts/"
    elif part == "body":
        body = b'{"a": 1}'
    elif part == "stamp":
        headers["Sspr-Stamp"] = str(phone.stamp() + 1)
    elif part == "device":
        headers["Sspr-Device"] = other.device
    else:
        headers["Sspr-Signature"] = other.headers(path, body, phone.last)["Sspr-Signature"]

    answer = send(path, body, headers)

    assert (answer.status_code, body_of(answer)["error"]) == (401, "unknown")
    assert send(PENDING, EMPTY, phone.headers(PENDING, EMPTY)).status_code == 200


@pytest.mark.parametrize("case", ["removed", "disabled", "suspended", "tampered", "unproved, late"])
def test_a_device_that_is_none_any_more_is_not_heard(
    acme: Acme, phone: Phone, send: Send, case: str
) -> None:
    with acme.inside():
        rows = Credential.objects.filter(pk=phone.id)
        row = rows.get()
        if case == "removed":
            rows.delete()
        elif case == "disabled":
            acme.bob.is_active = False
            acme.bob.save()
        elif case == "suspended":
            acme.tenant.active = False
            acme.tenant.save()
        elif case == "tampered":
            rows.update(sealed=bytes(row.sealed)[:-1] + b"\x00")
        else:
            rows.update(confirmed_at=None, expires_at=timezone.now())

    answer = phone.post(send, PENDING, {})

    # On the host of a suspended organisation nothing answers at all.
    assert answer.status_code == (404 if case == "suspended" else 401)


def test_the_device_of_another_tenant_is_unknown_on_this_host(
    acme: Acme, beta: Beta, client: Client, send: Send
) -> None:
    with beta.inside():
        foreign = give_phone(beta.bob)

    assert foreign.post(send, PENDING, {}).status_code == 401
    client.defaults["HTTP_HOST"] = "localhost"
    assert foreign.post(sending(client), PENDING, {}).status_code == 200


@pytest.mark.parametrize(
    "device", ["", ".", "a.b", "x" * 32 + "." + "y" * 32, "0" * 32 + "." + "0" * 32, "é" * 40]
)
@pytest.mark.parametrize("stamp", ["", "-1", "1e9", "９", "9" * 16])
def test_headers_that_say_nothing_are_not_heard(
    acme: Acme, send: Send, device: str, stamp: str
) -> None:
    marks = {"Sspr-Device": device, "Sspr-Stamp": stamp, "Sspr-Signature": "!"}

    assert send(PENDING, EMPTY, marks).status_code == 401
    assert send(PENDING, EMPTY, {}).status_code == 401


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b"nothing", b"[" * 5000, b"{}" + b" " * 9000])
def test_what_is_no_object_is_refused(phone: Phone, send: Send, body: bytes) -> None:
    answer = send(PENDING, body, phone.headers(PENDING, body))

    assert (answer.status_code, body_of(answer)["error"]) == (400, "malformed")


def test_only_documents_are_read_and_only_by_post(phone: Phone, client: Client, send: Send) -> None:
    headers = phone.headers(PENDING, EMPTY)

    form = client.post(PENDING, {"a": "b"}, headers=headers)
    plain = client.post(PENDING, "{}", content_type="text/plain", headers=headers)

    assert (form.status_code, plain.status_code) == (400, 400)
    assert client.get(PENDING, headers=headers).status_code == 405


def test_no_cookie_is_needed_or_given(phone: Phone, send: Send) -> None:
    answer = phone.post(send, PENDING, {})

    assert answer.status_code == 200
    assert not answer.cookies
    assert answer.headers["Content-Type"] == "application/json"
    assert json.loads(answer.content)["proved"] is True
