"""What the HTTP door answers: methods, origins, sizes, headers, languages."""

from typing import Any

import pytest

from tests.cast import Acme, Beta
from tests.resets.visitor import Clock, Visitor, trail

HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-store",
}
STEPS = ("choose", "send", "verify", "submit", "cancel")


# --- Methods ------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("method", ["get", "head", "options", "put", "delete", "patch", "trace"])
def test_steps_are_only_taken_by_posting(
    acme: Acme, visitor: Visitor, step: str, method: str
) -> None:
    visitor.start(acme.bob.user_id)
    before = len(trail(acme))

    with visitor.clock.running():
        response = getattr(visitor.client, method)(f"/reset/{visitor.flow}/{step}/")

    assert response.status_code in ({403, 405} if method in {"put", "delete", "patch"} else {405})
    assert len(trail(acme)) == before


@pytest.mark.parametrize("path", ["/", "/reset/", "/reset/wait/", "/help/"])
@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_looking_changes_nothing(acme: Acme, visitor: Visitor, path: str, method: str) -> None:
    with visitor.clock.running():
        getattr(visitor.client, method)(path)

    assert trail(acme) == []
    assert "sspr_flow" not in visitor.client.cookies


def test_methods_are_not_overridden(acme: Acme, visitor: Visitor) -> None:
    visitor.start(acme.bob.user_id)

    with visitor.clock.running():
        response = visitor.client.get(
            f"/reset/{visitor.flow}/cancel/?_method=POST",
            headers={"x-http-method-override": "POST"},
        )

    assert response.status_code == 405


# --- Where forms come from ----------------------------------------------------------------------

FETCH = "sec-fetch-site"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"origin": "http://acme.sspr.test"}, 303),
        ({"origin": "null", FETCH: "same-origin"}, 303),
        ({"origin": "null"}, 403),
        ({"origin": "null", FETCH: "cross-site"}, 403),
        ({"origin": "null", FETCH: "same-site"}, 403),
        ({"origin": "null", FETCH: "none"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "https://evil.example", FETCH: "same-origin"}, 403),
        ({"origin": "http://beta.sspr.test"}, 403),
        ({"origin": "http://acme.sspr.test.evil.example"}, 403),
    ],
)
def test_a_form_comes_from_this_host(
    acme: Acme, beta: Beta, visitor: Visitor, headers: dict[str, str], status: int
) -> None:
    visitor.start(acme.bob.user_id)
    token = visitor.shown.form.values["csrfmiddlewaretoken"]
    path = f"/reset/{visitor.flow}/cancel/"

    with visitor.clock.running():
        response = visitor.client.post(path, {"csrfmiddlewaretoken": token}, headers=headers)

    assert response.status_code == status
    assert visitor.get(f"/reset/{visitor.flow}/").state == (
        "cancelled" if status == 303 else "proving"
    )


@pytest.mark.parametrize("token", [None, "", "x" * 64])
def test_a_form_without_its_protection_changes_nothing(
    acme: Acme, visitor: Visitor, token: str | None
) -> None:
    visitor.start(acme.bob.user_id)
    fields = {} if token is None else {"csrfmiddlewaretoken": token}

    with visitor.clock.running():
        response = visitor.client.post(f"/reset/{visitor.flow}/cancel/", fields)

    assert response.status_code == 403
    assert visitor.get(f"/reset/{visitor.flow}/").state == "proving"


def test_the_protection_of_another_browser_does_not_help(
    acme: Acme, visitor: Visitor, clock: Clock
) -> None:
    other = Visitor(acme.host, clock)
    other.get("/reset/")
    visitor.start(acme.bob.user_id)
    token = other.shown.form.values["csrfmiddlewaretoken"]

    with clock.running():
        response = visitor.client.post(
            f"/reset/{visitor.flow}/cancel/", {"csrfmiddlewaretoken": token}
        )

    assert response.status_code == 403


# --- Hosts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "acme.sspr.test.evil.example",
        "acme.sspr.test:80'<a href=//evil",
        "acme.sspr.test@evil.example",
        "",
    ],
)
def test_a_host_nobody_owns_does_not_exist(acme: Acme, clock: Clock, host: str) -> None:
    page = Visitor(host, clock).get("/reset/")

    assert page.status in {400, 404}
    assert "evil" not in page.text


