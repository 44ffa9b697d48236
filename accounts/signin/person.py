"""The person who is signed in, for the pages that are theirs (security info, change password, …).

A view that is wrapped in `for_signed_in` gets a `SignedIn`, read in the context of the session's
tenant; everybody else is sent to sign in and comes back. The wrapped view opens the contexts it
needs itself, because what it counts has to stay counted whatever becomes of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from tenants.context import tenant_context
from tenants.models import Tenant

from ..models import User
from .due import password_due
from .sessions import tenant_of_key

PROOF_LIFETIME = timedelta(minutes=5)
"""How long a proof with an existing method lets its person change what is registered (R-16)."""
_PROVED_AT, _PROVED_WITH, _SIGNED_IN_WITH = "proved_at", "proved_with", "signed_in_with"
# What somebody knows, like a password, is no second factor to it.
KNOWLEDGE = frozenset({"security_questions"})
# Needs the device and its owner's gesture: both factors at once.
_BOTH = frozenset({"passkey"})


@dataclass(frozen=True)
class SignedIn:
    """Who is signed in, where, and how they proved it last.

    proved_at: when an existing method (more than the password) was proved in this session.
    """

    user: User
    tenant: Tenant
    proved_at: datetime | None
    proved_with: Sequence[str]

    def is_proved(self, now: datetime) -> bool:
        """Whether a method was proved within the last five minutes."""
        return self.proved_at is not None and now - self.proved_at < PROOF_LIFETIME


PersonView = Callable[..., HttpResponse]


def find_signed_in(request: HttpRequest) -> SignedIn | None:
    """The person of this browser's session, as they are now."""
    user_id = request.session.get(SESSION_KEY)
    tenant_id = tenant_of_key(request.session.session_key)
    if user_id is None or tenant_id is None:
        return None
    host_tenant = getattr(request, "host_tenant", None)
    if host_tenant is not None and host_tenant != tenant_id:
        return None
    with tenant_context(tenant_id):
        user = User.objects.select_related("tenant").filter(pk=user_id).first()
    if user is None or not user.usable or not _holds_for(request, user):
        return None
    at = request.session.get(_PROVED_AT)
    proved_at = datetime.fromisoformat(at) if at else None
    return SignedIn(user, user.tenant, proved_at, tuple(request.session.get(_PROVED_WITH, ())))


def _holds_for(request: HttpRequest, user: User) -> bool:
    """Whether the session was begun with the password this person has now."""
    kept = request.session.get(HASH_SESSION_KEY, "")
    return constant_time_compare(kept, user.get_session_auth_hash())


def note_proof(request: HttpRequest, methods: Sequence[str], now: datetime) -> None:
    """Remembers in the session that these methods were proved just now."""
    known = [name for name in request.session.get(_PROVED_WITH, []) if name not in methods]
    request.session[_PROVED_WITH] = [*known, *methods]
    request.session[_PROVED_AT] = now.isoformat()


def note_signed_in(request: HttpRequest, methods: Sequence[str]) -> None:
    """Remembers in a new session how its person signed in."""
    request.session[_SIGNED_IN_WITH] = list(methods)


def is_strong(request: HttpRequest) -> bool:
    """Whether two factors were proved in this session, as administrators have to."""
    signed_in = request.session.get(_SIGNED_IN_WITH, ["password"])
    used = {*signed_in, *request.session.get(_PROVED_WITH, [])} - KNOWLEDGE
    return bool(used & _BOTH) or len(used) >= 2


def for_signed_in(view: PersonView) -> PersonView:
    """`view(request, person, …)` for somebody signed in; everybody else signs in first."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        person = find_signed_in(request)
        if person is None:
            return to_sign_in(request)
        change = _find_password_page(request, person)
        if change is not None:
            return HttpResponseRedirect(_with_next(change, request))
        return view(request, person, *args, **kwargs)

    return wrapped


def _find_password_page(request: HttpRequest, person: SignedIn) -> str | None:
    """Where another password is chosen, for somebody who has to before anything else."""
    match = request.resolver_match
    if match is None or match.namespace in {"sign-in", "password"}:
        return None
    return reverse("password:change") if password_due(person.user, timezone.now()) else None


def for_proved(view: PersonView) -> PersonView:
    """Like `for_signed_in`, for somebody who proved an existing method within five minutes.

    A page sends there and back; a form that comes too late is refused with `step_up_required`,
    because it would be lost on the way. Somebody who has nothing registered has nothing to prove.
    """

    @for_signed_in
    @wraps(view)
    def wrapped(request: HttpRequest, person: SignedIn, *args: Any, **kwargs: Any) -> HttpResponse:
        if person.is_proved(timezone.now()) or not _has_something_to_prove(person):
            return view(request, person, *args, **kwargs)
        address = _with_next(reverse("sign-in:prove"), request)
        if request.method in {"GET", "HEAD"}:
            return HttpResponseRedirect(address)
        from .pages import step_up_page

        return step_up_page(request, person, address)

    return wrapped


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Off to sign in, and back to this page afterwards."""
    return HttpResponseRedirect(_with_next(reverse("sign-in:sign-in"), request))


def _with_next(address: str, request: HttpRequest) -> str:
    wanted = request.get_full_path() if request.method in {"GET", "HEAD"} else request.path
    return f"{address}?{urlencode({'next': wanted})}"


def _has_something_to_prove(person: SignedIn) -> bool:
    from .provable import provable_methods

    with tenant_context(person.tenant.pk):
        return bool(provable_methods(person.user))
