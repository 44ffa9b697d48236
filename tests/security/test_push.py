"""A-034…A-036, A-121: requests to the authenticator, answered by the wrong number, the wrong
device, too often, and not by their owner."""

from collections.abc import Mapping

import pytest

from accounts.models import ApprovalRequest
from tests.cast import NEW_PASSWORD
from tests.resets.walks import BOB_EMAIL
from tests.security.lab.client import Answer, Browser
from tests.security.lab.lab import Lab
from tests.security.lab.verdicts import is_wrong
from tests.services.phone import DECIDE, Phone, Send, body_of, give_phone

WAY = "app_notification"


def _sending(browser: Browser) -> Send:
    def send(path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        kind = {"Content-Type": "application/json"}
        return browser.request("POST", path, headers={**kind, **headers}, body=body)

    return send


@pytest.fixture
def phone(lab: Lab) -> Phone:
    """Bob's, at acme, where the app counts for one of two proofs."""
    lab.policy(methods=["email", "app_code", WAY])
    with lab.acme.inside():
        return give_phone(lab.acme.bob)


def _asked(lab: Lab) -> tuple[Browser, str]:
    """A journey of bob that waits for an approval, and the number on its page."""
    thief = lab.begun(lab.acme.bob.user_id)
    thief.choose(WAY)
    return thief, thief.page.form.values["code"]


@pytest.mark.parametrize("typed", ["", "wrong"])
def test_a034_a_request_approved_without_its_number_is_over(
    lab: Lab, phone: Phone, typed: str
) -> None:
    thief, number = _asked(lab)
    send = _sending(lab.browser())
    [request] = phone.requests(send)
    wrong = str(10 + (int(number) - 9) % 90) if typed else ""

    first = phone.post(send, DECIDE, phone.decision(request, "approve", wrong))
    second = phone.post(send, DECIDE, phone.decision(request, "approve", number))
    answer = thief.verify()

    assert (first.status, body_of(first)["outcome"]) == (200, "wrong_number")
    assert second.status == 409
    assert phone.requests(send) == []
    assert answer.status == 200
    assert lab.gates(thief) == []
    assert lab.flow(thief).tries == 1
    # The journey waits for nothing now: the same form again proves nothing either.
    thief.verify()
    assert (lab.gates(thief), thief.state) == ([], "proving")


@pytest.mark.parametrize("whose", ["alice", "beta", "beta as acme"])
def test_a035_an_answer_of_a_foreign_device_is_denied_and_recorded(
    lab: Lab, phone: Phone, whose: str
) -> None:
    lab.leave_alone()
    thief, number = _asked(lab)
    [request] = phone.requests(_sending(lab.browser()))
    organisation = lab.acme if whose == "alice" else lab.beta
    with organisation.inside():
        foreign = give_phone(organisation.alice)
    if whose == "beta as acme":
        foreign.device = f"{lab.acme.id.hex}.{foreign.id.hex}"
    send = _sending(lab.browser("sspr.test"))

    answer = foreign.post(send, DECIDE, foreign.decision(request, "approve", number))
    thief.verify()

    assert answer.status == (401 if whose == "beta as acme" else 403)
    assert lab.gates(thief) == []
    with lab.acme.inside():
        assert ApprovalRequest.objects.get(pk=request["id"]).state == "pending"
    recorded = lab.trail(lab.beta if whose == "beta" else lab.acme, type="push.device_mismatch")
    assert [event.result for event in recorded] == ["denied"]
    # Its owner's device still answers.
    own = _sending(lab.browser())
    assert body_of(phone.answer(own, "approve", number)) == {"outcome": "approved"}
    thief.verify()
    assert lab.gates(thief) == [WAY]


def test_a036_three_requests_in_a_journey_and_five_in_an_hour_are_the_most(
    lab: Lab, phone: Phone
) -> None:
    thief = lab.begun(lab.acme.bob.user_id)
    asked = [thief.choose(WAY) for _ in range(4)]
    again = lab.begun(lab.acme.bob.user_id)
    more = [again.choose(WAY) for _ in range(2)]

    assert [answer.status for answer in asked] == [303, 303, 303, 429]
    assert int(asked[3].header("Retry-After")) > 0
    assert [answer.status for answer in more] == [303, 429]


def test_a036_it_was_not_me_stops_everything_for_a_day_and_alerts(lab: Lab, phone: Phone) -> None:
    thief, _ = _asked(lab)
    send = _sending(lab.browser())
    lab.messages()

    answer = phone.answer(send, "not_me")
    thief.status()

    assert body_of(answer) == {"outcome": "not_me"}
    assert thief.state == "refused"
    assert lab.flow(thief).reason == "not_me"
    told = {m["to"] for m in lab.messages() if m["kind"] == "approval_reported"}
    assert told == {BOB_EMAIL, lab.acme.carol.user_id}
    [alert] = lab.trail(type="push.repudiated")
    assert alert.target_label == lab.acme.bob.user_id
    fresh = lab.begun(lab.acme.bob.user_id)
    assert WAY not in fresh.page.text
    assert fresh.choose(WAY).status == 403
    assert phone.requests(send) == []


def test_a121_a_request_that_waits_is_over_after_a_reset(lab: Lab, phone: Phone) -> None:
    thief, number = _asked(lab)
    send = _sending(lab.browser())
    [request] = phone.requests(send)
    owner = lab.begun(lab.acme.bob.user_id)
    owner.choose("app_code")
    owner.verify(lab.app_code(lab.acme.bob))
    owner.choose("email", BOB_EMAIL)
    owner.verify(lab.code())
    owner.submit(NEW_PASSWORD)
    assert owner.state == "done"

    late = phone.post(send, DECIDE, phone.decision(request, "approve", number))
    thief.verify()

    assert phone.requests(send) == []
    assert late.status == 409
    assert lab.gates(thief) == []
    assert lab.password_is(lab.acme.bob, NEW_PASSWORD)


def test_a034_a_wrong_number_is_a_failed_proof_of_its_person(lab: Lab, phone: Phone) -> None:
    thief, _ = _asked(lab)
    phone.answer(_sending(lab.browser()), "deny")

    answer = thief.verify()

    assert is_wrong(answer) or "The request was not approved" in answer.text
    [event] = lab.trail(type="flow.verification_failed")
    assert event.data["cause"] == "denied"
