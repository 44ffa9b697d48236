"""A-021, A-022, A-025, A-026, A-028: the password is set once, and by what holds at that moment."""

from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest

from tests.cast import NEW_PASSWORD, PASSWORD, make_group
from tests.resets.walks import BOB_EMAIL, suspend
from tests.security.lab.client import FLOW_COOKIE, Answer, Browser
from tests.security.lab.lab import Lab
from tests.security.lab.verdicts import assert_denied, journey_row
from tests.services.signed_in import prove_session

SESSION_COOKIE = "__Host-sspr_session"


def _proved(lab: Lab) -> Browser:
    person = lab.begun(lab.acme.bob.user_id)
    person.verify(lab.app_code(lab.acme.bob))
    person.choose("email", BOB_EMAIL)
    person.verify(lab.code())
    assert person.state == "choosing"
    return person


def _resets(lab: Lab, person: Browser) -> int:
    return lab.types(person).count("password.reset")


def test_a021_a_password_sent_again_after_the_end_changes_nothing(lab: Lab) -> None:
    person = _proved(lab)
    thief = person.twin()
    person.submit(NEW_PASSWORD)
    assert person.state == "done"
    lab.messages()
    before = journey_row(lab, person)

    replayed = thief.submit("Other-Harbour 8 Lanterns")

    assert replayed.status == 409
    assert_denied(lab, replayed, person, before)
    # Going back shows the end, not the form.
    assert person.status().page.state == "done"
    assert _resets(lab, person) == 1
    assert lab.password_is(lab.acme.bob, NEW_PASSWORD)
    assert lab.messages() == []


def test_a022_of_fifty_passwords_at_once_exactly_one_is_set(lab: Lab) -> None:
    person = _proved(lab)
    passwords = [f"Quiet-Harbour {number} Lanterns" for number in range(50)]
    tabs = [person.twin() for _ in passwords]

    def sending(tab: Browser, password: str) -> Callable[[], Answer]:
        path, fields = f"{tab.flow_path}submit/", {"new_password": password}
        return partial(tab.post, path, fields, follow=False)

    pairs = zip(tabs, passwords, strict=True)
    answers = lab.at_once([sending(tab, password) for tab, password in pairs])

    assert Counter(answer.status for answer in answers) == {303: 1, 409: 49}
    accepted = [
        password for tab, password in zip(tabs, passwords, strict=True) if tab.walk[0].status == 303
    ]
    assert lab.password_is(lab.acme.bob, accepted[0])
    others = [PASSWORD, *[password for password in passwords if password != accepted[0]][:2]]
    assert not any(lab.password_is(lab.acme.bob, password) for password in others)
    assert _resets(lab, person) == 1


def test_a025_a_policy_raised_on_the_way_asks_for_the_missing_gate(lab: Lab) -> None:
    lab.policy(methods_required=1)
    person = lab.begun(lab.acme.bob.user_id)
    person.choose("app_code")
    person.verify(lab.app_code(lab.acme.bob))
    assert person.state == "choosing"
    lab.policy(methods_required=2)

    person.submit(NEW_PASSWORD)

    assert person.state == "proving"
    assert lab.password_is(lab.acme.bob, PASSWORD)
    assert "flow.reevaluated" in lab.types(person)
    person.choose("email", BOB_EMAIL)
    person.verify(lab.code())
    person.submit(NEW_PASSWORD)
    assert person.state == "done"
    assert lab.password_is(lab.acme.bob, NEW_PASSWORD)


def _disable(lab: Lab) -> None:
    lab.change(lab.acme.bob, is_active=False)


def _remove_from_scope(lab: Lab) -> None:
    with lab.acme.inside():
        group = make_group("pilot", (lab.acme.alice,))
    lab.policy(enabled="selected", group=group)


@pytest.mark.parametrize("change", [_disable, _remove_from_scope], ids=["disabled", "out of scope"])
def test_a026_who_may_not_reset_any_more_is_refused_at_the_end(
    lab: Lab, change: Callable[[Lab], None]
) -> None:
    person = _proved(lab)
    change(lab)

    answer = person.submit(NEW_PASSWORD)

    assert 400 <= answer.status < 500
    assert answer.page.state == "refused"
    [denied] = lab.trail(correlation_id=person.flow, result="denied")
    assert denied.type == "flow.refused"
    assert lab.password_is(lab.acme.bob, PASSWORD)
    assert (_resets(lab, person), lab.messages()) == (0, [])


def test_a026_a_suspended_tenant_sets_no_password(lab: Lab) -> None:
    person = _proved(lab)
    suspend(lab.acme)

    answer = person.submit(NEW_PASSWORD)
    # The shared host knows the journey's cookie too.
    person.host = "sspr.test"
    elsewhere = person.submit(NEW_PASSWORD)

    assert (answer.status, elsewhere.status) == (401, 401)
    assert lab.password_is(lab.acme.bob, PASSWORD)
    assert (_resets(lab, person), lab.messages()) == (0, [])


def _administrator(lab: Lab) -> Browser:
    """Carol, who could sign in to the administration site, before her new password."""
    person = lab.begun(lab.acme.carol.user_id)
    person.verify(lab.app_code(lab.acme.carol))
    person.choose("email", "carol@example.net")
    person.verify(lab.code())
    return person


def test_a028_a_reset_signs_nobody_in_and_ends_the_persons_other_journeys(lab: Lab) -> None:
    other = lab.begun(lab.acme.carol.user_id)
    signed_in = lab.browser()
    signed_in.get("/admin/login/")
    fields = {"user_id": lab.acme.carol.user_id, "password": PASSWORD, "next": ""}
    signed_in.post("/admin/login/", fields, follow=False)
    prove_session(signed_in.cookies[SESSION_COOKIE])
    assert signed_in.get("/admin/").status == 200
    person = _administrator(lab)

    person.submit(NEW_PASSWORD)

    assert person.state == "done"
    assert SESSION_COOKIE not in person.cookies
    assert person.get("/admin/").status == 302
    # Sessions and journeys that rested on the old password are over at once.
    assert signed_in.get("/admin/").status == 302
    assert lab.flow(other).state == "cancelled"
    other.verify(lab.app_code(lab.acme.carol, steps=1))
    assert other.state == "gone"
    assert lab.gates(other) == []
    assert FLOW_COOKIE in person.cookies
