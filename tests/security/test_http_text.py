"""A-075…A-078: what others wrote leads nowhere, runs nowhere, and breaks nothing."""

import json
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from tenants.lookup import find_tenant
from tests.cast import NEW_PASSWORD, PASSWORD
from tests.resets.walks import BOB_EMAIL, set_tenant
from tests.security.lab.client import Answer, Browser
from tests.security.lab.extra_faults import MailServer, mail_server, text_of, wait_for
from tests.security.lab.lab import Lab
from tests.services.command import worker
from tests.services.signed_in import prove_session

ELSEWHERE = (
    "//evil.test/",
    "///evil.test/",
    "/\\evil.test/",
    "\\\\evil.test/",
    "https:evil.test",
    "https:///evil.test/",
    "https://evil.test/admin/",
    "http://acme.sspr.test/admin/",
    "https://acme.sspr.test@evil.test/admin/",
    "javascript:alert(1)",
    "data:text/html,<svg>",
    "/admin/\r\nLocation: https://evil.test/",
    "/admin/\r\n\r\n<svg onload=alert(1)>",
    "/\t/evil.test/",
    "\t//evil.test/",
    "https\t://evil.test/",
    "/admin/../../evil.test",
    "/admin.evil.test/",
)


def _sign_in(browser: Browser, user_id: str, password: str = PASSWORD, wanted: str = "") -> Answer:
    browser.get("/admin/login/")
    fields = {"user_id": user_id, "password": password, "next": wanted}
    return browser.post("/admin/login/", fields, follow=False)


def _stays(answer: Answer) -> bool:
    """A redirect into the site itself, in one line."""
    place = answer.header("Location")
    return re.fullmatch(r"/(?![/\\])[A-Za-z0-9/._~%?=&:()-]*", place) is not None


# --- redirects ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["next", "return_to", "redirect_to", "url"])
def test_a075_nobody_is_sent_elsewhere_by_signing_in_or_out(lab: Lab, name: str) -> None:
    carol = lab.acme.carol.user_id
    for wanted in ELSEWHERE if name == "next" else ELSEWHERE[:3]:
        person = lab.browser()
        page = person.request("GET", f"/admin/login/?{_query(name, wanted)}")
        assert page.status == 200
        assert "<svg onload" not in page.text
        signed_in = _sign_in(person, carol, wanted=wanted)
        assert (signed_in.status, _stays(signed_in)) == (302, True), wanted
        person.get("/admin/")
        out = person.post(f"/admin/logout/?{_query(name, wanted)}", {name: wanted}, follow=False)
        assert out.status in {200, 302}, wanted
        assert out.status == 200 or _stays(out), wanted


def test_a075_a_wish_inside_the_site_is_granted(lab: Lab) -> None:
    answer = _sign_in(lab.browser(), lab.acme.carol.user_id, wanted="/admin/accounts/user/")

    assert answer.header("Location") == "/sign-in/prove/?next=%2Fadmin%2Faccounts%2Fuser%2F"


def _query(name: str, wanted: str) -> str:
    return f"{name}=" + "".join(f"%{byte:02X}" for byte in wanted.encode())


def test_a075_no_other_address_redirects_elsewhere(lab: Lab) -> None:
    person = lab.begun(lab.acme.bob.user_id)
    fields = [("next", "//evil.test/"), ("return_to", "https://evil.test/")]
    query = "&".join(_query(*field) for field in fields)
    paths = [
        f"/?{query}",
        f"/reset/?{query}",
        f"/reset/wait/?{query}",
        f"/favicon.ico?{query}",
        f"/admin/?{query}",
        f"/admin/accounts/user?{query}",
        "/admin//evil.test/",
        "//evil.test/admin/",
        "//evil.test//",
        f"{person.flow_path}?{query}",
        f"/help/?{query}",
    ]
    for path in paths:
        answer = person.request("GET", path)
        assert answer.status in {200, 302, 404}, path
        assert answer.status != 302 or _stays(answer), path
    assert person.post(f"{person.flow_path}cancel/?{query}", {}, follow=False).status == 303
    assert all(_stays(each) for each in person.walk if each.status in {301, 302, 303})


