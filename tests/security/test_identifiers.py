"""A-007…A-010: user IDs that only look like somebody's, and forms that carry more than they ask.

What is not exactly a user ID is nobody's; what no page of ours sends is refused before anything is
looked up.
"""

from urllib.parse import quote, urlencode

from accounts.models import User
from tests.cast import ALICE_EMAIL, ALICE_MOBILE, NEW_PASSWORD, give_app, give_email, make_person
from tests.resets.walks import BOB_EMAIL
from tests.security.lab.client import Answer, Browser
from tests.security.lab.compare import assert_uniform
from tests.security.lab.lab import Lab


def _person(lab: Lab, name: str) -> User:
    with lab.acme.inside():
        user = make_person(name, lab.acme.domain, licence=lab.acme.subscription)
        give_email(user, f"{name}@example.net")
        give_app(user)
    return user


LOOKALIKES = {
    "dotless i": "m\u0131ke@acme.example",
    "dotted capital": "M\u0130KE@ACME.EXAMPLE",
    "kelvin sign": "mi\u212ae@acme.example",
    "fullwidth": "ｍｉｋｅ@acme.example",
    "fullwidth at": "mike＠acme.example",
    "ligature": "\ufb01ona@acme.example",
    "long s": "o\u017fcar@acme.example",
    "sharp s": "pa\u00dfmore@acme.example",
    "domain dot": "mike@acme\u3002example",
}


def test_a007_a_lookalike_of_a_user_id_is_nobody(lab: Lab) -> None:
    lab.conceal()
    mike, *_ = [_person(lab, name) for name in ("mike", "fiona", "passmore")]
    stranger = lab.begun("nobody@acme.example")
    stranger.choose("email", "mike@example.net")

    for disguise, typed in LOOKALIKES.items():
        thief = lab.begun(typed)
        thief.choose("email", "mike@example.net")
        assert_uniform(thief.walk, stranger.walk)
        assert lab.flow(thief).user_id is None, disguise
    assert lab.messages() == []
    for typed in ("MIKE@ACME.EXAMPLE", "  mike@Acme.Example "):
        assert lab.flow(lab.begun(typed)).user_id == mike.pk


DISGUISES = {
    "zero width space": "ali\u200bce@acme.example",
    "cyrillic": "\u0430lice@acme.example",
    "nbsp": "\u00a0alice@acme.example",
    "right to left": "\u202ealice@acme.example",
    "tab": "\talice@acme.example",
    "newline": "alice@acme.example\r\n",
    "soft hyphen": "al\u00adice@acme.example",
    "combining": "alice\u0301@acme.example",
    "surrogate bytes": "alice\ud83d@acme.example",
    "wildcard": "alic%@acme.example",
    "underscore": "_lice@acme.example",
    "ldap": "alice*)(uid=*@acme.example",
    "sql": "' OR 1=1 --",
    "113 characters": "a" * 100 + "@acme.example",
}


NO_TEXT = (b"ali%FF%FEce@acme.example", b"ali\xff\xfece@acme.example", b"%C0%AElice@acme.example")
NO_USER_ID = {
    "null inside": b"alice%00@acme.example",
    "null at the end": b"alice@acme.example%00",
    "114 characters": b"a" * 101 + b"@acme.example",
    "10,000 characters": b"a" * 10_000,
}


def _start_as(lab: Lab, typed: bytes) -> tuple[Browser, Answer]:
    """Starts with these bytes in the form, escaped or not."""
    browser = lab.browser()
    ticket = browser.admission("/reset/")["ticket"]
    door = urlencode({"csrfmiddlewaretoken": browser.token, "ticket": ticket}).encode()
    return browser, browser.post("/reset/", door + b"&user_id=" + typed)


def test_a008_a_user_id_with_a_hidden_sign_is_nobody(lab: Lab) -> None:
    lab.conceal()
    signs = {name: quote(text, errors="surrogatepass") for name, text in DISGUISES.items()}
    typed = {name: text.encode() for name, text in signs.items()}
    typed |= {repr(text): text for text in NO_TEXT}

    for name, text in typed.items():
        browser, answer = _start_as(lab, text)
        assert answer.status in {303, 400}, name
        if answer.status == 303:
            browser.flow_path = answer.header("Location")
            assert lab.flow(browser).user_id is None, name
    assert lab.messages() == []


def test_a008_what_cannot_be_a_user_id_is_refused_before_any_look_up(lab: Lab) -> None:
    found = {name: _start_as(lab, typed)[1].status for name, typed in NO_USER_ID.items()}

    assert found == dict.fromkeys(NO_USER_ID, 400)
    assert _nothing_happened(lab)


