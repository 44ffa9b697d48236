"""A-050…A-055: how often one may try, whoever one is and whatever one says about oneself."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.disabled import enable_methods
from accounts.models import User
from accounts.signin.backend import TenantBackend
from tenants.audit import Party
from tenants.counters import Count, count_up
from tenants.limits import LIMITS
from tests.cast import PASSWORD, give_app, give_email, make_person
from tests.resets.walks import BOB_EMAIL, not_it
from tests.security.lab.captcha import ripe_ticket
from tests.security.lab.client import Answer, Browser
from tests.security.lab.compare import assert_uniform
from tests.security.lab.extra_limits import (
    age_counters,
    count_of,
    fail_in_tenant,
    from_many_addresses,
    statuses,
)
from tests.security.lab.lab import Lab

NOBODY = "nobody1@acme.example"
SUSPECTED, SUSPENDED = "tenant.guessing_suspected", "tenant.gates_suspended"


def _start_often(lab: Lab, user_ids: list[str], **lies: str) -> list[Answer]:
    """One browser at one address; each start claims another address in every header there is."""
    browser = lab.browser()
    browser.get("/reset/")
    answers = []
    for number, user_id in enumerate(user_ids):
        headers = {name: text.format(number) for name, text in lies.items()}
        fields = {"user_id": user_id, "ticket": ripe_ticket(lab.acme.host)}
        answers.append(browser.post("/reset/", fields, follow=False, headers=headers))
    return answers


@pytest.mark.parametrize("known", [True, False])
def test_a050_the_21st_start_in_a_minute_from_one_address_is_refused_for_everybody_alike(
    lab: Lab, known: bool
) -> None:
    people = [lab.acme.alice, lab.acme.bob, lab.acme.carol]
    known_ids = [people[number % 3].user_id for number in range(21)]
    ids = known_ids if known else [f"nobody{number % 3}@acme.example" for number in range(21)]

    answers = _start_often(lab, ids)

    assert statuses(answers) == [303] * 20 + [429]
    assert 0 < int(answers[-1].header("Retry-After")) <= 60
    other = _start_often(lab, [NOBODY] * 20 + [lab.acme.eve.user_id])[-1]
    assert_uniform(answers[-1], other, typed=ids)


def test_a051_no_header_makes_one_address_many(lab: Lab) -> None:
    lies = {
        "X-Real-IP": "203.0.113.{}",
        "Forwarded": "for=203.0.113.{}",
        "True-Client-IP": "203.0.113.{}",
        "X_Forwarded_For": "203.0.113.{}",
        "X-Forwarded-For": "203.0.113.{}, 198.18.250.9",
    }

    answers = _start_often(lab, [f"n{number}@acme.example" for number in range(21)], **lies)

    assert statuses(answers) == [303] * 20 + [429]


def _burn(lab: Lab, user: User) -> Browser:
    thief = lab.begun(user.user_id)
    for _ in range(5):
        thief.verify(not_it(lab.app_code(user)))
    return thief


def test_a052_five_failed_proofs_lock_the_reset_for_a_day_and_never_the_sign_in(lab: Lab) -> None:
    carol = lab.acme.carol
    thief = _burn(lab, carol)

    assert (thief.shown and thief.shown.status, thief.state) == (429, "locked")
    assert lab.begun(carol.user_id).state == "locked"
    age_counters(timedelta(hours=23, minutes=55))
    assert lab.begun(carol.user_id).state == "locked"
    desk = lab.browser()
    desk.get("/admin/login/")
    fields = {"user_id": carol.user_id, "password": PASSWORD, "next": "/admin/"}
    assert desk.post("/admin/login/", fields, follow=False).status == 302
    age_counters(timedelta(minutes=10))
    assert lab.begun(carol.user_id).state == "proving"


def _people(lab: Lab, number: int) -> list[User]:
    with lab.acme.inside():
        people = []
        for place in range(number):
            person = make_person(f"p{place}", lab.acme.domain, licence=lab.acme.subscription)
            give_email(person, f"p{place}@example.net")
            give_app(person)
            people.append(person)
        return people


def _guess_once(lab: Lab, door: Browser, person: User, number: int) -> Answer:
    """One journey of somebody, from an address of its own, with one wrong code of the app."""
    thief = from_many_addresses(door, number)
    fields = {"user_id": person.user_id, "ticket": ripe_ticket(lab.acme.host)}
    started = thief.post("/reset/", fields, follow=False)
    thief.flow_path = started.header("Location")
    wrong = not_it(lab.app_code(person))
    answer = thief.post(f"{thief.flow_path}verify/", {"code": wrong}, follow=False)
    assert answer.status == 200
    return answer


def test_a053_a_hundred_wrong_codes_in_a_tenant_harden_the_captcha_and_alert_once(
    lab: Lab,
) -> None:
    """Thirty of them over the wire, from thirty addresses; the others are counted beforehand."""
    people, door = _people(lab, 30), lab.browser()
    door.get("/reset/")
    fail_in_tenant(lab.acme, 70)

    def guess(number: int) -> Callable[[], Answer]:
        return lambda: _guess_once(lab, door, people[number], number)

    lab.at_once([guess(number) for number in range(29)])
    assert count_of(lab.acme, "failed_in_tenant") == 99
    assert lab.trail(type=SUSPECTED) == []
    assert lab.begun(NOBODY).state == "refused"

    _guess_once(lab, door, people[29], 29)

    [alert] = lab.trail(type=SUSPECTED)
    assert (alert.data, alert.actor_kind) == ({"failures": 100}, "system")
    walks = []
    for user_id in (lab.acme.bob.user_id, NOBODY):
        asked = lab.begun(user_id)
        assert asked.state == "started"
        assert "Press Continue once more" in asked.page.text
        walks.append(asked.walk)
    assert_uniform(walks[0], walks[1], typed=(lab.acme.bob.user_id, NOBODY))
    age_counters(timedelta(hours=1))
    assert lab.begun(NOBODY).state == "refused"
    assert len(lab.trail(type=SUSPECTED)) == 1


def test_a053_right_codes_raise_no_suspicion(lab: Lab) -> None:
    fail_in_tenant(lab.acme, 99)
    bob = lab.begun(lab.acme.bob.user_id)

    bob.verify(lab.app_code(lab.acme.bob))

    assert count_of(lab.acme, "failed_in_tenant") == 99
    assert lab.trail(type=SUSPECTED) == []


def test_a053_three_hundred_suspend_email_and_phone_for_an_hour_while_the_app_stays(
    lab: Lab,
) -> None:
    lab.policy(methods_required=1)
    alice, bob = lab.begun(lab.acme.alice.user_id), lab.begun(lab.acme.bob.user_id)
    sent = lab.begun(lab.acme.bob.user_id)
    sent.choose("email", BOB_EMAIL)
    code = lab.code()
    fail_in_tenant(lab.acme, 300 - count_of(lab.acme, "failed_in_tenant"))

    answers = [
        bob.choose("email", BOB_EMAIL),
        alice.choose("mobile_phone", "+1 4255550101", "sms"),
        sent.verify(code),
    ]

    assert statuses(answers) == [429] * 3
    assert all(0 < int(answer.header("Retry-After")) <= 3600 for answer in answers)
    assert all("paused until" in answer.text for answer in answers)
    assert lab.messages() == []
    [alert] = lab.trail(type=SUSPENDED)
    assert alert.data["failures"] == 300
    # Nobody was charged for it, and the app opens the door.
    assert [count_of(lab.acme, n) for n in ("failed_proofs", "failed_method")] == [0, 0]
    bob.choose("app_code")
    bob.verify(lab.app_code(lab.acme.bob))
    assert bob.state == "choosing"
    age_counters(timedelta(hours=1))
    assert alice.choose("mobile_phone", "+1 4255550101", "sms").status == 303


def test_a053_a_right_answer_does_not_lift_the_suspension(lab: Lab) -> None:
    lab.policy(methods_required=1)
    bob, carol = lab.begun(lab.acme.bob.user_id), lab.begun(lab.acme.alice.user_id)
    fail_in_tenant(lab.acme, 300)
    bob.choose("app_code")
    bob.verify(lab.app_code(lab.acme.bob))
    assert bob.state == "choosing"
    age_counters(timedelta(minutes=59))

    assert carol.choose("mobile_phone", "+1 4255550101", "sms").status == 429


def test_a054_the_31st_person_from_one_address_in_an_hour_is_refused(lab: Lab) -> None:
    first = _start_often(lab, [f"n{number}@acme.example" for number in range(15)])
    browser = lab.browser(address="198.18.200.1")
    browser.get("/reset/")
    answers = []
    for number in range(31):
        if number == 16:
            age_counters(timedelta(minutes=2))
        fields = {"user_id": f"n{number}@acme.example", "ticket": ripe_ticket(lab.acme.host)}
        answers.append(browser.post("/reset/", fields, follow=False))

    assert statuses(first) == [303] * 15
    assert statuses(answers) == [303] * 30 + [429]


def test_a055_a_victim_who_was_locked_out_signs_in_and_is_told_once(lab: Lab) -> None:
    bob = lab.acme.bob
    _burn(lab, bob)
    thief = lab.begun(bob.user_id)

    assert thief.state == "locked"
    told = [message for message in lab.messages() if message["kind"] == "blocked_notice"]
    assert [message["to"] for message in told] == [BOB_EMAIL]
    assert "Your password has not changed" in told[0]["text"]
    with lab.acme.inside():
        assert TenantBackend().authenticate(None, bob.user_id, PASSWORD) == bob
        assert not bob.disabled_methods


def test_a055_a_hundred_failures_in_a_row_disable_the_method_until_somebody_says_otherwise(
    lab: Lab,
) -> None:
    """At five a day it takes weeks; ninety-nine of them are counted here as the product does."""
    lab.policy(methods_required=1)
    bob = lab.acme.bob
    first = lab.begun(bob.user_id)
    person = bytes(lab.flow(first).person_key).hex()
    streak = Count(LIMITS["failed_in_a_row"], f"{person}:app_code")
    with lab.acme.inside():
        for _ in range(98):
            count_up([streak], timezone.now())
    first.choose("app_code")
    first.verify(not_it(lab.app_code(bob)))
    assert lab.trail(type="method.disabled") == []

    first.verify(not_it(lab.app_code(bob)))

    [disabled] = lab.trail(type="method.disabled")
    assert disabled.data == {"method": "app_code", "failures": 100}
    first.verify(lab.app_code(bob))
    assert first.state == "proving"
    assert lab.gates(first) == []
    later = lab.begun(bob.user_id)
    later.choose("app_code")
    assert later.page.form.typed == ["contact"]
    with lab.acme.inside():
        bob.refresh_from_db()
        enable_methods(bob, Party("administrator", None, "helpdesk"), now=timezone.now())
    age_counters(timedelta(days=1))
    free = lab.begun(bob.user_id)
    free.choose("app_code")
    free.verify(not_it(lab.app_code(bob)))
    free.verify(lab.app_code(bob))
    assert free.state == "choosing"


def test_a055_a_success_ends_the_row_of_failures(lab: Lab) -> None:
    bob = lab.begun(lab.acme.bob.user_id)
    bob.verify(not_it(lab.app_code(lab.acme.bob)))
    assert count_of(lab.acme, "failed_in_a_row") == 1

    bob.verify(lab.app_code(lab.acme.bob))

    assert count_of(lab.acme, "failed_in_a_row") == 0