# --- markup -------------------------------------------------------------------------------

MARKUP = '"><svg onload=alert(1)>'
_ORGANISATION = """
[tenant]
slug = "mark"
name = '{m}'
hosts = ["mark.sspr.test"]
domains = [{{ name = "mark.example", verified = true, custom = true }}]
plan = "p1"
[helpdesk]
email = "help@mark.example"
phone = '{m}'
[branding]
color = "#0b5cad"
logo = '/{m}'
[policy]
methods = ["mobile_phone", "security_questions"]
methods_required = 2
questions_to_register = 3
questions_to_reset = 3
custom_questions = ['{m} one?', '{m} two?', '{m} three?']
require_licence = false
[password]
check_breached = false
banned_terms = ['<svg onload']
[[groups]]
name = '{m}'
members = ["bob@mark.example"]
[[users]]
id = "bob@mark.example"
display_name = '{m}'
given_name = '{m}'
surname = '{m}'
password = "{password}"
email = "bob@mark.example"
mobile_phone = "+1 4255550142"
questions = [
  {{ question = '{m} one?', answer = "Salamander" }},
  {{ question = '{m} two?', answer = "Salamander Two" }},
  {{ question = '{m} three?', answer = "Salamander Three" }},
]
[[users]]
id = "root@mark.example"
display_name = '{m}'
password = "{password}"
email = "root@mark.example"
alternate_email = "root@example.org"
roles = ["global_administrator"]
"""


def _walk_with_markup(lab: Lab, person: Browser) -> None:
    """A reset of bob, whose questions come in a drawn order, and what strangers type meanwhile."""
    person.start("bob@mark.example")
    person.choose("mobile_phone", "+1 4255550142", "sms")
    person.verify(lab.code())
    if "method" in person.page.form.choices:
        person.choose("security_questions")
    answers = {"one": "Salamander", "two": "Salamander Two", "three": "Salamander Three"}
    asked = re.findall(r"(one|two|three)\?", person.shown.text if person.shown else "")
    person.verify(answers=[answers[each] for each in dict.fromkeys(asked)])
    person.submit(NEW_PASSWORD)
    assert person.state == "done"
    for host in ("mark.sspr.test", lab.acme.host):
        stranger = lab.browser(host)
        stranger.headers["User-Agent"] = MARKUP
        stranger.start(MARKUP)
        stranger.get(f"/reset/?{_query('user_id', MARKUP)}&{_query('mkt', MARKUP)}")
        stranger.get(f"/help/?{_query('reference', MARKUP)}&{_query('user_id', MARKUP)}")
        stranger.get(f"/{MARKUP}/".replace('"', "%22").replace(" ", "%20"))
        door = stranger.admission("/help/")
        fields = {"user_id": "bob@mark.example", "note": MARKUP, "reference": ""}
        stranger.post("/help/", {**fields, **door})
        _sign_in(stranger, MARKUP)


def _admin_pages(person: Browser) -> Iterator[Answer]:
    """The whole administration site, by its own links."""
    waiting, seen = ["/admin/"], {"/admin/"}
    while waiting and len(seen) < 80:
        answer = person.get(waiting.pop(0))
        yield answer
        for link in answer.page.links:
            if link.startswith("/admin/") and "?" not in link and link not in seen:
                seen.add(link)
                waiting.append(link)


def test_a076_markup_in_names_branding_and_typed_text_is_text_everywhere(
    lab: Lab, tmp_path: Path
) -> None:
    file = tmp_path / "mark.toml"
    file.write_text(_ORGANISATION.format(m=MARKUP, password=PASSWORD), encoding="utf-8")
    call_command("apply", str(file), stdout=StringIO())
    person = lab.browser("mark.sspr.test")
    person.headers["User-Agent"] = MARKUP

    lab.keep_secret("Salamander Two", "Salamander Three")
    _walk_with_markup(lab, person)
    lab.messages()
    admin = lab.browser("mark.sspr.test")
    assert _sign_in(admin, "root@mark.example").status == 302
    prove_session(admin.cookies["__Host-sspr_session"])
    pages = list(_admin_pages(admin))

    escaped = [answer for answer in lab.journal.answers if "&lt;svg onload" in answer.text]
    assert len(pages) >= 15
    assert len([page for page in pages if page in escaped]) >= 5
    assert any(answer.path.startswith("/reset/") for answer in escaped)
    assert any("/auditevent/" in page.path for page in pages)
    for answer in lab.journal.answers:
        assert "<svg onload" not in answer.text, f"{answer.host}{answer.path}"
        assert "<svg" not in repr(answer.headers)
        policy = answer.header("Content-Security-Policy")
        assert "script-src 'self';" in policy + ";", answer.path
    assert {message["kind"] for message in lab.sent} >= {"code", "password_changed", "help_request"}
    for message in lab.sent:
        assert "<svg" not in message["html"], message["kind"]
        assert "&lt;svg" in message["html"] or message["channel"] == "sms"


