"""Signing in to an administration site: the try is counted first, then judged (R-9).

Unknown people, wrong passwords, disabled people and people without the role all get one answer, at
the same cost. There are two doors: the one of a tenant's administrators, and the operators'.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from tenants import audit
from tenants.address import client_address
from tenants.audit import Kind, Party
from tenants.context import tenant_context
from tenants.counters import Blocked, Count, Counted, count_down, count_up
from tenants.limits import LIMITS, MAX_USER_ID, limit_for
from tenants.lookup import find_tenant
from tenants.models import ResetPolicy
from tenants.roles import holds_operator_role
from tenants.secret import Secret
from tenants.services import get_platform

from ..identifiers import canonical, find_domain
from ..models import User
from .person import find_signed_in, is_strong
from .services import PASSWORD, begin_session
from .sessions import tenant_of_key
from .stages import is_own_address, next_address

INCOMPLETE = "Enter your user ID and your password."
WRONG = "User ID or password is wrong, or this person is not an administrator."
WRONG_OPERATOR = "User ID or password is wrong, or this person is not an operator."
BLOCKED = "Too many tries. Try again after {until}."


@dataclass(frozen=True)
class Door:
    """Which site is entered: its namespace, whose people enter, who of them, what is recorded."""

    site: str
    kind: Kind
    events: str
    wrong: str
    tenant_of: Callable[[HttpRequest, str], UUID]
    admits: Callable[[User], bool]


@dataclass(frozen=True)
class Attempt:
    """One try to sign in, as it came from the form."""

    door: Door
    tenant: UUID
    user_id: str
    address: str
    now: datetime
    password: Secret[str] = field(repr=False)


@sensitive_post_parameters("password")
def sign_in(request: HttpRequest, context: Mapping[str, Any]) -> HttpResponse:
    """The page of the site's `login/`. `context` is what every page of the site is given."""
    return _sign_in(ADMINISTRATION, request, context)


@sensitive_post_parameters("password")
def sign_in_operator(request: HttpRequest, context: Mapping[str, Any]) -> HttpResponse:
    """Like `sign_in`, for the people of the installation itself."""
    return _sign_in(OPERATION, request, context)


def _sign_in(door: Door, request: HttpRequest, context: Mapping[str, Any]) -> HttpResponse:
    if request.method != "POST":
        return _unfinished(door, request) or _page(request, context)
    typed = canonical(request.POST.get("user_id", ""))[:MAX_USER_ID]
    password = Secret(request.POST.get("password", ""))
    if not typed or not password:
        return _page(request, context, error=INCOMPLETE)
    tenant = door.tenant_of(request, typed)
    if tenant_of_key(request.session.session_key) not in (None, tenant):
        # A session of another tenant ends outside this one's context.
        request.session.flush()
    attempt = Attempt(door, tenant, typed, _address(request), timezone.now(), password)
    return _judged(request, context, attempt)


def _unfinished(door: Door, request: HttpRequest) -> HttpResponse | None:
    """Somebody who is signed in and may enter goes on with what is missing: the second factor."""
    person = find_signed_in(request)
    if person is None or not door.admits(person.user) or is_strong(request):
        return None
    goal = _next_url(request, door)
    return HttpResponseRedirect(next_address(request, person.user, goal, timezone.now()))


def _judged(request: HttpRequest, context: Mapping[str, Any], attempt: Attempt) -> HttpResponse:
    # Its own transaction: whatever goes wrong later, the try stays counted.
    with tenant_context(attempt.tenant):
        counts = _counts(attempt)
        counted = count_up(counts, attempt.now)
    if counted.blocked is not None:
        return _blocked_page(request, context, counted.blocked, attempt.now)
    with tenant_context(attempt.tenant):
        user = _find_admitted(request, attempt, counted)
        if user is not None:
            count_down(counts)
    if user is not None:
        fresh = begin_session(
            request, user, [PASSWORD], attempt.now, event=f"{attempt.door.events}.signed_in"
        )
        if fresh is not None:
            goal = _next_url(request, attempt.door)
            return HttpResponseRedirect(next_address(request, fresh, goal, attempt.now))
    return _page(request, context, error=attempt.door.wrong)


