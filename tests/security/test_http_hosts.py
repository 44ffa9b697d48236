"""A-068…A-071: whose host it is, what addresses hold, and where forms come from."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

from tests.cast import ALICE_EMAIL, NEW_PASSWORD, PASSWORD
from tests.security.lab.client import Answer, Browser
from tests.security.lab.lab import Lab
from tests.security.lab.verdicts import journey_row

HOST = "acme.sspr.test"


def _raw(lab: Lab, *lines: str) -> Answer:
    """One request of exactly these lines, from the trusted proxy."""
    request = "\r\n".join([*lines, "X-Forwarded-Proto: https", "", ""])
    return lab.wire.raw(request.encode("latin-1"))


def _names_evil(answer: Answer) -> bool:
    return b"evil" in answer.body or "evil" in repr(answer.headers)


# --- hosts --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ((f"Host: {HOST}",), 200),
        (("Host: evil.test",), 404),
        ((f"Host: {HOST}.evil.test",), 404),
        ((f"Host: {HOST}@evil.test",), 400),
        ((f"Host: {HOST}:'<a href=\"//evil/?",), 400),
        ((f"Host: {HOST}, evil.test",), 400),
        ((f"Host: {HOST}", "Host: evil.test"), 400),
        (("Host: evil.test", f"Host: {HOST}"), 400),
        ((f"Host: {HOST}", " evil.test"), 400),
        (("Host: ",), 400),
        ((), 404),
    ],
)
def test_a068_a_host_that_is_not_exactly_ours_gets_nothing(
    lab: Lab, lines: tuple[str, ...], status: int
) -> None:
    answer = _raw(lab, "GET /reset/ HTTP/1.1", *lines)

    assert answer.status == status
    assert not _names_evil(answer)
    assert (b"Acme" in answer.body) == (status == 200)


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        ("https://evil.test/reset/", HOST, 200),
        (f"https://{HOST}/reset/", "evil.test", 404),
        ("//evil.test/reset/", HOST, 404),
    ],
)
def test_a068_the_address_in_the_request_line_names_no_host(
    lab: Lab, target: str, host: str, status: int
) -> None:
    answer = _raw(lab, f"GET {target} HTTP/1.1", f"Host: {host}")

    assert answer.status == status
    assert not _names_evil(answer)


FORGED = {
    "X-Forwarded-Host": "evil.test",
    "X-Host": "evil.test",
    "X-Forwarded-Server": "evil.test",
    "X-HTTP-Host-Override": "evil.test",
    "X-Original-URL": "https://evil.test/",
    "X-Rewrite-URL": "//evil.test/",
    "Forwarded": "for=192.0.2.1;host=evil.test;proto=https",
    "SCRIPT_NAME": "//evil.test",
    "SCRIPT-NAME": "//evil.test",
    "PATH_INFO": "//evil.test",
}


def test_a068_no_other_header_names_the_host_in_pages_redirects_and_mails(lab: Lab) -> None:
    lab.policy(methods_required=1)
    person = lab.browser()
    person.headers.update(FORGED)

    assert person.get("/reset/").status == 200
    person.start(lab.acme.bob.user_id)
    person.choose("email", "bob@example.net")
    person.verify(lab.code())
    person.submit(NEW_PASSWORD)
    person.get("/admin/")

    assert lab.password_is(lab.acme.bob, NEW_PASSWORD)
    assert not any(_names_evil(answer) for answer in person.walk)
    lab.messages()
    assert [message["kind"] for message in lab.sent] == ["code", "password_changed"]
    links = re.findall(r"https?://[^\s\"<]+", json.dumps(lab.sent))
    assert any("/not-me/" in link for link in links)
    assert "evil" not in json.dumps(lab.sent)


def test_a068_a_path_before_the_path_is_not_believed(lab: Lab) -> None:
    answer = _raw(
        lab, "GET //evil.test/reset/ HTTP/1.1", f"Host: {HOST}", "SCRIPT_NAME: //evil.test"
    )

    assert answer.status == 404
    assert not _names_evil(answer)


# --- addresses ----------------------------------------------------------------------------


class _Addresses(HTMLParser):
    """Every address on a page, and those among them that a browser loads by itself."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.all: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name not in {"href", "src", "action", "data", "srcset", "poster", "formaction"}:
                continue
            self.all.append(value or "")
            if tag not in {"a", "form"}:
                self.loaded.append(value or "")


def _walked(lab: Lab) -> Iterator[Browser]:
    """Whole journeys of two people by four methods, and the pages beside them."""
    alice = lab.begun(lab.acme.alice.user_id)
    alice.get(f"{alice.flow_path}?other=1")
    alice.choose("email", ALICE_EMAIL)
    alice.send()
    alice.verify(lab.code())
    alice.choose("app_code")
    alice.verify("000000")
    alice.verify(lab.app_code(lab.acme.alice))
    alice.submit("short")
    alice.submit(NEW_PASSWORD)
    assert alice.state == "done"
    yield alice
    other = lab.begun("nobody@acme.example")
    for path in ("/", "/help/", "/reset/?mkt=de", "/nothing/"):
        other.get(path)
    yield other


