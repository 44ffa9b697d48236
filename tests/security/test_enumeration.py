"""A-001…A-005: who exists, who may reset and how is told by no page, code, count or message.

Where people are compared, the tenant conceals; what a guiding tenant tells is compared too.
"""

import html
import statistics
import time
from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.questions import PREDEFINED
from tests.cast import ALICE_EMAIL, ALICE_MOBILE, give_app, give_email, make_person
from tests.resets.visitor import Clock, Visitor
from tests.resets.walks import not_it
from tests.security.lab.captcha import ripe_ticket
from tests.security.lab.client import Browser
from tests.security.lab.compare import assert_uniform
from tests.security.lab.lab import Lab
from tests.security.lab.observers import forget_counters, message_rows, superuser
from tests.security.lab.verdicts import WRONG_TEXT, is_wrong

NOBODY = "nobody1@acme.example"
CONTACTS = {
    "email": "somebody@example.net",
    "mobile_phone": "+1 4255550177",
    "office_phone": "+1 4255550178",
}
METHODS = ("app_code", "security_questions", *CONTACTS)
TEXTS = [html.escape(str(text)) for text in PREDEFINED.values()]
PAIRS = 60


def _everybody(lab: Lab) -> dict[str, str]:
    """The people of the cases; `locked` has used up all tries before."""
    acme = lab.acme
    return {
        "unknown": NOBODY,
        "disabled": acme.dave.user_id,
        "unregistered": acme.eve.user_id,
        "unlicensed": acme.oscar.user_id,
        "known": acme.alice.user_id,
    }


def _lock(lab: Lab, user_id: str) -> None:
    """Uses up the five failed proofs of a person."""
    thief = lab.begun(user_id)
    thief.choose("app_code")
    for _ in range(5):
        thief.verify("000000")
    assert thief.state == "locked"


def test_a001_an_unknown_person_sees_the_page_of_a_known_one(lab: Lab) -> None:
    lab.conceal()

    known, unknown = lab.begun(lab.acme.alice.user_id), lab.begun(NOBODY)

    assert (unknown.shown and unknown.shown.status, unknown.state) == (200, "proving")
    assert_uniform(known.walk, unknown.walk)
    assert lab.messages() == []


