"""Signing in to an administration site: the try is counted first, then judged (R-9).

Unknown people, wrong passwords, disabled people and people without the role all get one answer, at
the same cost. There are two doors: the one of a tenant's administrators, and the operators'.
"""

from collections.abc import Callable, Mapping, Sequence
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
from tenants.counters import Blocked, Count, count_down, count_up
from tenants.limits import LIMITS, MAX_PASSWORD, MAX_USER_ID, limit_for
from tenants.lookup import find_tenant
from tenants.models import ResetPolicy
from tenants.roles import holds_operator_role
from tenants.secret import Secret
from tenants.services import get_platform

from ..identifiers import canonical, find_domain
from ..models import User
from .elsewhere import Judge, Judged, find_judge, note_due
from .person import find_signed_in, is_strong
from .services import PASSWORD, RETRY_SECONDS, begin_session
from .sessions import tenant_of_key
from .stages import is_own_address, next_address
from .tries import WRONG as WRONG_PASSWORD

INCOMPLETE = "Enter your user ID and your password."
WRONG = "User ID or password is wrong, or this person is not an administrator."
WRONG_OPERATOR = "User ID or password is wrong, or this person is not an operator."
BLOCKED = "Too many tries. Try again after {until}."
NOT_ASKED = Judged("wrong")
UNAVAILABLE = "We can't check your password right now. Try again in a few minutes."


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
    tally = Tally(counts, counted.used_up)
    with tenant_context(attempt.tenant):
        compared = _compare(request, attempt)
        judge = _find_judge(attempt, compared)
        user = None if judge is not None else _settle(attempt, compared, tally)
    if judge is not None and compared.known is not None:
        judged = judge(compared.known, attempt.password, attempt.now)
        with tenant_context(attempt.tenant):
            user = _settle(attempt, compared, tally, judged)
        if judged.kind == "unanswered":
            return _unavailable_page(request, context)
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


@dataclass(frozen=True)
class Tally:
    """What the try was counted on, and the limit that it used up."""

    counts: Sequence[Count]
    used_up: Blocked | None


@dataclass(frozen=True)
class Compared:
    """right: whoever the password, kept here, is right for. known: whoever has the user ID, where
    nobody's was right."""

    right: User | None = None
    known: User | None = None


@sensitive_variables("attempt")
def _compare(request: HttpRequest, attempt: Attempt) -> Compared:
    """Costs the same for everybody, those whose password is kept elsewhere too."""
    is_name = find_domain(attempt.user_id) is not None
    user = authenticate(
        request,
        username=attempt.user_id if is_name else "",
        password=attempt.password.reveal(),
    )
    if isinstance(user, User):
        return Compared(right=user)
    return Compared(known=User.objects.filter(user_id=attempt.user_id).first() if is_name else None)


def _find_judge(attempt: Attempt, compared: Compared) -> Judge | None:
    """Who is asked about the password instead; never about people whom this door would not let in
    anyway."""
    known = compared.known
    if known is None or not attempt.door.admits(known):
        return None
    return find_judge(known) if len(attempt.password.reveal()) <= MAX_PASSWORD else None


def _settle(
    attempt: Attempt, compared: Compared, tally: Tally, judged: Judged = NOT_ASKED
) -> User | None:
    """Whoever may enter; the try is taken back unless it failed. What failed is in the trail."""
    door, user = attempt.door, compared.right
    if judged.lets_in and compared.known is not None:
        user = compared.known
        note_due(user, judged)
    admitted = user if user is not None and door.admits(user) else None
    if admitted is not None or judged.kind == "unanswered":
        count_down(tally.counts)
    if admitted is None:
        known = user if user is not None else compared.known
        reason = WRONG_PASSWORD if user is None else f"not an {door.kind}"
        _record_failure(attempt, known, judged.reason or reason, tally.used_up)
    return admitted


def _record_failure(
    attempt: Attempt, known: User | None, reason: str, used_up: Blocked | None
) -> None:
    """Tries after the last one are not recorded: a flood must not fill the trail. What an unknown
    person typed could be a password."""
    audit.record(
        f"{attempt.door.events}.sign_in_failed",
        actor=Party("anonymous", None, ""),
        target=Party("user", known.pk, known.user_id) if known is not None else None,
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


def _unavailable_page(request: HttpRequest, context: Mapping[str, Any]) -> HttpResponse:
    page = _page(request, context, error=UNAVAILABLE, status=503)
    page.headers["Retry-After"] = str(RETRY_SECONDS)
    return page


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