# --- A-077: line breaks --------------------------------------------------------------------------

BREAK = "Ann\r\nBcc: evil@evil.test\r\n\r\nHello"
SHORT_BREAK = "+1\r\nBcc: evil@evil.test"
HEADERS_OF_MAIL = {
    "Content-Type",
    "MIME-Version",
    "Subject",
    "From",
    "To",
    "Message-ID",
    "Date",
    "Auto-Submitted",
    "Content-Language",
}


@pytest.mark.parametrize(
    "line",
    [
        "[tenant]\nslug = 'brk'\nname = {text}\n",
        "[tenant]\nslug = 'brk'\nname = 'B'\n[helpdesk]\nphone = {text}\n",
        "[tenant]\nslug = 'brk'\nname = 'B'\n[helpdesk]\nemail = {text}\n",
        "[tenant]\nslug = 'brk'\nname = 'B'\n[branding]\nlogo = {text}\n",
        "{tenant}[[users]]\nid = 'ann@brk.example'\ndisplay_name = {text}\n",
        "{tenant}[[users]]\nid = 'ann@brk.example'\nmobile_phone = {text}\n",
        "{tenant}[[users]]\nid = 'ann@brk.example'\nalternate_email = {text}\n",
        "{tenant}[[groups]]\nname = {text}\n",
    ],
)
def test_a077_a_line_break_is_refused_where_texts_come_in(
    lab: Lab, line: str, tmp_path: Path
) -> None:
    tenant = "[tenant]\nslug = 'brk'\nname = 'B'\ndomains = [{name = 'brk.example'}]\n"
    file, said = tmp_path / "brk.toml", StringIO()
    file.write_text(line.format(tenant=tenant, text=json.dumps(SHORT_BREAK)), encoding="utf-8")

    with pytest.raises(SystemExit) as refused:
        call_command("apply", str(file), stdout=said, stderr=said)

    assert refused.value.code == 1
    assert "line breaks and control characters" in said.getvalue()
    assert find_tenant(slug="brk") is None


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


def test_a077_a_line_break_that_got_in_adds_no_header_and_no_recipient(
    lab: Lab, mail: MailServer
) -> None:
    lab.policy(methods_required=1)
    set_tenant(lab.acme, name=BREAK, helpdesk_phone=SHORT_BREAK)
    lab.change(lab.acme.bob, display_name=BREAK, given_name=BREAK)
    person = lab.begun(lab.acme.bob.user_id)
    person.choose("email", BOB_EMAIL)
    other = lab.browser()
    door = other.admission("/help/")
    note = {"user_id": lab.acme.bob.user_id, "note": BREAK, "reference": SHORT_BREAK[:20]}
    assert other.post("/help/", {**note, **door}).status == 200

    with worker({"EMAIL_URL": mail.url}):
        wait_for(lambda: len(mail.mails) == 2, "code and request for help")
        lab.codes |= set(mail.codes(BOB_EMAIL))
        person.verify(mail.codes(BOB_EMAIL)[0])
        person.submit(NEW_PASSWORD)
        wait_for(lambda: len(mail.mails) == 3, "the notice")

    assert sorted(mail.recipients()) == sorted([BOB_EMAIL, BOB_EMAIL, "help@acme.example"])
    for sent in mail.mails:
        assert set(sent.message.keys()) <= HEADERS_OF_MAIL
        assert [address.addr_spec for address in sent.message["From"].addresses] == [sent.sender]
        assert not re.search(r"(?m)^Bcc:", text_of(sent).partition("Hello")[0])


