"""A-006, A-011, A-012: doors beside the reset that could tell who exists, and what hints give away.

The doors for signing in, signing up and inviting that do not exist yet are waiting; the one of the
administrators, the request for help and the question for the organisation are attacked here.
"""

import re

import pytest

from tests.cast import ALICE_EMAIL, ALICE_MOBILE, PASSWORD, give_email, make_guest, make_person
from tests.security.lab.client import Answer, Browser
from tests.security.lab.compare import assert_uniform
from tests.security.lab.lab import Lab

WRONG = "Tall-Ships 5 Nobody"
NOBODY = "nobody@acme.example"
# As long as beta's own alice, whom acme must not know.
STRANGER = "aline@beta.example"


def _sign_in(lab: Lab, user_id: str, password: str) -> list[Answer]:
    browser = lab.browser()
    browser.get("/admin/login/")
    fields = {"user_id": user_id, "password": password, "next": ""}
    browser.post("/admin/login/", fields, follow=False)
    return browser.walk


def test_a006_every_failed_sign_in_of_administrators_looks_alike(lab: Lab) -> None:
    acme = lab.acme
    wrong = _sign_in(lab, acme.carol.user_id, WRONG)
    lab.change(acme.carol, is_active=False)
    others = [acme.carol.user_id, NOBODY, acme.alice.user_id, acme.dave.user_id, acme.eve.user_id]

    walks = {user_id: _sign_in(lab, user_id, PASSWORD) for user_id in others}

    for user_id, walk in walks.items():
        assert_uniform(wrong, walk, typed=[acme.carol.user_id, user_id])
    assert wrong[-1].status == 200
    failed = lab.trail(type="admin.sign_in_failed")
    assert [event.result for event in failed] == ["failure"] * 6


def test_a006_an_administrator_with_the_right_password_is_let_in(lab: Lab) -> None:
    walk = _sign_in(lab, lab.acme.carol.user_id, PASSWORD)

    assert walk[-1].status == 302
    assert walk[-1].header("Location") == "/sign-in/prove/?next=%2Fadmin%2F"


def test_a006_the_lock_of_an_administrator_looks_like_the_lock_of_nobody(lab: Lab) -> None:
    walks = {}
    for user_id in (lab.acme.carol.user_id, NOBODY):
        walks[user_id] = [_sign_in(lab, user_id, WRONG)[-1] for _ in range(6)]

    one, other = walks.values()
    assert_uniform(one, other, typed=list(walks))
    assert [answer.status for answer in one] == [200] * 5 + [429]


# --- hints --------------------------------------------------------------------------------


def _hints(page: str) -> list[str]:
    """What a page gives away of contacts; the journey's own reference stands in the same dress."""
    found = re.findall(r'<bdi dir="ltr" translate="no">([^<]*)</bdi>', page)
    return [text for text in found if not re.fullmatch(r"[2-9A-Z]{4}-[2-9A-Z]{4}", text)]


def test_a011_a_hint_shows_one_letter_or_two_digits_and_no_domain(lab: Lab) -> None:
    thief = lab.begun(lab.acme.alice.user_id)
    hints = _hints(thief.shown.text if thief.shown else "")
    with lab.acme.inside():
        other = make_person("ann", lab.acme.domain, licence=lab.acme.subscription)
        give_email(other, "antonia.longname@subdomain.of.somewhere.example.com")
        lab.policy(methods_required=1)
    short = lab.begun(other.user_id)

    assert len(hints) == 3
    for hint in hints:
        if "@" in hint:
            assert re.fullmatch(r"[a-z]•{4}@[a-z]•{4}\.[a-z]+", hint)
            assert ALICE_EMAIL.partition("@")[2] not in hint
        else:
            assert re.fullmatch(r"\+• •{7}\d{2}", hint)
            assert hint[-2:] in {ALICE_MOBILE[-2:], "00"}
    # As long for a long address as for a short one.
    [far] = _hints(short.shown.text if short.shown else "")
    assert re.fullmatch(r"[a-z]•{4}@[a-z]•{4}\.[a-z]+", far)


def test_a011_a_concealing_tenant_hints_at_nothing_to_anybody(lab: Lab) -> None:
    lab.conceal()

    for user_id in (lab.acme.alice.user_id, NOBODY):
        thief = lab.begun(user_id)
        thief.choose("email")
        assert [_hints(answer.text) for answer in thief.walk] == [[]] * len(thief.walk)


# --- look-ups as oracles ------------------------------------------------------------------


@pytest.mark.parametrize("disclosure", ["concealed", "guided"])
def test_a012_somebody_whom_only_beta_knows_is_nobody_at_acme(lab: Lab, disclosure: str) -> None:
    if disclosure == "concealed":
        lab.conceal()
    foreign = lab.beta.alice.user_id

    walks = [lab.begun(user_id).walk for user_id in (foreign, STRANGER)]

    assert_uniform(walks[0], walks[1])
    assert lab.messages() == []


def _ask_for_help(lab: Lab, user_id: str, reference: str = "") -> Browser:
    browser = lab.browser()
    door = browser.admission("/help/")
    browser.post("/help/", {"user_id": user_id, "note": "", "reference": reference, **door})
    return browser


def test_a012_asking_for_help_tells_nothing_of_who_exists_where(lab: Lab) -> None:
    people = [lab.acme.alice.user_id, NOBODY, lab.beta.alice.user_id, STRANGER]

    walks = [_ask_for_help(lab, user_id).walk for user_id in people]

    for walk in walks:
        assert_uniform(walks[0], walk)
    assert walks[0][-1].status == 200


def test_a012_an_address_that_only_beta_knows_opens_nothing_on_acmes_host(lab: Lab) -> None:
    """A guest of beta, by the registered address, on acme's own host and on the shared one."""
    with lab.beta.inside():
        make_guest("quentin@example.org", lab.beta.domain, "invitation")
    lab.leave_alone(lab.beta)
    known, unknown = "quentin@example.org", "quinten@example.org"

    own = [lab.begun(user_id).walk for user_id in (known, unknown)]
    helped = [_ask_for_help(lab, user_id).walk for user_id in (known, unknown)]

    assert_uniform(own[0], own[1])
    assert_uniform(helped[0], helped[1])