def _tenant_of(request: Any, typed: str) -> UUID:
    """Whose administrator it could be; the installation's own row stands for nobody's."""
    if request.host_tenant is not None:
        own: UUID = request.host_tenant
        return own
    domain = find_domain(typed)
    found = find_tenant(domain=domain) if domain is not None else None
    return found if found is not None else get_platform()


def _address(request: HttpRequest) -> str:
    return client_address(
        request.META.get("REMOTE_ADDR", ""),
        request.headers.get("X-Forwarded-For", ""),
        settings.SSPR_TRUSTED_PROXIES,
    )


def _counts(attempt: Attempt) -> list[Count]:
    policy = ResetPolicy.objects.first()
    own = limit_for("admin_sign_in", policy.limits if policy is not None else {})
    return [
        Count(own, attempt.user_id),
        Count(LIMITS["admin_sign_in_by_address"], attempt.address),
    ]


@sensitive_variables("attempt")
def _find_admitted(request: HttpRequest, attempt: Attempt, counted: Counted) -> User | None:
    """Compares the password; whoever may enter. What failed is in the audit trail."""
    user = authenticate(
        request,
        username=attempt.user_id if find_domain(attempt.user_id) is not None else "",
        password=attempt.password.reveal(),
    )
    door = attempt.door
    if isinstance(user, User) and door.admits(user):
        return user
    reason = "wrong user ID or password" if user is None else f"not an {door.kind}"
    _record_failure(attempt, reason, counted.used_up)
    return None


def _record_failure(attempt: Attempt, reason: str, used_up: Blocked | None) -> None:
    """Tries after the last one are not recorded: a flood must not fill the trail."""
    known = None
    if find_domain(attempt.user_id) is not None:
        known = User.objects.filter(user_id=attempt.user_id).first()
    # What an unknown person typed could be a password.
    target = Party("user", known.pk, known.user_id) if known is not None else None
    audit.record(
        f"{attempt.door.events}.sign_in_failed",
        actor=Party("anonymous", None, ""),
        target=target,
        result="failure" if used_up is None else "denied",
        reason=reason if used_up is None else f"{reason}; no more tries until {_clock(used_up)}",
        address=attempt.address,
        now=attempt.now,
    )


def _clock(block: Blocked) -> str:
    return f"{timezone.localtime(block.until):%H:%M %Z}"


def _next_url(request: HttpRequest, door: Door) -> str:
    """Where the person wanted to go, if that is on this site."""
    index = reverse(f"{door.site}:index")
    wanted = request.POST.get("next", request.GET.get("next", ""))
    return wanted if is_own_address(request, wanted) and wanted.startswith(index) else index


def _page(
    request: HttpRequest, context: Mapping[str, Any], *, error: str = "", status: int = 200
) -> HttpResponse:
    values = {
        **context,
        "title": "Sign in",
        "error": error,
        "user_id": request.POST.get("user_id", "")[:MAX_USER_ID],
        "next": request.POST.get("next", request.GET.get("next", "")),
    }
    return render(request, "admin/login.html", values, status=status)


def _blocked_page(
    request: HttpRequest, context: Mapping[str, Any], block: Blocked, now: datetime
) -> HttpResponse:
    page = _page(request, context, error=BLOCKED.format(until=_clock(block)), status=429)
    page.headers["Retry-After"] = str(max(1, int((block.until - now).total_seconds())))
    return page


ADMINISTRATION = Door(
    "admin", "administrator", "admin", WRONG, _tenant_of, lambda user: user.is_staff
)
OPERATION = Door(
    "operator",
    "operator",
    "operator",
    WRONG_OPERATOR,
    lambda request, typed: get_platform(),
    lambda user: holds_operator_role(user.roles),
)