def test_a069_no_address_of_a_journey_holds_a_secret_and_nothing_is_loaded_elsewhere(
    lab: Lab,
) -> None:
    seen = [answer for browser in _walked(lab) for answer in browser.walk]
    pages = [_Addresses(answer.text) for answer in seen]
    addresses = [answer.path for answer in seen] + [text for page in pages for text in page.all]
    addresses += [answer.header("Location") for answer in seen]
    known = [lab.acme.alice.user_id, "nobody@acme.example", ALICE_EMAIL, *lab.codes]
    secrets = [*known, *lab.journal.secrets]

    assert len(seen) > 20
    for address in addresses:
        assert not any(secret in unquote(address) for secret in secrets), address
    for page in pages:
        hosts = {urlsplit(address).netloc for address in page.loaded}
        assert hosts <= {"", lab.acme.host}
    for answer in seen:
        assert answer.header("Referrer-Policy") == "no-referrer"
        assert not re.search(r"(?i)style=|<style|javascript:|@import", answer.text)


# --- forms of other sites -----------------------------------------------------------------

EVIL = "https://evil.example"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": f"https://{HOST}", "Sec-Fetch-Site": ""}, 303),
        ({"Origin": EVIL, "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": EVIL, "Sec-Fetch-Site": "same-origin"}, 403),
        ({"Origin": "https://beta.sspr.test"}, 403),
        ({"Origin": f"http://{HOST}"}, 403),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "null", "Sec-Fetch-Site": ""}, 403),
        ({"Origin": "null", "Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "", "Sec-Fetch-Site": "", "Referer": f"https://{HOST}/reset/"}, 403),
        ({"Origin": "", "Sec-Fetch-Site": "", "Referer": f"{EVIL}/"}, 403),
    ],
)
def test_a070_a_form_comes_from_this_host_and_says_so(
    lab: Lab, headers: dict[str, str], status: int
) -> None:
    person = lab.begun(lab.acme.bob.user_id)
    before = journey_row(lab, person)
    token = person.token
    left_out = [name for name, value in headers.items() if not value]
    for name in left_out:
        person.headers.pop(name, None)
    kept = {name: value for name, value in headers.items() if value}
    body = f"csrfmiddlewaretoken={token}".encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}

    path = f"{person.flow_path}cancel/"
    answer = person.request("POST", path, headers={**kind, **kept}, body=body)

    assert answer.status == status
    assert (journey_row(lab, person) == before) == (status == 403)


@pytest.mark.parametrize("whose", ["none", "empty", "made up", "another's"])
def test_a070_a_form_without_its_own_protection_changes_nothing(lab: Lab, whose: str) -> None:
    person, other = lab.begun(lab.acme.bob.user_id), lab.browser()
    other.get("/reset/")
    tokens = {"none": "", "empty": " ", "made up": "x" * 64, "another's": other.token}
    before = journey_row(lab, person)
    events = len(lab.trail())

    steps = {
        "verify": {"code": lab.app_code(lab.acme.bob)},
        "cancel": {},
        "submit": {"new_password": NEW_PASSWORD},
    }
    for step, fields in steps.items():
        answer = person.post(f"{person.flow_path}{step}/", fields, token=tokens[whose])
        assert answer.status == 403, step

    assert journey_row(lab, person) == before
    assert len(lab.trail()) == events
    assert lab.password_is(lab.acme.bob, PASSWORD)


def test_a070_the_administrators_door_is_protected_too(lab: Lab) -> None:
    person = lab.browser()
    person.get("/admin/login/")
    fields = {"user_id": lab.acme.carol.user_id, "password": PASSWORD, "next": ""}

    assert person.post("/admin/login/", fields, token="x" * 64).status == 403
    person.get("/admin/login/")
    assert person.post("/admin/login/", fields, headers={"Origin": EVIL}).status == 403
    assert person.get("/admin/").status == 302
    assert lab.trail(type="admin.signed_in") == []


# --- what is no form ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "application/xml", ""])
def test_a071_a_door_for_forms_takes_nothing_else(lab: Lab, kind: str) -> None:
    person = lab.begun(lab.acme.bob.user_id)
    before = journey_row(lab, person)
    code = lab.app_code(lab.acme.bob)
    bodies = {"verify": f"code={code}", "cancel": "", "choose": json.dumps({"method": "email"})}

    for step, body in bodies.items():
        headers = {"X-CSRFToken": person.token, "Origin": "null", "Content-Type": kind}
        path = f"{person.flow_path}{step}/"
        answer = person.request("POST", path, headers=headers, body=body.encode())
        assert answer.status == 400, step

    assert journey_row(lab, person) == before
    assert lab.messages() == []
