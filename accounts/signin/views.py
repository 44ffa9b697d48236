"""The page of `/sign-in/`: parse, call one service, choose a page."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from tenants.evenness import on_the_beat
from tenants.fields import BadForm, read_fields
from tenants.limits import MAX_PASSWORD, MAX_USER_ID
from tenants.pages import clock, host_tenant, page_context
from tenants.secret import Secret

from ..federation.offered import providers_of
from .person import find_signed_in
from .services import (
    PASSWORD,
    RETRY_SECONDS,
    SignInResult,
    check_password,
    finish_sign_in,
    tenant_of_sign_in,
)
from .stages import LONGEST_NEXT, asked_next, next_address, with_next

FIELDS = ("user_id", "password", "next")
TYPE_USER_ID = _("Enter your work email or username")
TYPE_PASSWORD = _("Type your password")
WRONG = _("That user ID or password is not right. Check both and type them again")
LOCKED = _("There were too many wrong tries. You can try again after %(until)s")
BLOCKED = _("There were too many wrong tries from your network. Try again after %(until)s")
UNAVAILABLE = _("We can't check your password right now. Try again in a few minutes.")


@sensitive_post_parameters("password")
@sensitive_variables("fields", "password")
@on_the_beat
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """User ID and password on one page; somebody who is signed in goes on at once."""
    now = timezone.now()
    if request.method != "POST":
        person = find_signed_in(request)
        if person is not None:
            return HttpResponseRedirect(
                next_address(request, person.user, asked_next(request), now)
            )
        user_id = request.GET.get("user_id", "")[:MAX_USER_ID]
        return _page(request, {"user_id": user_id, "next": asked_next(request)}, {})
    fields = read_fields(request, FIELDS)
    if len(fields["password"]) > MAX_PASSWORD * 4 or len(fields["next"]) > LONGEST_NEXT:
        raise BadForm("far longer than anything that is typed here")
    errors = _missing(fields)
    if errors:
        return _page(request, fields, errors, status=400 if _is_too_long(fields) else 200)
    password = Secret(fields["password"])
    tenant = tenant_of_sign_in(request, fields["user_id"])
    result = check_password(request, tenant, fields["user_id"], password, now=now)
    if result.user is None:
        return _refused(request, fields, result, now)
    return finish_sign_in(request, result.user, [PASSWORD], now)


def _missing(fields: Mapping[str, str]) -> Mapping[str, Any]:
    errors: dict[str, Any] = {}
    if not fields["user_id"].strip() or _is_too_long(fields):
        errors["user_id"] = TYPE_USER_ID
    if not fields["password"]:
        errors["password"] = TYPE_PASSWORD
    return errors


def _is_too_long(fields: Mapping[str, str]) -> bool:
    return len(fields["user_id"].strip()) > MAX_USER_ID


def _refused(
    request: HttpRequest, fields: Mapping[str, str], result: SignInResult, now: datetime
) -> HttpResponse:
    """One answer for everybody; how long a lock lasts is told, existing user ID or not."""
    if result.kind == "unavailable":
        response = _page(request, fields, {"user_id": UNAVAILABLE}, status=503)
        response.headers["Retry-After"] = str(RETRY_SECONDS)
        return response
    if result.until is None:
        return _page(request, fields, {"user_id": WRONG})
    text = LOCKED if result.kind == "locked" else BLOCKED
    errors = {"user_id": text % {"until": clock(result.until)}}
    response = _page(request, fields, errors, status=429, locked=True)
    seconds = int((result.until - now).total_seconds())
    response.headers["Retry-After"] = str(max(1, seconds))
    return response


def _page(
    request: HttpRequest,
    values: Mapping[str, str],
    errors: Mapping[str, Any],
    *,
    status: int = 200,
    locked: bool = False,
) -> HttpResponse:
    wanted = asked_next(request)
    context = page_context(
        request,
        host_tenant(request),
        state="sign_in",
        errors=errors,
        values={"user_id": values.get("user_id", "")[:MAX_USER_ID]},
        next=wanted,
        form_action=reverse("sign-in:sign-in"),
        language_url=with_next(reverse("sign-in:sign-in"), wanted),
        locked=locked,
        providers=providers_of(host_tenant(request), wanted),
    )
    return render(request, "signin/sign_in.html", context, status=status)