def _nothing_happened(lab: Lab) -> bool:
    """No journey, no spent captcha, no counted start and no message."""
    tables = ("resets_flow", "resets_spentcaptcha", "tenants_sharedcounter", "tenants_counter")
    return [lab.rows(name) for name in tables] == [0] * len(tables) and lab.messages() == []


def _start_with(lab: Lab, *fields: tuple[str, str]) -> Answer:
    browser = lab.browser()
    return browser.post("/reset/", [*browser.admission("/reset/").items(), *fields])


ALICE, MALLORY = ("user_id", "alice@acme.example"), ("user_id", "mallory@acme.example")
TWICE = {
    "twice": [ALICE, MALLORY],
    "twice the same": [ALICE, ALICE],
    "as a list": [("user_id[]", "alice@acme.example")],
    "list and text": [ALICE, ("user_id[]", "mallory@acme.example")],
    "as an object": [("user_id[$ne]", "")],
    "ticket twice": [ALICE, ("ticket", "x")],
}
DOCUMENTS = (
    b'{"user_id": ["alice@acme.example", "mallory@acme.example"]}',
    b'{"user_id": {"$ne": ""}}',
    b'{"user_id": 7}',
    b'{"user_id": true}',
    b'{"user_id": null}',
    b'["alice@acme.example"]',
    b'{"user_id": "alice@acme.example"}',
    b"{",
    b"",
)


def test_a009_a_user_id_is_exactly_one_text(lab: Lab) -> None:
    found = {name: _start_with(lab, *fields).status for name, fields in TWICE.items()}

    assert found == dict.fromkeys(TWICE, 400)
    browser = lab.browser()
    door = browser.admission("/reset/")
    both = browser.post("/reset/?user_id=mallory@acme.example", {**door, ALICE[0]: ALICE[1]})
    assert both.status == 400
    assert _nothing_happened(lab)


def test_a009_a_document_is_no_form(lab: Lab) -> None:
    browser = lab.browser()
    for document in DOCUMENTS:
        browser.get("/reset/")
        # The form's protection in the header a script would use: only the document is judged.
        headers = {"Content-Type": "application/json", "X-CSRFToken": browser.token}
        assert browser.post("/reset/", document, headers=headers).status in {400, 415}
    assert _nothing_happened(lab)


EXTRA = ("email", "phone", "to", "delivery", "user_id[0]", "tenant", "tenant_id", "next", "user")


def test_a010_a_start_with_a_field_that_the_page_does_not_have_is_refused(lab: Lab) -> None:
    names = [*EXTRA, "contact", "operation", "_method"]

    found = {name: _start_with(lab, ALICE, (name, "mallory@example.net")).status for name in names}

    assert found == dict.fromkeys(names, 400)
    assert _nothing_happened(lab)


def _posts(browser: Browser, name: str) -> dict[str, Answer]:
    fields = {
        "choose": {"method": "email", "contact": BOB_EMAIL},
        "send": {},
        "verify": {"code": "123456"},
        "submit": {"new_password": NEW_PASSWORD},
        "cancel": {},
    }
    return {
        verb: browser.post(f"{browser.flow_path}{verb}/", {**typed, name: "mallory@example.net"})
        for verb, typed in fields.items()
    }


def test_a010_no_step_takes_a_field_that_its_page_does_not_have(lab: Lab) -> None:
    browser = lab.begun(lab.acme.bob.user_id)
    before = lab.flow(browser)

    for name in (*EXTRA, "user_id", "gates_required", "flow"):
        answers = _posts(browser, name)
        found = {verb: answer.status for verb, answer in answers.items()}
        assert found == dict.fromkeys(answers, 400), name

    after = lab.flow(browser)
    assert (after.state, after.tries) == (before.state, before.tries)
    assert lab.messages() == []


def test_a010_a_contact_with_a_second_one_in_it_reaches_nobody_else(lab: Lab) -> None:
    for method, contact in (
        ("email", f"{ALICE_EMAIL},mallory@example.net"),
        ("email", f"{ALICE_EMAIL}\r\nBcc: mallory@example.net"),
        ("email", f"mallory@example.net <{ALICE_EMAIL}>"),
        ("mobile_phone", f"{ALICE_MOBILE},+1 4255550177"),
    ):
        lab.begun(lab.acme.alice.user_id).choose(method, contact)

    own = {ALICE_EMAIL, ALICE_MOBILE.replace(" ", "")}
    assert {message["to"] for message in lab.messages()} <= own
    assert "mallory" not in repr(lab.sent)
