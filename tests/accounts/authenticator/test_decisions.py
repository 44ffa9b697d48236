"""Answers of a device: with the number, once, by the right device; and "it was not me"."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApprovalRequest, Credential
from accounts.people import belongings_of
from accounts.signals import repudiated
from tenants.models import AuditEvent
from tests.accounts.authenticator.walks import METHOD, Question, ask, context
from tests.cast import Acme, Beta, Organisation
from tests.resets.visitor import take_messages
from tests.services.phone import DECIDE, PENDING, Phone, Send, body_of, give_phone, sending


@pytest.fixture
def phone(acme: Acme) -> Phone:
    with acme.inside():
        return give_phone(acme.bob)


@pytest.fixture
def question(acme: Acme, phone: Phone) -> Question:
    return ask(acme, acme.bob)


def events(organisation: Organisation, event_type: str) -> list[AuditEvent]:
    with organisation.inside():
        return list(AuditEvent.objects.filter(type=event_type))


def test_the_right_number_approves_and_names_the_device(
    acme: Acme, phone: Phone, question: Question, send: Send
) -> None:
    assert question.is_waiting()

    answer = phone.answer(send, "approve", question.number)

    assert body_of(answer) == {"outcome": "approved"}
    assert not question.is_waiting()
    verdict = question.verdict()
    assert verdict.right
    with acme.inside():
        [registered] = METHOD.registrations(belongings_of(acme.bob), context())
        assert verdict.evidence in registered.evidence
        assert Credential.objects.get(pk=phone.id).used_at is not None
    [event] = events(acme, "push.answered")
    assert event.data == {"decision": "approved", "purpose": "reset"}
    assert question.number not in repr(event.data)


@pytest.mark.parametrize("number", ["", "wrong", "7", "007", "٤٢", " 1"])
def test_any_other_number_ends_the_request(
    phone: Phone, question: Question, send: Send, number: str
) -> None:
    typed = question.wrong_number if number == "wrong" else number

    first = phone.answer(send, "approve", typed)
    second = phone.post(send, DECIDE, phone.decision(question.shown(), "approve", question.number))

    # What is no two digits is not even read as that, so its signature is over something else.
    assert body_of(first)["outcome"] in {"wrong_number", "mismatch"}
    if body_of(first)["outcome"] == "wrong_number":
        assert question.row.state == "cancelled"
        assert (second.status_code, body_of(second)["outcome"]) == (409, "over")
        assert (question.verdict().right, question.verdict().cause) == (False, "wrong_number")


def test_the_first_decision_is_final(acme: Acme, question: Question, send: Send) -> None:
    with acme.inside():
        first, second = give_phone(acme.bob), give_phone(acme.bob)
    shown = question.shown()

    denied = first.post(send, DECIDE, first.decision(shown, "deny"))
    late = second.post(send, DECIDE, second.decision(shown, "approve", question.number))

    assert body_of(denied)["outcome"] == "denied"
    assert (late.status_code, body_of(late)["outcome"]) == (409, "over")
    assert (question.verdict().right, question.verdict().cause) == (False, "denied")


def test_too_late_is_over(acme: Acme, phone: Phone, send: Send) -> None:
    question = ask(acme, acme.bob, now=timezone.now() - timedelta(minutes=16))

    answer = phone.post(send, DECIDE, phone.decision(question.shown(), "approve", question.number))

    assert (answer.status_code, body_of(answer)["outcome"]) == (409, "over")
    assert not question.verdict().right


def test_the_device_of_somebody_else_is_refused_and_recorded_once(
    acme: Acme, question: Question, send: Send
) -> None:
    with acme.inside():
        foreign = give_phone(acme.alice)

    for _ in range(3):
        decision = foreign.decision(question.shown(), "approve", question.number)
        answer = foreign.post(send, DECIDE, decision)
        assert (answer.status_code, body_of(answer)["outcome"]) == (403, "mismatch")

    assert question.is_waiting()
    [event] = events(acme, "push.device_mismatch")
    assert (event.result, event.data) == ("denied", {"cause": "request"})
    assert (event.actor_label, event.target_label) == (acme.alice.user_id, acme.bob.user_id)


def test_the_device_of_another_tenant_is_refused_and_recorded_there(
    acme: Acme, beta: Beta, question: Question, client: Client
) -> None:
    client.defaults["HTTP_HOST"] = "localhost"
    send = sending(client)
    with beta.inside():
        foreign = give_phone(beta.bob)
    decision = foreign.decision(question.shown(), "approve", question.number)

    answer = foreign.post(send, DECIDE, decision)
    # The same device under the name of acme's tenant.
    foreign.device = f"{acme.id.hex}.{foreign.id.hex}"
    pretended = foreign.post(send, DECIDE, decision)

    assert (answer.status_code, pretended.status_code) == (403, 401)
    assert question.is_waiting()
    assert [event.data for event in events(beta, "push.device_mismatch")] == [{"cause": "request"}]
    assert [event.data for event in events(acme, "push.device_mismatch")] == [{"cause": "unknown"}]


@pytest.mark.parametrize("part", ["challenge", "tenant", "number", "decision", "key"])
def test_a_decision_signed_over_anything_else_is_refused(
    acme: Acme, phone: Phone, question: Question, send: Send, part: str
) -> None:
    shown: dict[str, Any] = question.shown()
    if part in {"challenge", "tenant"}:
        signed = phone.decision({**shown, part: str(uuid4())}, "approve", question.number)
    elif part == "number":
        signed = phone.decision(shown, "approve", question.wrong_number)
    elif part == "decision":
        signed = phone.decision(shown, "deny", question.number)
    else:
        signed = Phone.new().decision(shown, "approve", question.number)
    right = phone.decision(shown, "approve", question.number)

    answer = phone.post(send, DECIDE, {**right, "signature": signed["signature"]})

    assert (answer.status_code, body_of(answer)["outcome"]) == (403, "mismatch")
    assert question.is_waiting()
    assert [e.data for e in events(acme, "push.device_mismatch")] == [{"cause": "signature"}]


@pytest.mark.parametrize("change", ["state", "signature", "device"])
def test_a_row_changed_by_hand_approves_nothing(
    acme: Acme, phone: Phone, question: Question, send: Send, change: str
) -> None:
    with acme.inside():
        other = give_phone(acme.bob)
        rows = ApprovalRequest.objects.filter(challenge=question.asked.challenge)
    if change == "state":
        with acme.inside():
            rows.update(state="approved", decided_by=phone.id)
    else:
        phone.answer(send, "approve", question.number)
        assert question.verdict().right
        with acme.inside():
            if change == "signature":
                rows.update(signature=bytes(64))
            else:
                rows.update(decided_by=other.id)

    assert not question.verdict().right


def test_a_device_that_was_removed_after_it_approved_proves_nothing(
    acme: Acme, phone: Phone, question: Question, send: Send
) -> None:
    phone.answer(send, "approve", question.number)
    assert question.verdict().right
    with acme.inside():
        Credential.objects.filter(pk=phone.id).delete()

    assert not question.verdict().right


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"request": "x", "decision": "approve"},
        {"request": None, "decision": "approve"},
        {"request": str(uuid4()), "decision": "perhaps"},
        {"request": str(uuid4()), "decision": ["approve"]},
    ],
)
def test_what_is_no_decision_is_refused(
    phone: Phone, question: Question, send: Send, content: dict[str, Any]
) -> None:
    assert phone.post(send, DECIDE, content).status_code == 400
    assert question.is_waiting()


def test_it_was_not_me_ends_pauses_and_tells(
    acme: Acme, phone: Phone, question: Question, send: Send, outbox_dir: Path
) -> None:
    other = ask(acme, acme.bob)
    heard: list[Any] = []

    def hear(**about: Any) -> None:
        heard.append((about["tenant"], about["challenge"]))

    repudiated.connect(hear)
    try:
        decision = phone.decision(question.shown(), "not_me")
        answer = phone.post(send, DECIDE, decision)
    finally:
        repudiated.disconnect(hear)

    now = timezone.now()
    assert body_of(answer)["outcome"] == "not_me"
    verdict = question.verdict()
    assert (verdict.right, verdict.ends, verdict.cause) == (False, True, "not_me")
    assert not other.is_waiting()
    assert heard == [(acme.id, question.asked.challenge)]
    with acme.inside():
        own = belongings_of(acme.bob)
        assert METHOD.registrations(own, context(now + timedelta(hours=23))) == ()
        assert METHOD.registrations(own, context(now + timedelta(hours=25)))
    assert body_of(phone.post(send, PENDING, {}))["paused"] > now.timestamp() * 1000
    [event] = events(acme, "push.repudiated")
    assert (event.result, event.data["purpose"]) == ("success", "reset")
    told = {m["to"] for m in take_messages(outbox_dir, now) if m["kind"] == "approval_reported"}
    assert told == {"bob@example.net", acme.carol.user_id}


def test_nobody_elses_devices_are_paused(
    acme: Acme, phone: Phone, question: Question, send: Send
) -> None:
    with acme.inside():
        give_phone(acme.alice)

    phone.answer(send, "not_me")

    with acme.inside():
        assert METHOD.registrations(belongings_of(acme.alice), context())


def test_a_decoy_looks_alike_and_is_shown_nowhere(acme: Acme, phone: Phone, send: Send) -> None:
    decoy = ask(acme, None)

    assert phone.requests(send) == []
    assert decoy.is_waiting()
    assert not decoy.verdict().right
    with acme.inside():
        shown = METHOD.prompt(None, decoy.asked, context())
    assert 10 <= int(shown["number"]) <= 99
    decision = phone.decision(decoy.shown(), "approve", decoy.number)
    assert phone.post(send, DECIDE, decision).status_code == 403


def test_numbers_are_spread_over_all_two_digits(acme: Acme) -> None:
    numbers = {int(ask(acme, None).number) for _ in range(120)}

    assert min(numbers) >= 10
    assert max(numbers) <= 99
    assert len(numbers) > 40
