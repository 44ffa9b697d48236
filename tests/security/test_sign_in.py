"""The sign-in of people (A-006, A-050…A-055) and the door of administrators (A-100)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import SignInLock
from tenants.counters import Count, count_up
from tenants.limits import LIMITS
from tests.cast import PASSWORD
from tests.resets.walks import not_it
from tests.security.lab.client import Answer, Browser
from tests.security.lab.compare import assert_uniform
from tests.security.lab.extra_limits import statuses
from tests.security.lab.lab import Lab

NOBODY, WRONG = "nobody1@acme.example", "Not-This-One-31"
SESSION = "__Host-sspr_session"


def _sign_in(browser: Browser, user_id: str, password: str = PASSWORD, **more: Any) -> Answer:
    browser.get("/sign-in/")
    fields = {"user_id": user_id, "password": password, "next": ""}
    return browser.post("/sign-in/", fields, follow=False, **more)


def _walk(lab: Lab, user_id: str, password: str = PASSWORD) -> list[Answer]:
    browser = lab.browser()
    _sign_in(browser, user_id, password)
    return browser.walk


@pytest.mark.parametrize("disclosure", ["guided", "concealed"])
def test_a006_every_failed_sign_in_of_people_looks_alike(lab: Lab, disclosure: str) -> None:
    acme = lab.acme
    if disclosure == "concealed":
        lab.conceal()
    lab.change(acme.bob, source="pass_through")
    lab.change(acme.oscar, source="federated", password="!")
    wrong = _walk(lab, acme.alice.user_id, WRONG)
    others = [NOBODY, acme.dave.user_id, acme.bob.user_id, acme.oscar.user_id, "' OR 1=1 --"]

    walks = {user_id: _walk(lab, user_id) for user_id in others}

    for user_id, walk in walks.items():
        assert_uniform(wrong, walk, typed=[acme.alice.user_id, user_id, "&#x27; OR 1=1 --"])
    assert wrong[-1].status == 200
    assert SESSION not in str(wrong[-1].set_cookies)


def test_a006_the_lock_of_a_person_looks_like_the_lock_of_nobody(lab: Lab) -> None:
    walks = {}
    for user_id in (lab.acme.alice.user_id, NOBODY):
        tries = [f"{WRONG} {number}" for number in range(10)]
        walks[user_id] = [_walk(lab, user_id, text)[-1] for text in [*tries, PASSWORD]]

    one, other = walks.values()
    assert_uniform(one, other, typed=list(walks))
    assert statuses(one) == [200] * 10 + [429]


def test_a051_no_header_makes_one_address_many_at_the_sign_in(lab: Lab) -> None:
    person = lab.browser()
    limit = LIMITS["failed_sign_ins_by_address"]
    with lab.acme.inside():
        for _ in range(limit.count - 1):
            count_up([Count(limit, person.address)], timezone.now())
    lies = {"X-Real-IP": "203.0.113.9", "X-Forwarded-For": f"203.0.113.8, {person.address}"}

    answers = [_sign_in(person, NOBODY, WRONG, headers=lies) for _ in range(2)]
    answers.append(_sign_in(person, lab.acme.alice.user_id))

    assert statuses(answers) == [200, 429, 429]
    assert _sign_in(lab.browser(), lab.acme.alice.user_id).status == 303


def test_a052_five_failed_proofs_lock_the_reset_and_not_the_sign_in_of_people(lab: Lab) -> None:
    alice = lab.acme.alice
    thief = lab.begun(alice.user_id)
    thief.choose("app_code")
    for _ in range(5):
        thief.verify(not_it(lab.app_code(alice)))
    assert thief.state == "locked"

    assert _sign_in(lab.browser(), alice.user_id).status == 303


def test_a055_a_locked_sign_in_does_not_keep_its_person_from_a_reset(lab: Lab) -> None:
    bob = lab.acme.bob
    thief = lab.browser()
    for number in range(10):
        _sign_in(thief, bob.user_id, f"{WRONG} {number}")
    assert _sign_in(thief, bob.user_id).status == 429

    lab.policy(methods_required=1)
    victim = lab.begun(bob.user_id)
    victim.choose("app_code")
    victim.verify(lab.app_code(bob))
    assert victim.state == "choosing"
    victim.submit("Velvet-Kettle-93-Harbour")

    assert victim.state == "done"
    with lab.acme.inside():
        assert not SignInLock.objects.exists()
    assert _sign_in(thief, bob.user_id, "Velvet-Kettle-93-Harbour").status == 303


def _knock(browser: Browser, user_id: str, password: str) -> Answer:
    browser.get("/admin/login/")
    fields = {"user_id": user_id, "password": password, "next": ""}
    return browser.post("/admin/login/", fields, follow=False)


def test_a100_the_door_of_administrators_takes_five_tries_in_fifteen_minutes(lab: Lab) -> None:
    carol = lab.acme.carol.user_id

    answers = [_knock(lab.browser(), carol, f"{WRONG} {number}") for number in range(6)]
    answers.append(_knock(lab.browser(), carol, PASSWORD))

    assert statuses(answers) == [200] * 5 + [429] * 2
    assert 0 < int(answers[-1].header("Retry-After")) <= timedelta(minutes=15).total_seconds()


def test_a100_the_password_alone_opens_no_administration(lab: Lab) -> None:
    person = lab.browser()
    answer = _knock(person, lab.acme.carol.user_id, PASSWORD)
    assert answer.header("Location") == "/sign-in/prove/?next=%2Fadmin%2F"

    for path in ("/admin/", "/admin/accounts/user/", f"/admin/accounts/user/{lab.acme.bob.pk}/"):
        assert person.get(path).header("Location").startswith("/admin/login/")
    person.get("/sign-in/prove/?next=/admin/")
    wrong = not_it(lab.app_code(lab.acme.carol))
    person.post("/sign-in/prove/verify/?next=/admin/", {"code": wrong}, follow=False)
    assert person.get("/admin/").status == 302
    person.get("/sign-in/prove/?next=/admin/")
    code = {"code": lab.app_code(lab.acme.carol)}
    person.post("/sign-in/prove/verify/?next=/admin/", code, follow=False)

    assert person.get("/admin/").status == 200


def test_a100_people_without_the_role_prove_what_they_like(lab: Lab) -> None:
    person = lab.browser()
    _sign_in(person, lab.acme.bob.user_id)
    person.get("/sign-in/prove/?next=/admin/")
    code = {"code": lab.app_code(lab.acme.bob)}
    person.post("/sign-in/prove/verify/?next=/admin/", code, follow=False)

    assert person.get("/admin/").status == 302
