"""A-037: what a passkey did not sign here, now, for this person and with its owner verified."""

import json
from functools import partial
from typing import Any

import pytest

from accounts.models import Credential, User
from accounts.passkeys import handle_of
from tests.security.lab.client import Answer, Browser
from tests.security.lab.lab import Lab
from tests.security.lab.verdicts import is_wrong_passkey as is_wrong
from tests.services.softkey import UP, SoftKey, challenge_of, give_passkey, own_assertion

SITE, SHARED = "https://acme.sspr.test", "https://sspr.test"
DOOR = "/sign-in/passkey/"


def _asked(lab: Lab, user: User, *, site: str = SITE) -> Browser:
    """A journey that waits for a passkey."""
    person = lab.begun(user.user_id, host=site.partition("//")[2])
    person.choose("passkey")
    return person


def _equipped(lab: Lab, *, site: str = SITE, counter: int = 0) -> User:
    """Bob with a passkey, where one proof is enough."""
    lab.policy(methods=["passkey", "email", "app_code"], methods_required=1)
    with lab.acme.inside():
        row = give_passkey(lab.acme.bob, site)
        Credential.objects.filter(pk=row.pk).update(counter=counter)
    return lab.acme.bob


def _sign(lab: Lab, user: User, person: Browser, **bent: Any) -> str:
    with lab.acme.inside():
        challenge = bent.pop("challenge", None) or challenge_of(person.page.options)
        return own_assertion(user, bent.pop("site", SITE), challenge, **bent)


def _send(person: Browser, assertion: str, *, follow: bool = True) -> Answer:
    path = f"{person.flow_path}verify/"
    return person.post(path, {"assertion": assertion}, follow=follow)


def _passes(lab: Lab, user: User, person: Browser) -> bool:
    _send(person, _sign(lab, user, person))
    return person.state == "choosing" and lab.gates(person) == ["passkey"]


@pytest.mark.parametrize(
    "bends",
    [
        (
            {"site": "https://acme.sspr.test.evil.example", "rp_id": "acme.sspr.test"},
            {"site": "https://acme.sspr.test:8443"},
            {"site": "http://acme.sspr.test"},
            {"rp_id": "sspr.test"},
        ),
        (
            {"challenge": b"another challenge of 32 bytes..."},
            {"flags": UP},
            {"kind": "webauthn.create"},
            {"crossOrigin": True},
        ),
    ],
    ids=["origin and RP ID", "challenge, verification, kind"],
)
def test_a037_what_was_signed_elsewhere_or_otherwise_is_wrong(
    lab: Lab, bends: tuple[dict[str, Any], ...]
) -> None:
    bob = _equipped(lab)
    person = _asked(lab, bob)

    for bent in bends:
        assert is_wrong(_send(person, _sign(lab, bob, person, **bent))), bent
        assert lab.gates(person) == []

    assert _passes(lab, bob, person)


def test_a037_an_assertion_is_good_for_one_challenge(lab: Lab) -> None:
    bob = _equipped(lab)
    first, second = _asked(lab, bob), _asked(lab, bob)
    used = _sign(lab, bob, first)
    _send(first, used)

    assert lab.gates(first) == ["passkey"]
    assert is_wrong(_send(second, used))
    # After a wrong one the challenge is another, too.
    before = _sign(lab, bob, second)
    assert is_wrong(_send(second, _sign(lab, bob, second, flags=UP)))
    assert is_wrong(_send(second, before))
    assert lab.gates(second) == []
    assert _passes(lab, bob, second)


def test_a037_of_sixty_copies_of_the_right_assertion_one_counts(lab: Lab) -> None:
    bob = _equipped(lab)
    person = _asked(lab, bob)
    right = _sign(lab, bob, person)

    answers = lab.at_once([partial(_send, person.twin(), right, follow=False)] * 60)

    assert {answer.status for answer in answers} <= {200, 303, 401, 409, 429}
    assert lab.gates(person) == ["passkey"]
    types = lab.types(person)
    assert types.count("flow.verification_completed") == 1
    assert types.count("flow.locked") == 0


def test_a037_a_counter_that_does_not_rise_is_refused_and_told(lab: Lab) -> None:
    bob = _equipped(lab, counter=20)
    person = _asked(lab, bob)

    for counter in (20, 19, 0):
        assert is_wrong(_send(person, _sign(lab, bob, person, counter=counter)))

    causes = [event.data["cause"] for event in lab.trail(type="flow.verification_failed")]
    assert causes == ["counter"] * 3
    [alert] = lab.trail(type="method.copy_suspected")
    assert (alert.result, alert.target_label) == ("denied", bob.user_id)
    assert [mail["kind"] for mail in lab.messages()] == ["passkey_refused"]
    assert lab.gates(person) == []
    _send(person, _sign(lab, bob, person, counter=21))
    assert lab.gates(person) == ["passkey"]