def test_a002_starting_costs_the_same_for_people_who_exist_and_who_do_not(lab: Lab) -> None:
    """A coarse bound; the whole distribution is measured by the benchmark of timing."""
    lab.conceal()
    with lab.acme.inside():
        for number in range(PAIRS // 3):
            person = make_person(f"bulk{number}", lab.acme.domain, licence=lab.acme.subscription)
            give_email(person, f"bulk{number}@example.net")
            give_app(person)
    took: dict[str, list[float]] = {"bulk": [], "none": []}
    browser = lab.browser()
    browser.get("/reset/")
    for number in range(PAIRS):
        for name in ("bulk", "none") if number % 2 else ("none", "bulk"):
            browser.address = lab.address()
            user_id = f"{name}{number % (PAIRS // 3)}@acme.example"
            fields = {"user_id": user_id, "ticket": ripe_ticket(browser.host)}
            began = time.perf_counter()
            answer = browser.post("/reset/", fields, follow=False)
            took[name].append(time.perf_counter() - began)
            assert answer.status == 303

    # How often somebody who exists takes longer: 0.5 when nothing can be told apart.
    pairs = [(real, none) for real in took["bulk"] for none in took["none"]]
    longer = sum(real > none for real, none in pairs) / len(pairs)
    assert 0.25 < longer < 0.75
    quick, slow = sorted(statistics.median(times) for times in took.values())
    assert slow - quick < max(0.005, 0.25 * quick)


def test_a002_starting_takes_as_many_statements_for_everybody(lab: Lab) -> None:
    lab.conceal()
    clock = Clock(timezone.now())
    people = {"warm": "warm@acme.example", **_everybody(lab)}
    counted = {}
    for name, user_id in people.items():
        visitor = Visitor(lab.acme.host, clock, address=lab.address())
        with CaptureQueriesContext(connection) as queries:
            visitor.start(user_id)
        assert visitor.shown.state == "proving"
        counted[name] = len(queries)

    counted.pop("warm")
    assert set(counted.values()) == {counted["unknown"]}


@pytest.mark.parametrize("disclosure", ["concealed", "guided"])
def test_a003_whoever_may_not_reset_sees_what_an_unknown_person_sees(
    lab: Lab, disclosure: str
) -> None:
    if disclosure == "concealed":
        lab.conceal()
    people = _everybody(lab)
    if disclosure == "guided":
        # A guiding tenant shows its own methods to somebody who may.
        del people["known"]
    reference = lab.begun(people.pop("unknown"))

    for user_id in people.values():
        assert_uniform(reference.walk, lab.begun(user_id).walk)
    hints = [(m["kind"], m["to"]) for m in lab.messages()]
    lab.begun(lab.acme.eve.user_id)

    told = [("unregistered_hint", "eve@acme.example")] if disclosure == "concealed" else []
    assert hints == told
    assert lab.messages() == []


@pytest.mark.parametrize("disclosure", ["concealed", "guided"])
def test_a003_a_locked_person_looks_like_nobody_who_is_locked(lab: Lab, disclosure: str) -> None:
    """Concealed, nobody can be locked by name before a proof was tried, and starts like all."""
    lab.conceal()
    for user_id in (lab.acme.alice.user_id, NOBODY):
        _lock(lab, user_id)
    if disclosure == "guided":
        lab.guide()
    fresh = "nobody2@acme.example"

    walks = [lab.begun(user_id).walk for user_id in (lab.acme.alice.user_id, NOBODY, fresh)]

    assert_uniform(walks[0], walks[1])
    assert walks[0][-1].status == (429 if disclosure == "guided" else 200)
    if disclosure == "concealed":
        assert_uniform(walks[0], walks[2])


def _counted(browser: Browser, method: str) -> Counter[tuple[str, int]]:
    """Which limits were counted, and up to what, by choosing a method and asking once more."""
    forget_counters()
    browser.choose(method, CONTACTS.get(method, ""))
    browser.send()
    query = 'SELECT "limit", count FROM tenants_counter UNION ALL SELECT "limit", count FROM '
    with superuser() as connection:
        rows = connection.execute(f"{query} tenants_sharedcounter").fetchall()
    return Counter((str(limit), int(count)) for limit, count in rows)


def test_a004_a_decoy_is_sent_as_much_as_a_real_person_and_nobody_gets_it(lab: Lab) -> None:
    lab.conceal()
    real, decoy = lab.begun(lab.acme.alice.user_id), lab.begun(NOBODY)

    for method in METHODS:
        assert _counted(real, method) == _counted(decoy, method), method
        for browser in (real, decoy):
            browser.get(f"{browser.flow_path}?other=1")

    assert_uniform(real.walk, decoy.walk, typed=[*CONTACTS.values(), *TEXTS])
    queued = [channel for kind, channel in message_rows(lab.acme) if kind == "code"]
    assert queued == ["none"] * 2 * len(CONTACTS)
    assert lab.messages() == []


def test_a004_the_right_contact_of_a_real_person_looks_the_same_and_sends_one(lab: Lab) -> None:
    lab.conceal()
    real, decoy = lab.begun(lab.acme.alice.user_id), lab.begun(NOBODY)
    typed = {"email": ALICE_EMAIL, "mobile_phone": ALICE_MOBILE}

    for browser in (real, decoy):
        for method, contact in typed.items():
            browser.choose(method, contact)
            lab.age(browser, 31)
            browser.send()

    assert_uniform(real.walk, decoy.walk)
    sent = lab.messages()
    assert Counter(message["channel"] for message in sent) == {"email": 2, "sms": 2}
    assert {message["to"] for message in sent} == {ALICE_EMAIL, ALICE_MOBILE.replace(" ", "")}
    assert Counter(message_rows(lab.acme))["code", "none"] == 4


@pytest.mark.parametrize("method", ["app_code", "email"])
def test_a005_a_decoy_takes_five_codes_and_locks_like_a_real_person(lab: Lab, method: str) -> None:
    lab.conceal()
    real, decoy = lab.begun(lab.acme.alice.user_id), lab.begun(NOBODY)
    right = lab.app_code(lab.acme.alice)
    codes = ["000000", "111111", "271828", "314159", not_it(right), "161803"]

    for browser in (real, decoy):
        browser.choose(method, CONTACTS.get(method, ""))
        for code in codes:
            browser.verify(code)

    assert_uniform(real.walk, decoy.walk)
    posts = [answer for answer in decoy.walk if answer.path.endswith("/verify/")]
    judged = [is_wrong(answer) for answer in posts]
    # A wrong contact is a failed proof already.
    assert judged.count(True) == (4 if method == "app_code" else 3)
    assert posts[-1].status == 429
    assert "Retry-After" in dict(posts[-1].headers)
    failed = [lab.types(b).count("flow.verification_failed") for b in (real, decoy)]
    assert failed[0] == failed[1]
    assert WRONG_TEXT not in posts[-1].text
