"""The surface of HTTP: headers on every answer, sizes and methods refused, hosts and origins."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as conf
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import _get_new_csrf_string
from django.test import Client, RequestFactory
from django.urls import path
from django.views.generic import RedirectView
from pytest_django import Settings

from sspr_project.http import HEADERS, METHODS, HeadersMiddleware, OriginMiddleware, SizeMiddleware
from tenants.middleware import host_name
from tests.cast import Acme

FORM = "application/x-www-form-urlencoded"
Ask = Callable[[Client], Any]
ASKS: dict[int, Ask] = {
    200: lambda client: client.get("/reset/"),
    400: lambda client: client.get("/", headers={"host": "a b"}),
    403: lambda client: Client(enforce_csrf_checks=True).post(
        "/reset/", {"user_id": "a@b.example"}
    ),
    404: lambda client: client.get("/nothing-here/"),
    405: lambda client: client.generic("TRACE", "/"),
    413: lambda client: client.generic("POST", "/reset/", b"x" * (64 * 1024 + 1), FORM),
}


@pytest.mark.django_db
@pytest.mark.parametrize("status", ASKS)
def test_every_answer_carries_the_same_headers(status: int, client: Client) -> None:
    response = ASKS[status](client)

    assert response.status_code == status
    for name, value in HEADERS.items():
        assert response.headers[name] == value
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["Cache-Control"] == "no-store"
    assert not {"Server", "X-Powered-By"} & set(response.headers)


urlpatterns = [path("away/", RedirectView.as_view(url="/"))]


@pytest.mark.django_db
def test_a_redirect_carries_them_too(client: Client, settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__

    response = client.get("/away/")

    assert response.status_code == 302
    assert {**HEADERS, **response.headers} == dict(response.headers)
    assert response.headers["Cache-Control"] == "no-store"


def test_over_https_the_browser_is_told_to_stay_there(settings: Settings) -> None:
    def answer() -> HttpResponse:
        return HeadersMiddleware(lambda request: HttpResponse())(RequestFactory().get("/"))

    assert "Strict-Transport-Security" not in answer().headers
    settings.SECURE, settings.SECURE_HSTS_SECONDS = True, 63072000
    assert answer().headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"


def test_static_files_may_be_kept() -> None:
    def file(request: HttpRequest) -> HttpResponse:
        return HttpResponse(
            headers={"Cache-Control": "max-age=60", "X-Frame-Options": "SAMEORIGIN"}
        )

    response = HeadersMiddleware(file)(RequestFactory().get("/static/css/portal.css"))

    assert response.headers["Cache-Control"] == "max-age=60"
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"


def sized(method: str = "POST", length: str | None = None) -> int:
    """What comes of a request that says it is this long."""
    request = RequestFactory().generic(method, "/")
    if length is not None:
        request.META["CONTENT_LENGTH"] = length
    return SizeMiddleware(lambda inner: HttpResponse())(request).status_code


@pytest.mark.parametrize(
    ("length", "status"),
    [
        ("", 200),
        ("0", 200),
        ("65536", 200),
        ("65537", 413),
        (str(10 * 1024 * 1024), 413),
        ("9" * 5000, 413),
        ("-1", 400),
        ("+5", 400),
        ("1_000", 400),
        ("0x10", 400),
        ("5.0", 400),
        (" 5", 400),
        ("٥", 400),
        ("²", 400),
        ("many", 400),
    ],
)
def test_the_length_of_a_body_is_judged_before_it_is_read(length: str, status: int) -> None:
    assert sized(length=length) == status


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PROPFIND", "get", "X" * 200])
def test_an_odd_method_is_refused_with_the_ones_that_are_not(method: str) -> None:
    request = RequestFactory().get("/")
    request.method = method

    response = SizeMiddleware(lambda inner: HttpResponse())(request)

    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == METHODS


@pytest.mark.parametrize("method", sorted(METHODS))
def test_the_usual_methods_pass(method: str) -> None:
    assert sized(method) == 200


@pytest.mark.django_db
def test_ten_megabytes_are_refused_and_not_looked_at(client: Client) -> None:
    response = client.generic("POST", "/reset/", b"user_id=" + b"a" * 10_000_000, FORM)

    assert response.status_code == 413
    assert b"shorten what you typed" in response.content
    assert b"aaaa" not in response.content


@pytest.mark.parametrize(
    "host", ["other.example", "acme.sspr.test.evil.example", "xacme.sspr.test", "sspr.test"]
)
def test_a_host_that_nobody_owns_does_not_exist(host: str, acme: Acme, client: Client) -> None:
    assert client.get("/", headers={"host": acme.host}).status_code == 200

    response = client.get("/", headers={"host": host})
    assert (response.status_code, response.content) == (404, b"Not found\n")
    forwarded = client.get("/", headers={"host": host, "x-forwarded-host": acme.host})
    assert forwarded.status_code == 404
    assert client.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["ACME.sspr.test", "acme.sspr.test:8443", "acme.sspr.test."])
def test_case_port_and_last_dot_of_a_host_do_not_matter(
    host: str, acme: Acme, client: Client
) -> None:
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Acme.Example:8000", "acme.example"),
        ("acme.example.", "acme.example"),
        ("[::1]:8000", "[::1]"),
        ("[2001:DB8::1]", "[2001:db8::1]"),
        ("", ""),
    ],
)
def test_a_host_is_looked_up_without_its_port(given: str, name: str) -> None:
    assert host_name(given) == name


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["", "a b", "a/b", "a@b", "x" * 300 + "\\", "acme<.example"])
def test_a_host_that_can_be_none_is_a_bad_request(host: str, client: Client) -> None:
    response = client.get("/", headers={"host": host})

    assert response.status_code in {400, 404}
    assert b"Traceback" not in response.content


def judged(meta: dict[str, str], *, secure: bool) -> int | None:
    """The answer of the protection of forms to a form with a right token, or nothing: it passes."""
    token = _get_new_csrf_string()
    form = {"csrfmiddlewaretoken": token}
    request = RequestFactory().post("/reset/", form, secure=secure, **meta)  # type: ignore[arg-type]  # names and texts
    request.COOKIES[conf.CSRF_COOKIE_NAME] = token
    middleware = OriginMiddleware(lambda inner: HttpResponse())
    middleware.process_request(request)
    refused = middleware.process_view(request, lambda inner: HttpResponse(), (), {})
    return refused.status_code if refused is not None else None


OURS, NOT_OURS = "{scheme}://testserver", "{scheme}://evil.example"


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize(
    ("origin", "site", "passes"),
    [
        (OURS, "", True),
        (OURS, "same-origin", True),
        (NOT_OURS, "", False),
        (NOT_OURS, "same-origin", False),
        ("null", "same-origin", True),
        ("null", "same-site", False),
        ("null", "cross-site", False),
        ("null", "none", False),
        ("null", "", False),
    ],
)
def test_a_form_is_taken_from_our_own_pages_only(
    origin: str, site: str, passes: bool, secure: bool
) -> None:
    meta = {"HTTP_ORIGIN": origin.format(scheme="https" if secure else "http")}
    if site:
        meta["HTTP_SEC_FETCH_SITE"] = site

    assert (judged(meta, secure=secure) is None) is passes


@pytest.mark.parametrize(
    ("meta", "passes"),
    [
        ({}, False),
        ({"HTTP_SEC_FETCH_SITE": "same-origin"}, True),
        ({"HTTP_SEC_FETCH_SITE": "same-site"}, False),
        ({"HTTP_SEC_FETCH_SITE": "cross-site"}, False),
        ({"HTTP_REFERER": "https://testserver/reset/"}, False),
        ({"HTTP_REFERER": "https://evil.example/"}, False),
    ],
)
def test_without_an_origin_something_else_has_to_name_our_page(
    meta: dict[str, str], passes: bool
) -> None:
    assert (judged(meta, secure=True) is None) is passes


def test_without_the_token_no_origin_helps() -> None:
    meta = {"HTTP_ORIGIN": "https://testserver", "HTTP_SEC_FETCH_SITE": "same-origin"}
    request = RequestFactory().post("/reset/", {}, secure=True, **meta)  # type: ignore[arg-type]  # names and texts
    middleware = OriginMiddleware(lambda inner: HttpResponse())
    middleware.process_request(request)

    refused = middleware.process_view(request, lambda inner: HttpResponse(), (), {})

    assert refused is not None
    assert refused.status_code == 403
