"""Which language a page speaks: asked for, chosen before, the browser's, English."""

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils.translation import get_language
from pytest_django import Settings

from sspr_project.language import LanguageMiddleware, find_language, language_of


def request(mkt: str = "", cookie: str = "", accepted: str = "") -> HttpRequest:
    made = RequestFactory().get("/", {"mkt": mkt} if mkt else {})
    if accepted:
        made.META["HTTP_ACCEPT_LANGUAGE"] = accepted
    if cookie:
        made.COOKIES[settings.LANGUAGE_COOKIE_NAME] = cookie
    return made


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("es-us", "es"),
        ("es-US", "es"),
        ("ES_mx", "es"),
        (" de ", "de"),
        ("ar-EG-u-nu-latn", "ar"),
        ("en", "en"),
        ("zh-Hans", None),
        ("", None),
        ("e", None),
        ("../../etc", None),
        ("de\x00", None),
        ("x" * 5000, None),
    ],
)
def test_a_tag_finds_its_catalogue_or_none(tag: str, language: str | None) -> None:
    assert find_language(tag) == language


@pytest.mark.parametrize(
    ("mkt", "cookie", "accepted", "language"),
    [
        ("es-us", "de", "fr", "es"),
        ("zh-cn", "de", "fr", "de"),
        ("", "de", "fr", "de"),
        ("", "zh", "fr-CH, de;q=0.9", "fr"),
        ("", "", "zh, da;q=0.9, de;q=0.8", "de"),
        ("", "", "de;q=0.5, fr;q=0.9", "fr"),
        ("", "", "*", "en"),
        ("", "", "zh", "en"),
        ("", "", ";;;q=x,,", "en"),
        ("", "", "", "en"),
    ],
)
def test_what_was_asked_for_goes_first(mkt: str, cookie: str, accepted: str, language: str) -> None:
    assert language_of(request(mkt, cookie, accepted)) == language


def answer(made: HttpRequest) -> tuple[str, HttpResponse]:
    """The language in which the page was made, and the answer."""
    spoken: list[str] = []

    def page(inner: HttpRequest) -> HttpResponse:
        spoken.append(str(get_language()))
        return HttpResponse()

    response = LanguageMiddleware(page)(made)
    return spoken[0], response


def test_a_language_asked_for_is_kept_for_the_next_pages(settings: Settings) -> None:
    before = get_language()
    spoken, response = answer(request("es-us"))

    assert spoken == response.headers["Content-Language"] == "es"
    cookie = response.cookies[settings.LANGUAGE_COOKIE_NAME]
    assert (cookie.value, cookie["httponly"], cookie["samesite"]) == ("es", True, "Lax")
    assert get_language() == before


@pytest.mark.parametrize("made", [request(accepted="de"), request("zh", accepted="de")])
def test_the_browsers_language_leaves_no_cookie(made: HttpRequest, settings: Settings) -> None:
    spoken, response = answer(made)

    assert spoken == "de"
    assert not response.cookies
