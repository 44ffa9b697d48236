"""Which language a page speaks: `?mkt=`, what was chosen before, the browser, English."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header

ADMIN_PATH = "/admin/"
SUPPORTED = dict(settings.LANGUAGES)


def find_language(tag: str) -> str | None:
    """The catalogue for a language tag: `es-us` → `es`; nothing for one we do not speak."""
    base = tag.strip().lower().replace("_", "-").partition("-")[0]
    return base if base in SUPPORTED else None


def language_of(request: HttpRequest) -> str:
    for tag in (
        request.GET.get("mkt", ""),
        request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""),
        *(tag for tag, _ in parse_accept_lang_header(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))),
    ):
        found = find_language(tag)
        if found:
            return found
    return settings.LANGUAGE_CODE


class LanguageMiddleware:
    """Activates the language for this request; `?mkt=` is kept in a cookie for the next pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # The administration site speaks English only.
        staff = request.path.startswith(ADMIN_PATH)
        language = settings.LANGUAGE_CODE if staff else language_of(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.headers["Content-Language"] = language
        if find_language(request.GET.get("mkt", "")):
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                language,
                secure=settings.SECURE,
                httponly=True,
                samesite="Lax",
            )
        return response