@pytest.mark.parametrize("name", ["x-forwarded-host", "x-host", "forwarded", "x-original-url"])
def test_other_headers_do_not_name_the_host(acme: Acme, visitor: Visitor, name: str) -> None:
    with visitor.clock.running():
        response = visitor.client.get("/reset/", headers={name: "evil.example"})

    assert response.status_code == 200
    assert b"evil" not in response.content
    assert b"Acme" in response.content


# --- Sizes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [70_000, 10_000_000])
def test_a_body_that_is_too_big_is_not_read(acme: Acme, visitor: Visitor, size: int) -> None:
    visitor.start(acme.bob.user_id)

    page = visitor.post(f"/reset/{visitor.flow}/submit/", {"new_password": "x" * size})

    assert page.status == 413
    assert visitor.get(f"/reset/{visitor.flow}/").state == "proving"


@pytest.mark.parametrize("field", ["user_id", "altcha", "ticket"])
def test_letters_that_unfold_are_cut_before_they_are_looked_at(
    acme: Acme, visitor: Visitor, field: str
) -> None:
    visitor.get("/reset/")

    page = visitor.post("/reset/", {"user_id": "a@b.example", field: "\ufdfa" * 3_000})

    assert page.status in {200, 400}
    assert trail(acme) == []


@pytest.mark.parametrize(
    "path", ["/reset/?user_id=" + "a@" * 3_000, "/help/?reference=" + "<" * 900]
)
def test_what_stands_in_the_address_is_cut_and_escaped(
    acme: Acme, visitor: Visitor, path: str
) -> None:
    page = visitor.get(path)

    assert page.status == 200
    assert "<<" not in page.text
    assert len(page.form.values["user_id"]) <= 113


def test_the_user_id_of_a_link_is_filled_in_and_escaped(acme: Acme, visitor: Visitor) -> None:
    page = visitor.get('/reset/?user_id="><svg onload=x>')

    assert page.form.values["user_id"] == '"><svg onload=x>'
    assert "<svg onload" not in page.text


# --- Headers ------------------------------------------------------------------------------------


def _answers(acme: Acme, visitor: Visitor) -> dict[int, Any]:
    client = visitor.client
    found: dict[int, Any] = {}
    with visitor.clock.running():
        for response in (
            client.get("/reset/"),
            client.get("/nothing/"),
            client.get("/reset/wait/"),
            client.post("/reset/", {}),
            client.get("/reset/00000000-0000-0000-0000-000000000000/"),
            client.put("/reset/"),
            client.generic("TRACE", "/reset/"),
            client.post("/reset/", {"user_id": "x" * 70_000}),
        ):
            found[response.status_code] = response
    visitor.get("/reset/")
    token = visitor.shown.form.values["csrfmiddlewaretoken"]
    with visitor.clock.running():
        bad = client.post("/reset/", {"csrfmiddlewaretoken": token, "x": "1"})
    found[bad.status_code] = bad
    return found


def test_every_answer_carries_the_same_headers(acme: Acme, visitor: Visitor) -> None:
    answers = _answers(acme, visitor)

    assert {200, 302, 400, 401, 403, 404, 405, 413} <= set(answers)
    for status, response in answers.items():
        for name, value in HEADERS.items():
            assert response.headers.get(name) == value, (status, name)
        policy = response.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "Server" not in response.headers


def test_no_page_of_an_error_tells_how_it_is_made(acme: Acme, visitor: Visitor) -> None:
    for status, response in _answers(acme, visitor).items():
        text = response.content.decode().lower()
        assert not any(word in text for word in ("django", "traceback", "python", "/site-")), status


# --- Language -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "language"), [("es-us", "es"), ("de", "de"), ("ar", "ar"), ("xx", "en"), ("", "en")]
)
def test_the_language_can_be_forced_and_stays(
    acme: Acme, visitor: Visitor, tag: str, language: str
) -> None:
    page = visitor.get(f"/reset/?mkt={tag}")

    assert page.headers["Content-Language"] == language
    assert f'<html lang="{language}"' in page.text
    assert visitor.get("/reset/").headers["Content-Language"] == language


def test_the_browsers_language_decides_where_none_is_forced(acme: Acme, visitor: Visitor) -> None:
    page = visitor.get("/reset/", headers={"accept-language": "fr-CH, de;q=0.5"})

    assert page.headers["Content-Language"] == "fr"


def test_the_journey_keeps_its_language_for_messages(acme: Acme, visitor: Visitor) -> None:
    from tests.resets.visitor import get_flow_row

    visitor.get("/reset/?mkt=de-AT")
    visitor.start(acme.bob.user_id)

    assert get_flow_row(acme, visitor.flow).language == "de"
