"""Where somebody who is signed in goes next: through what is asked of them first, in order.

A second factor, another password, registering; then where they wanted to go. An authorization of
another application that was under way is just such an address: whatever stage is given up, it
stays in `next`.
"""

from datetime import datetime
from importlib import import_module
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from tenants.roles import holds_operator_role

from ..models import User
from .due import password_due
from .person import SignedIn, find_signed_in, is_strong

ADMINISTRATION, OPERATION = "/admin/", "/operator/"
LONGEST_NEXT = 4300
_ASKED = "asked_to_register"


def asked_next(request: HttpRequest) -> str:
    """The address in `next`, if it is one of this site; else empty."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    return wanted if is_own_address(request, wanted) else ""


def is_own_address(request: HttpRequest, wanted: str) -> bool:
    """Whether this leads to a page of the host that was asked, written as one line."""
    if not wanted.isprintable() or len(wanted) > LONGEST_NEXT:
        return False
    return url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, require_https=request.is_secure()
    )


def next_address(request: HttpRequest, user: User, wanted: str, now: datetime) -> str:
    """The stage that is due, or `wanted` itself; without it the person's own page."""
    goal = wanted or own_page()
    if needs_second_factor(request, user, goal):
        return with_next(reverse("sign-in:prove"), goal)
    if password_due(user, now):
        return with_next(reverse("password:change"), goal)
    return _interrupt(request, now, goal) or goal


def needs_second_factor(request: HttpRequest, user: User, goal: str) -> bool:
    """Whether the sites of administrators and operators want more than was proved so far."""
    enters = (goal.startswith(ADMINISTRATION) and user.is_staff) or (
        goal.startswith(OPERATION) and holds_operator_role(user.roles)
    )
    return enters and not is_strong(request)


def may_enter(request: HttpRequest) -> bool:
    """Whether a session is good enough for the sites of administrators and operators."""
    user: Any = request.user
    return is_strong(request) and not password_due(user, timezone.now())


def address_of_sign_in(wanted: str) -> str:
    return with_next(reverse("sign-in:sign-in"), wanted)


def own_page() -> str:
    """Where somebody goes who wanted nothing in particular."""
    return find_address("security-info:index") or reverse("sign-in:sessions")


def register_page() -> str:
    """Where something is registered."""
    return find_address("security-info:index") or reverse("sign-in:sessions")


def find_address(name: str) -> str | None:
    """The address of a page that not every installation has."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return None


def with_next(address: str, wanted: str) -> str:
    return f"{address}?{urlencode({'next': wanted})}" if wanted else address


def _interrupt(request: HttpRequest, now: datetime, goal: str) -> str | None:
    """The page that asks to register, once a session."""
    register = find_address("security-info:register")
    person = find_signed_in(request)
    if register is None or person is None or request.session.get(_ASKED):
        return None
    if not _has_to_register(person, now):
        return None
    request.session[_ASKED] = True
    return with_next(register, goal)


def _has_to_register(person: SignedIn, now: datetime) -> bool:
    try:
        module = import_module("accounts.registration.interrupt")
    except ModuleNotFoundError:
        return False
    return bool(module.find_interrupt(person, now))
