"""A-072…A-074, A-079, A-080: headers of every answer, cookies, and verbs nobody needs."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.cookies import Morsel, SimpleCookie
from typing import Any

import pytest
from psycopg import sql

from tests.cast import NEW_PASSWORD, PASSWORD
from tests.resets.walks import BOB_EMAIL
from tests.security.lab.client import CSRF_COOKIE, FLOW_COOKIE, Answer, Browser
from tests.security.lab.lab import Lab
from tests.security.lab.observers import superuser
from tests.security.lab.verdicts import journey_row
from tests.services.ports import wait_until
from tests.services.signed_in import prove_session

HEADERS = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
}
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "connect-src": "'self'",
    "img-src": "'self' data:",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
STATIC = "/static/"
ADMIN_PAGES = (
    "/admin/",
    "/admin/accounts/user/",
    "/admin/tenants/auditevent/",
    "/admin/resets/flow/",
    "/admin/tenants/domain/",
    "/admin/notifications/message/",
)
Answers = dict[str, Answer]


def _sign_in(lab: Lab) -> Browser:
    person = lab.browser()
    person.get("/admin/login/")
    fields = {"user_id": lab.acme.carol.user_id, "password": PASSWORD, "next": ""}
    assert person.post("/admin/login/", fields).status == 302
    prove_session(person.cookies["__Host-sspr_session"])
    return person


def _raw(lab: Lab, lines: list[str], method: str = "GET") -> Answer:
    request = "\r\n".join([*lines, f"Host: {lab.acme.host}", "X-Forwarded-Proto: https", "", ""])
    return lab.wire.raw(request.encode(), method=method)


def _plain(lab: Lab) -> Answers:
    """Answers that need no journey, by what they are."""
    person = lab.browser()
    return {
        "200": person.get("/reset/"),
        "302": person.get("/reset/wait/"),
        "302 to the sign-in": person.get("/admin/"),
        "302 to a file": person.get("/favicon.ico"),
        "400": person.post("/reset/", {"unknown": "1"}),
        "400 host": person.request("GET", "/reset/", headers={"Host": "acme.sspr.test@evil"}),
        "401": person.get("/reset/00000000-0000-0000-0000-000000000000/"),
        "403": person.post("/reset/", {"user_id": "x"}, token="x" * 64),
        "404": person.get("/nothing/"),
        "404 host": person.request("GET", "/reset/", headers={"Host": "nobody.test"}),
        "302 admin": person.get("/admin/nothing/"),
        "404 file": person.get("/static/css/nothing.css"),
        "404 hidden": person.get("/.git/config"),
        "405": person.request("PUT", "/reset/"),
        "405 verb": person.request("TRACE", "/reset/"),
        "410": person.get(f"/not-me/{lab.acme.id.hex}.{'t' * 43}/"),
        "200 probe": person.get("/healthz"),
        "200 theme": person.get("/theme/0b5cad.css"),
        "200 file": person.get("/static/css/portal.css"),
        # The last one: the server ends a connection whose body it did not read.
        "413": person.post("/reset/", {"user_id": "x" * 70_000}),
    }


def _refused_by_the_server(lab: Lab) -> Answers:
    """What gunicorn answers before the product is asked."""
    return {
        "400 line": _raw(lab, ["<svg onload=alert(1)>"]),
        "400 header": _raw(lab, ["GET / HTTP/1.1", "X bad<svg>: 1"]),
        "400 hosts": _raw(lab, ["GET / HTTP/1.1", "Host: other.test"]),
        "400 lengths": _raw(
            lab, ["POST / HTTP/1.1", "Content-Length: 5", "Transfer-Encoding: chunked"]
        ),
        "400 fold": _raw(lab, ["GET / HTTP/1.1", "X-One: a", " b"]),
        "400 coding": _raw(lab, ["POST / HTTP/1.1", "Transfer-Encoding: xchunked"]),
        "414": _raw(lab, [f"GET /{'a' * 9000} HTTP/1.1"]),
        "417": _raw(lab, ["POST / HTTP/1.1", "Expect: bananas"]),
        "431 size": _raw(lab, ["GET / HTTP/1.1", f"X-Big: {'a' * 20_000}"]),
        "431 many": _raw(lab, ["GET / HTTP/1.1", *[f"X-{n}: a" for n in range(200)]]),
    }


def _journeys(lab: Lab) -> Answers:
    """Answers in the middle and at the end of journeys."""
    person = lab.begun(lab.acme.bob.user_id)
    found = {"200 journey": person.status()}
    found["200 wrong"] = person.verify("000000")
    found["303"] = person.verify(lab.app_code(lab.acme.bob))
    person.choose("email", BOB_EMAIL)
    person.verify(lab.code())
    found["200 weak"] = person.submit("short")
    found["303 end"] = person.submit(NEW_PASSWORD)
    found["409"] = person.submit(NEW_PASSWORD)
    late = lab.begun(lab.acme.carol.user_id)
    lab.age(late, 3600)
    found["410 journey"] = late.status()
    locked = lab.begun(lab.acme.alice.user_id)
    locked.choose("app_code")
    for _ in range(5):
        locked.verify("000000")
    return {**found, "429": locked.status()}


def _of_admin(lab: Lab) -> Answers:
    person = _sign_in(lab)
    found = {f"200 {path}": person.get(path) for path in ADMIN_PAGES}
    found["302 single row"] = person.get("/admin/tenants/tenant/")
    found["404 admin page"] = person.get("/admin/tenants/nothing/")
    found["403 admin"] = person.get("/admin/tenants/auditevent/add/")
    return found


DOOR = "/admin/login/"  # asks the database whose host it is, each time


@contextmanager
def _withdrawn(table: str) -> Iterator[None]:
    """The product may not read a table any more: what no code foresees."""
    name = sql.Identifier(table)
    with superuser() as connection:
        connection.execute(sql.SQL("REVOKE SELECT ON {} FROM sspr_app").format(name))
        try:
            yield
        finally:
            connection.execute(sql.SQL("GRANT SELECT ON {} TO sspr_app").format(name))


def _cancelled(lab: Lab, ask: Callable[[], Answer]) -> Answer:
    """The answer when the database gives up in the middle of a request."""
    waits = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = %s"
    with superuser() as other, superuser() as locker, ThreadPoolExecutor(1) as pool:
        name = locker.info.dbname
        with locker.transaction():
            locker.execute("LOCK TABLE tenants_tenant IN ACCESS EXCLUSIVE MODE")
            answer = pool.submit(ask)
            wait_until(lambda: bool(other.execute(waits, [name]).fetchall()), "the request")
            for (pid,) in other.execute(waits, [name]).fetchall():
                other.execute("SELECT pg_cancel_backend(%s)", [pid])
            return answer.result(timeout=30)


def _broken(lab: Lab) -> Answers:
    lab.expect_5xx()
    admin, person = _sign_in(lab), lab.begun(lab.acme.bob.user_id)
    with _withdrawn("tenants_tenant"):
        found = {"500": person.status(), "500 admin": admin.get("/admin/")}
    found["503"] = _cancelled(lab, lambda: lab.browser().get(DOOR))
    return found


GROUPS = [_plain, _refused_by_the_server, _journeys, _of_admin, _broken]


def _policy_of(answer: Answer) -> dict[str, str]:
    parts = answer.header("Content-Security-Policy").split(";")
    named = [part.strip().partition(" ") for part in parts if part.strip()]
    return {name: sources for name, _, sources in named}


@pytest.mark.parametrize("group", GROUPS)
def test_a072_no_page_can_be_framed(lab: Lab, group: Callable[[Lab], Answers]) -> None:
    for name, answer in group(lab).items():
        assert _policy_of(answer)["frame-ancestors"] == "'none'", name
        assert answer.header("X-Frame-Options") == "DENY", name


@pytest.mark.parametrize("group", GROUPS)
def test_a073_every_answer_carries_the_whole_set_and_names_no_server(
    lab: Lab, group: Callable[[Lab], Answers]
) -> None:
    for name, answer in group(lab).items():
        assert answer.status == int(name[:3]), name
        assert {key: answer.header(key) for key in HEADERS} == HEADERS, name
        assert "camera=()" in answer.header("Permissions-Policy"), name
        policy = _policy_of(answer)
        assert "unsafe" not in str(policy), name
        if group is not _refused_by_the_server:
            assert {key: policy.get(key) for key in POLICY} == POLICY, name
        told = {key.lower() for key, _ in answer.headers}
        assert not told & {"server", "x-powered-by", "via", "access-control-allow-origin"}, name


@pytest.mark.parametrize("group", GROUPS)
def test_a079_no_dynamic_answer_is_ever_stored(lab: Lab, group: Callable[[Lab], Answers]) -> None:
    for name, answer in group(lab).items():
        is_file = answer.path.startswith(STATIC) and answer.status == 200
        assert ("no-store" in answer.header("Cache-Control")) != is_file, name
    for answer in lab.journal.answers:
        if not answer.path.startswith(STATIC):
            assert answer.header("Cache-Control") == "no-store", answer.path


# --- cookies ------------------------------------------------------------------------------

SAME_SITE = {
    "__Host-sspr_flow": "Lax",
    "__Host-sspr_csrf": "Lax",
    "__Host-sspr_language": "Lax",
    "__Host-sspr_session": "Lax",
    "__Host-sspr_wait": "Strict",
}


def _cookies(lab: Lab) -> Iterator[tuple[str, Morsel[str]]]:
    for answer in lab.journal.answers:
        for line in answer.set_cookies:
            yield from SimpleCookie(line).items()


def test_a074_every_cookie_is_bound_to_the_host_and_hidden_from_scripts(lab: Lab) -> None:
    _journeys(lab)
    lab.browser().get("/reset/?mkt=de")
    _sign_in(lab)
    early = lab.browser()
    page = early.get("/reset/").page
    fields = {"user_id": lab.acme.bob.user_id, "ticket": page.form.values["ticket"]}
    assert early.post("/reset/", fields).status == 200

    kept = [(name, morsel) for name, morsel in _cookies(lab) if morsel.value]
    assert {name for name, _ in kept} == set(SAME_SITE)
    for name, morsel in _cookies(lab):
        assert morsel["secure"] is True, name
        assert (morsel["path"], morsel["domain"]) == ("/", ""), name
    for name, morsel in kept:
        assert morsel["httponly"] is True, name
        assert morsel["samesite"] == SAME_SITE[name], name


def test_a074_a_cookie_without_the_prefix_is_ignored(lab: Lab) -> None:
    person = lab.begun(lab.acme.bob.user_id)
    admin = _sign_in(lab)
    flow, token, path = person.cookies[FLOW_COOKIE], person.cookies[CSRF_COOKIE], person.flow_path
    session = admin.cookies["__Host-sspr_session"]

    def twin(**cookies: str) -> Browser:
        found = lab.browser()
        found.cookies = cookies
        return found

    assert twin(**{FLOW_COOKIE: flow}).get(path).status == 200
    assert twin(sspr_flow=flow, __Secure_sspr_flow=flow).get(path).status == 401
    assert twin(**{"__Host-sspr_session": session}).get("/admin/").status == 200
    assert twin(sspr_session=session, sessionid=session).get("/admin/").status == 302
    thief = twin(**{FLOW_COOKIE: flow, "sspr_csrf": token, "csrftoken": token})
    assert thief.post(f"{path}cancel/", {}, token=person.token).status == 403
    both = twin(**{FLOW_COOKIE: flow, "sspr_flow": "00.planted", CSRF_COOKIE: token})
    assert both.post(f"{path}cancel/", {}, token=person.token).status == 303


# --- verbs --------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["TRACE", "TRACK", "CONNECT", "DEBUG", "PROPFIND", "post"])
def test_a080_a_verb_nobody_needs_is_refused_and_repeats_nothing(lab: Lab, verb: str) -> None:
    for path in ("/reset/", "/admin/", "/static/css/portal.css", "/"):
        answer = _raw(lab, [f"{verb} {path} HTTP/1.1", "X-Echo: repeat-me"], verb)
        assert answer.status in {400, 405}, path
        assert b"repeat-me" not in answer.body


OVERRIDES: dict[str, Any] = {
    "X-HTTP-Method-Override": "POST",
    "X-HTTP-Method": "DELETE",
    "X-Method-Override": "PUT",
}


def test_a080_no_field_and_no_header_makes_one_verb_another(lab: Lab) -> None:
    person = lab.begun(lab.acme.bob.user_id)
    before = journey_row(lab, person)
    token = person.token

    for header, verb in OVERRIDES.items():
        headers = {header: verb, "X-CSRFToken": token}
        path = f"{person.flow_path}cancel/"
        assert person.request("GET", f"{path}?_method=POST", headers=headers).status == 405
    admin = _sign_in(lab)
    user = f"/admin/accounts/user/{lab.acme.bob.pk}/change/"
    for header in OVERRIDES:
        fields = {"_method": "DELETE"}
        answer = admin.post(user, fields, headers={header: "DELETE"})
        # The form is taken as the form it is; nobody is removed.
        assert answer.status in {200, 302, 403, 405}
    refused = person.post(f"{person.flow_path}cancel/", {"_method": "DELETE"}, token=token)

    assert refused.status == 400
    assert journey_row(lab, person) == before
    assert lab.password_is(lab.acme.bob, PASSWORD)
