"""Middleware of the HTTP surface: headers, sizes, sessions of the admin, the origin of forms."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import cache
from typing import Any

from csp.utils import build_policy
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.views import redirect_to_login
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import TooManyFieldsSent
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import REASON_NO_REFERER, CsrfViewMiddleware, RejectRequest
from django.urls import reverse
from django.utils import translation

from accounts.imports.formats import MAX_BYTES
from accounts.signin.sessions import ADMINISTRATION, SessionStore, tenant_of_key
from accounts.token_files import MAX_BYTES as MOST_TOKEN_BYTES
from tenants.context import tenant_context
from tenants.limits import MAX_FIELDS

from .errors import too_large
from .language import language_of

HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
    "Permissions-Policy": (
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), otp-credentials=(self), "
        "publickey-credentials-get=(self), publickey-credentials-create=(self)"
    ),
}
ADMIN_PATH = "/admin/"
SIGN_IN_PATH = "/admin/login/"
OPERATOR_PATH = "/operator/"
# Pages of people who sign in. Like the operator site they open the contexts they need themselves.
PEOPLE_PATHS = ("/sign-in/", "/security-info/", "/change-password/", "/authenticator/", "/oidc/")
# Where a file may be sent: how big the body may be there, its file and what is around it.
UPLOADS = {
    "/admin/accounts/importrun/import/": MAX_BYTES + 64 * 1024,
    "/admin/accounts/credential/upload/": MOST_TOKEN_BYTES + 64 * 1024,
}
METHODS = frozenset({"GET", "HEAD", "POST"})
API_PATH = "/api/"
API_METHODS = METHODS | {"OPTIONS", "PUT", "PATCH", "DELETE"}

GetResponse = Callable[[HttpRequest], HttpResponse]


def common_headers() -> dict[str, str]:
    """What every answer carries, a static file and a refusal of the server itself, too."""
    if not settings.SECURE:
        return HEADERS
    stay = f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains"
    return {**HEADERS, "Strict-Transport-Security": stay}


@cache
def _content_policy() -> str:
    """The same for every answer: pages load nothing that would need a nonce of their own."""
    return str(build_policy())


class HeadersMiddleware:
    """The same headers on every answer, errors too; dynamic answers are never stored."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in common_headers().items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Security-Policy", _content_policy())
        is_file = request.path.startswith(f"/{settings.STATIC_URL.strip('/')}/")
        if not is_file or response.status_code >= 400:
            response.headers["Cache-Control"] = "no-store"
        return response


class SizeMiddleware:
    """Refuses what is too big or oddly made before anything is looked up."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        known = API_METHODS if request.path.startswith(API_PATH) else METHODS
        if request.method not in known:
            allowed = {"Allow": ", ".join(sorted(known))}
            return HttpResponse(
                "Method not allowed\n", status=405, content_type="text/plain", headers=allowed
            )
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not (length.isascii() and length.isdigit()):
            return HttpResponse("Bad request\n", status=400, content_type="text/plain")
        most = UPLOADS.get(request.path, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        if len(length) > 9 or int(length) > most:
            # Before the language is chosen for everything else.
            with translation.override(language_of(request)):
                return too_large(request)
        return self.get_response(request)


class AdminSessionMiddleware(SessionMiddleware):
    """Sessions exist where somebody signs in; there they are read inside the tenant.

    A request of the operator site is in no tenant: each of its pages opens the contexts it needs,
    and so do the pages of people who are signed in.
    The whole of an administration request runs in its tenant's context and one transaction, which
    is rolled back when the answer is a server error.
    """

    def process_request(self, request: Any) -> Any:
        """What only an administrator may send is not even read from anybody else."""
        super().process_request(request)
        if request.path.startswith((ADMIN_PATH, OPERATOR_PATH)):
            request.session.lifetime = ADMINISTRATION
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        is_big = length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if is_big and not request.session.get(SESSION_KEY):
            return redirect_to_login(request.path, reverse("admin:login"))
        return None

    def __call__(self, request: Any) -> Any:
        if not request.path.startswith((ADMIN_PATH, OPERATOR_PATH, *PEOPLE_PATHS)):
            request.session = SessionStore()
            return self.get_response(request)
        if request.path == SIGN_IN_PATH or not request.path.startswith(ADMIN_PATH):
            # Counts tries and accesses in transactions of their own; no crash takes them back.
            return super().__call__(request)
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        tenant = tenant_of_key(key)
        if request.host_tenant is not None and tenant != request.host_tenant:
            # A key of another tenant means nothing on this tenant's own host.
            request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
            tenant = request.host_tenant
        with tenant_context(tenant) if tenant is not None else nullcontext():
            response: Any = super().__call__(request)
            if tenant is not None and response.status_code >= 500:
                transaction.set_rollback(True)
        return response


class AdminMessageMiddleware(MessageMiddleware):
    """The administration tells on the next page what became of a form; nobody else does."""

    def process_request(self, request: Any) -> None:
        if request.path.startswith((ADMIN_PATH, OPERATOR_PATH)):
            super().process_request(request)


class OriginMiddleware(CsrfViewMiddleware):
    """Django's protection of forms, for pages that send no referrer.

    With `Referrer-Policy: no-referrer` browsers write `Origin: null` on their own forms. What they
    can't be made to write by another site is `Sec-Fetch-Site: same-origin`.
    """

    def process_view(self, request: Any, *args: Any) -> Any:
        is_wide = request.path.startswith((ADMIN_PATH, OPERATOR_PATH))
        if not is_wide or request.path == SIGN_IN_PATH:
            for given in (request.GET, request.POST):
                if sum(len(values) for _, values in given.lists()) > MAX_FIELDS:
                    raise TooManyFieldsSent(f"at most {MAX_FIELDS} fields")
        return super().process_view(request, *args)

    def _origin_verified(self, request: HttpRequest) -> bool:
        if request.META.get("HTTP_ORIGIN") == "null":
            return request.META.get("HTTP_SEC_FETCH_SITE") == "same-origin"
        return bool(super()._origin_verified(request))  # type: ignore[misc]  # not in the stubs

    def _check_referer(self, request: HttpRequest) -> None:
        """Over https Django asks for a referrer when there is no Origin; ours never sends one, so
        a referrer proves nothing about a form."""
        if request.META.get("HTTP_SEC_FETCH_SITE") != "same-origin":
            raise RejectRequest(REASON_NO_REFERER)
