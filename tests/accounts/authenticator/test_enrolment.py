"""Setting a device up: scan, first approval, and only then it counts."""

import base64
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.authenticator.devices import find_record
from accounts.authenticator.enrolment import find_pending
from accounts.methods.registry import get_method
from accounts.models import ApprovalRequest, AuthenticatorDevice, Credential
from accounts.people import belongings_of
from accounts.registration.registrable import get_registrable
from tenants.models import AuditEvent
from tests.accounts.authenticator.urls import DONE
from tests.accounts.authenticator.walks import ask, context
from tests.cast import Acme, Beta, app_code, give_app
from tests.resets.visitor import Page, take_messages
from tests.services.phone import DECIDE, ENROL, PENDING, Phone, Send, body_of, give_phone, sending
from tests.services.signed_in import signed_in_client

ADD = "/security-info/authenticator/"
CODE = re.compile(r">([A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{4})<")
NUMBER = re.compile(r'class="number">\s*<bdi[^>]*>(\d\d)</bdi>')


@pytest.fixture(autouse=True)
def _own_addresses(settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.accounts.authenticator.urls"


@pytest.fixture
def desk(acme: Acme) -> Client:
    """Bob's browser, signed in."""
    return signed_in_client(acme, acme.bob)


def shown(response: Any, pattern: re.Pattern[str]) -> str:
    found = pattern.search(response.content.decode())
    assert found is not None, response.content.decode()
    return found[1]


def enrolled(desk: Client, send: Send) -> tuple[Phone, dict[str, Any]]:
    """Bob's phone, set up with the code on the page but not proved yet."""
    phone = Phone.new()
    code = shown(desk.get(ADD), CODE)
    answer = send(ENROL, encoded(phone.offer(code)), {})
    assert answer.status_code == 200
    welcome = body_of(answer)
    phone.device = welcome["device"]
    return phone, welcome


def encoded(content: Any) -> bytes:
    return json.dumps(content).encode()


def post(desk: Client, **fields: str) -> Any:
    return desk.post(ADD, fields)


def bobs(acme: Acme) -> list[Credential]:
    with acme.inside():
        return list(Credential.objects.filter(user=acme.bob, method="app_notification"))


def test_a_device_is_scanned_approved_once_and_then_counts(
    acme: Acme, desk: Client, send: Send, outbox_dir: Path
) -> None:
    phone, welcome = enrolled(desk, send)
    with acme.inside():
        assert (
            get_method("app_notification").registrations(belongings_of(acme.bob), context()) == ()
        )

    number = shown(desk.get(ADD), NUMBER)
    [request] = phone.requests(send)
    assert request["purpose"] == "enrolment"
    assert body_of(phone.answer(send, "approve", number)) == {"outcome": "approved"}
    done = post(desk, code=number)

    assert (done.status_code, done.headers["Location"]) == (303, DONE)
    [row] = bobs(acme)
    with acme.inside():
        own = belongings_of(acme.bob)
        assert get_method("app_notification").registrations(own, context())
        assert row.name == "Phone"
        record = find_record(row)
        assert record is not None
        assert (record.seed, record.round) == (b"", None)
        # The same device gives codes: the seed it got is the one that is kept.
        device = AuthenticatorDevice.objects.get(pk=record.app)
        assert device.confirmed
        seed = base64.b32decode(welcome["seed"])
        assert device.read_seed().reveal() == seed
        [event] = AuditEvent.objects.filter(type="method.registered")
        assert event.data == {"method": "app_notification", "name": "Phone"}
    kinds = [m["kind"] for m in take_messages(outbox_dir, timezone.now())]
    assert kinds == ["method_changed"]
    assert phone.requests(send) == []
    assert app_code(acme.bob, timezone.now(), seed=seed)


def test_the_code_of_the_page_is_kept_nowhere_and_works_once(
    acme: Acme, desk: Client, send: Send
) -> None:
    code = shown(desk.get(ADD), CODE)
    first, second = Phone.new(), Phone.new()

    answers = [send(ENROL, encoded(phone.offer(code.lower())), {}) for phone in (first, second)]

    assert [answer.status_code for answer in answers] == [200, 400]
    assert body_of(answers[1])["error"] == "code"
    [row] = bobs(acme)
    assert code.replace("-", "").encode() not in bytes(row.sealed)
    assert row.lookup is None


@pytest.mark.parametrize("case", ["wrong", "late", "replaced", "empty", "long"])
def test_a_code_that_is_not_waited_for_sets_nothing_up(
    acme: Acme, desk: Client, send: Send, case: str
) -> None:
    code = shown(desk.get(ADD), CODE)
    if case == "late":
        with acme.inside():
            Credential.objects.filter(user=acme.bob).update(expires_at=timezone.now())
    elif case == "replaced":
        desk.get(ADD)
    typed = {"wrong": "2222-2222-2222", "empty": "", "long": code + "2"}.get(case, code)

    answer = send(ENROL, encoded(Phone.new().offer(typed)), {})

    assert (answer.status_code, body_of(answer)["error"]) == (400, "code")
    assert all(find_record_of(acme, row) is None for row in bobs(acme))


def find_record_of(acme: Acme, row: Credential) -> object:
    with acme.inside():
        return find_record(row)


@pytest.mark.parametrize("part", ["key", "signature", "code", "nothing"])
def test_a_key_is_taken_only_from_whoever_holds_it(
    acme: Acme, desk: Client, send: Send, part: str
) -> None:
    code = shown(desk.get(ADD), CODE)
    phone = Phone.new()
    offer, other = phone.offer(code), Phone.new().offer(code)
    if part == "code":
        offer["signature"] = phone.offer("2222-2222-2222")["signature"]
    elif part == "nothing":
        offer = {"code": code}
    else:
        offer[part] = other[part]

    assert send(ENROL, encoded(offer), {}).status_code == 400
    assert send(ENROL, encoded(phone.offer(code)), {}).status_code == 200


def test_trying_codes_is_counted_by_address(acme: Acme, desk: Client, send: Send) -> None:
    code = shown(desk.get(ADD), CODE)
    for _ in range(30):
        assert send(ENROL, encoded(Phone.new().offer("2222-2222-2222")), {}).status_code == 400

    assert send(ENROL, encoded(Phone.new().offer(code)), {}).status_code == 400


def test_a_typed_code_needs_the_user_id_on_the_shared_host(
    acme: Acme, beta: Beta, desk: Client, client: Client
) -> None:
    code = shown(desk.get(ADD), CODE)
    client.defaults["HTTP_HOST"] = "localhost"
    send, phone = sending(client), Phone.new()

    alone = send(ENROL, encoded(phone.offer(code)), {})
    foreign = send(ENROL, encoded(phone.offer(code, user_id="bob@beta.example")), {})
    nobody = send(ENROL, encoded(phone.offer(code, tenant="0" * 32)), {})
    right = send(ENROL, encoded(phone.offer(code, user_id=acme.bob.user_id)), {})

    assert [a.status_code for a in (alone, foreign, nobody, right)] == [400, 400, 400, 200]
    manifest = client.get(body_of(right)["manifest"])
    assert manifest.json()["name"] == "Acme Authenticator"


def test_without_javascript_the_button_says_what_is_missing(
    acme: Acme, desk: Client, send: Send
) -> None:
    first = desk.get(ADD)
    code = shown(first, CODE)
    pending = Page(first).form.values["pending"]

    early = post(desk, pending=pending)
    assert "No phone has used this code yet" in early.content.decode()
    assert shown(early, CODE) == code
    phone = Phone.new()
    phone.device = body_of(send(ENROL, encoded(phone.offer(code)), {}))["device"]
    here = post(desk, pending=pending)
    assert "data-summary" not in here.content.decode()
    waiting = post(desk, code=shown(here, NUMBER))

    assert "not approved yet" in waiting.content.decode()
    number = shown(waiting, NUMBER)
    phone.answer(send, "approve", number)
    assert post(desk, code=number).status_code == 303


@pytest.mark.parametrize("pending", ["", "00", "zz", "é" * 10])
def test_a_form_with_somebody_elses_code_gets_a_new_one(
    acme: Acme, desk: Client, pending: str
) -> None:
    code = shown(desk.get(ADD), CODE)

    assert shown(post(desk, pending=pending), CODE) != code


def test_after_a_wrong_number_there_is_another_and_after_three_another_code(
    acme: Acme, desk: Client, send: Send
) -> None:
    phone, _ = enrolled(desk, send)
    seen = []
    for _ in range(2):
        number = shown(desk.get(ADD), NUMBER)
        seen.append(number)
        phone.answer(send, "deny")
        again = post(desk, code=number)
        assert "The request was not approved" in again.content.decode()
        assert shown(again, NUMBER)
    phone.answer(send, "deny")

    last = post(desk)

    assert shown(last, CODE)
    assert phone.post(send, PENDING, {}).status_code == 401
    with acme.inside():
        assert AuthenticatorDevice.objects.filter(user=acme.bob).count() == 1


def test_starting_again_forgets_the_device(acme: Acme, desk: Client, send: Send) -> None:
    phone, _ = enrolled(desk, send)

    page = post(desk, again="1")

    assert shown(page, CODE)
    assert phone.post(send, PENDING, {}).status_code == 401


def test_a_device_that_is_set_up_sees_and_answers_nothing_else(
    acme: Acme, desk: Client, send: Send
) -> None:
    phone, _ = enrolled(desk, send)
    question = ask(acme, acme.bob)

    assert [r["purpose"] for r in phone.requests(send)] == ["enrolment"]
    decision = phone.decision(question.shown(), "approve", question.number)
    assert phone.post(send, DECIDE, decision).status_code == 403


def test_no_more_than_five_authenticators_together(acme: Acme, desk: Client, send: Send) -> None:
    with acme.inside():
        for place in range(3):
            give_app(acme.bob, bytes([place]) * 20)
        give_phone(acme.bob)
    phone, _ = enrolled(desk, send)
    number = shown(desk.get(ADD), NUMBER)
    phone.answer(send, "approve", number)

    page = post(desk, code=number)

    assert "as many authenticators as you may have" in page.content.decode()
    with acme.inside():
        assert AuthenticatorDevice.objects.filter(user=acme.bob).count() == 4


def test_a_report_of_fraud_holds_for_a_device_that_is_added_meanwhile(
    acme: Acme, desk: Client, send: Send
) -> None:
    until = timezone.now() + timedelta(hours=20)
    with acme.inside():
        old = give_phone(acme.bob)
        Credential.objects.filter(pk=old.id).update(paused_until=until)
    phone, _ = enrolled(desk, send)
    number = shown(desk.get(ADD), NUMBER)
    phone.answer(send, "approve", number)
    assert post(desk, code=number).status_code == 303

    assert {row.paused_until for row in bobs(acme)} == {until}


def test_the_page_learns_by_asking_what_it_waits_for(acme: Acme, desk: Client, send: Send) -> None:
    address = "/authenticator/setting-up/?stage="

    def waits(stage: str) -> bool:
        found: bool = desk.get(address + stage).json()["waiting"]
        return found

    desk.get(ADD)
    assert waits("scan")
    phone, _ = enrolled(desk, send)
    assert (waits("scan"), waits("approve")) == (False, True)
    phone.answer(send, "approve", shown(desk.get(ADD), NUMBER))
    assert not waits("approve")
    assert Client(headers={"host": acme.host}).get(address + "scan").status_code == 302


def test_a_device_can_be_renamed_and_removed_with_its_codes(
    acme: Acme, desk: Client, send: Send
) -> None:
    phone, _ = enrolled(desk, send)
    number = shown(desk.get(ADD), NUMBER)
    phone.answer(send, "approve", number)
    post(desk, code=number)
    registrable = get_registrable("app_notification")
    [row] = bobs(acme)
    with acme.inside():
        [entry] = registrable.entries(belongings_of(acme.bob), context())

    page = desk.get(f"{ADD}{entry.id}/")
    assert 'value="Phone"' in page.content.decode()
    empty = desk.post(f"{ADD}{entry.id}/", {"name": " \u202e "})
    assert "Type a name" in empty.content.decode()
    assert desk.post(f"{ADD}{entry.id}/", {"name": " My\nold  phone "}).status_code == 303
    assert desk.get(f"{ADD}{row.tenant_id}/").status_code == 404

    with acme.inside():
        own = belongings_of(acme.bob)
        assert [e.name for e in registrable.entries(own, context())] == ["My old phone"]
        assert registrable.remove(own, "nothing", timezone.now()) is None
        assert registrable.remove(own, entry.id, timezone.now()) == "My old phone"
        assert AuthenticatorDevice.objects.filter(user=acme.bob).count() == 1
        assert registrable.entries(belongings_of(acme.bob), context()) == []
        types = AuditEvent.objects.filter(type="method.changed").count()
    assert types == 1


def test_requests_of_setting_up_are_the_persons_own(acme: Acme, desk: Client, send: Send) -> None:
    enrolled(desk, send)
    with acme.inside():
        pending = find_pending(acme.bob, timezone.now())
        assert pending is not None
        assert pending.request is not None
        assert ApprovalRequest.objects.get().meant_for == pending.credential.pk
        assert find_pending(acme.alice, timezone.now()) is None