# --- what can't be read -------------------------------------------------------------------

TELLTALE = re.compile(
    r"(?i)traceback|exception|django|gunicorn|psycopg|python|site-packages|sspr_project|settings"
    r"|\bline \d|\bversion\b|\d+\.\d+\.\d+|parseerror|unicode|errno"
)
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=cut"
ODD_PART = (
    b'--cut\r\nContent-Disposition: form-data; name="user_id"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\n!!!!!\r\n--cut--\r\n"
)
FILE_PART = (
    b'--cut\r\nContent-Disposition: form-data; name="user_id"; filename="../../x"\r\n\r\n'
    b"x\r\n--cut--\r\n"
)
BODIES = {
    "a document cut off": ("application/json", b'{"user_id": "bob'),
    "a document nested deep": ("application/json", b"[" * 60_000),
    "bytes that are no text": (FORM, b"user_id=\xff\xfe\x00"),
    "escapes that are no text": (FORM, b"user_id=%FF%FE%C0%80&altcha=%ED%A0%80"),
    "an alphabet nobody speaks": (f"{FORM}; charset=utf-7", b"user_id=+ADw-svg+AD4-"),
    "an alphabet that does not exist": (f"{FORM}; charset=no-such", b"user_id=a"),
    "parts without an end": (MULTIPART, b'--cut\r\nContent-Disposition: form-data; name="user_id"'),
    "parts without a boundary": ("multipart/form-data", b"--cut--"),
    "parts with an odd encoding": (MULTIPART, ODD_PART),
    "a file": (MULTIPART, FILE_PART),
    "too many fields": (FORM, b"&".join(b"f%d=1" % number for number in range(500))),
    "nothing": (FORM, b""),
}


@pytest.mark.parametrize("name", BODIES)
def test_a078_a_body_that_cannot_be_read_is_refused_without_a_word_of_how(
    lab: Lab, name: str
) -> None:
    kind, body = BODIES[name]
    person = lab.browser()
    page = person.get("/reset/")
    headers = {"Content-Type": kind, "X-CSRFToken": person.token, "Origin": "null"}

    answer = person.request("POST", "/reset/", headers=headers, body=body)

    again = page.status == answer.status == 200 and answer.page.state == "started"
    assert again or 400 <= answer.status < 500
    assert TELLTALE.search(answer.text) is None
    assert lab.rows("resets_flow") == 0


RAW = {
    "no request": b"<svg onload=alert(1)>\r\n\r\n",
    "no text in the line": b"GET /reset/?user_id=\xff\xfe HTTP/1.1\r\nHost: acme.sspr.test\r\n\r\n",
    "a huge header": b"GET / HTTP/1.1\r\nHost: acme.sspr.test\r\nX: " + b"a" * 30_000 + b"\r\n\r\n",
    "a huge cookie": b"GET / HTTP/1.1\r\nHost: acme.sspr.test\r\nCookie: "
    + b"a" * 30_000
    + b"\r\n\r\n",
    "another protocol": b"GET / HTTP/9.9\r\nHost: acme.sspr.test\r\n\r\n",
    "a chunk that is none": b"POST /reset/ HTTP/1.1\r\nHost: acme.sspr.test\r\n"
    b"Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    "a path that is no text": b"GET /%ff%fe%00/ HTTP/1.1\r\nHost: acme.sspr.test\r\n\r\n",
    "a way out": b"GET /static/../../../../etc/passwd HTTP/1.1\r\nHost: acme.sspr.test\r\n\r\n",
    "an escaped way out": b"GET /static/%2e%2e%2fmanage.py HTTP/1.1\r\n"
    b"Host: acme.sspr.test\r\n\r\n",
}


@pytest.mark.parametrize("name", RAW)
def test_a078_a_request_that_cannot_be_read_is_refused_without_a_word_of_how(
    lab: Lab, name: str
) -> None:
    answer = lab.wire.raw(RAW[name])

    assert 400 <= answer.status < 500
    assert TELLTALE.search(answer.text) is None
    assert "<svg onload" not in answer.text