def test_a037_a_passkey_of_somebody_else_is_wrong(lab: Lab) -> None:
    """Another person's, in their own name and in the victim's, and one of the other tenant."""
    bob = _equipped(lab)
    key = SoftKey.of(lab.acme.alice)
    with lab.acme.inside():
        give_passkey(lab.acme.alice, SITE)
        victims = handle_of(bob)
    with lab.beta.inside():
        give_passkey(lab.beta.bob, SITE)
        theirs = handle_of(lab.beta.bob)
    lab.leave_alone(lab.beta)
    person = _asked(lab, bob)
    attacks = (
        (key, None, None),
        (key, victims, None),
        (key, victims, SoftKey.of(bob).credential_id),
        (SoftKey.of(lab.beta.bob), theirs, None),
    )

    for other, handle, name in attacks:
        challenge = challenge_of(person.page.options)
        forged = other.assertion(SITE, challenge, handle, credential_id=name)
        assert is_wrong(_send(person, forged))

    assert lab.gates(person) == []
    assert _passes(lab, bob, person)


JUNK = ("", "{}", "[" * 4000, '{"type":"public-key"}', "\ud7ff" * 9, "x" * 4097, "x" * 60_000)


def test_a037_junk_is_refused_and_never_breaks(lab: Lab) -> None:
    bob = _equipped(lab)
    person = _asked(lab, bob)

    for junk in JUNK:
        answer = _send(person.twin(), junk)
        assert answer.status in {400, 413}, junk[:20]

    assert lab.flow(person).tries == 0
    assert _passes(lab, bob, person)


def test_a037_a_passkey_of_another_host_is_not_offered_here(lab: Lab) -> None:
    bob = _equipped(lab, site=SHARED)

    person = lab.begun(bob.user_id)
    answer = person.choose("passkey")

    assert (answer.status, lab.gates(person)) == (403, [])
    shared = _asked(lab, bob, site=SHARED)
    _send(shared, _sign(lab, bob, shared, site=SHARED))
    assert shared.state == "choosing"


def test_a037_a_decoy_is_asked_for_a_passkey_like_a_real_person(lab: Lab) -> None:
    bob = _equipped(lab)
    lab.conceal()
    person, nobody = _asked(lab, bob), _asked_nobody(lab)

    shapes = [
        browser.page.options.replace(_challenge_text(browser), "") for browser in (person, nobody)
    ]
    wrong = [_send(b, _sign(lab, bob, b, flags=UP)) for b in (person, nobody)]

    assert shapes[0] == shapes[1]
    assert "allowCredentials" not in shapes[0]
    assert all(is_wrong(answer) for answer in wrong)
    assert is_wrong(_send(nobody, _sign(lab, bob, nobody)))
    assert _passes(lab, bob, person)


def _asked_nobody(lab: Lab) -> Browser:
    person = lab.begun("nobody@acme.example")
    person.choose("passkey")
    return person


def _challenge_text(person: Browser) -> str:
    return person.page.options.partition('"challenge": "')[2].partition('"')[0]


def test_a037_a_refused_sign_in_tells_nothing(lab: Lab) -> None:
    bob = _equipped(lab)
    answers = []
    for name in ("bogus", "unknown", "another tenant", "junk"):
        thief = lab.browser()
        offer = _json(thief.get(DOOR))
        challenge = challenge_of(offer["options"])
        with lab.acme.inside():
            handle = handle_of(bob)
        key = SoftKey.of(bob)
        said = {
            "bogus": key.assertion(SITE, challenge, handle, flags=UP),
            "unknown": SoftKey.of(bob, "other").assertion(SITE, challenge, handle),
            "another tenant": key.assertion(SITE, challenge, lab.beta.id.bytes + bytes(32)),
            "junk": "junk",
        }[name]
        answers.append(thief.post(DOOR, {"assertion": said, "challenge": offer["challenge"]}))
        again = thief.post(DOOR, {"assertion": said, "challenge": offer["challenge"]})
        answers.append(again)

    assert {answer.status for answer in answers} == {403}
    assert len({_masked(answer) for answer in answers}) == 1
    assert all("sspr_session" not in line for a in answers for line in a.set_cookies)


def _json(answer: Answer) -> Any:
    return json.loads(answer.body)


def _masked(answer: Answer) -> str:
    found = answer.text
    for form in answer.page.forms:
        token = form.values.get("csrfmiddlewaretoken", "")
        found = found.replace(token, "") if token else found
    return found
