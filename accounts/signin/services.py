"""Signing in with a password, and what every way of signing in ends with.

A try is counted in a transaction of its own before anything is compared. Unknown and disabled
people and a wrong password get one answer at one cost. Where a person's password is kept elsewhere,
whoever keeps it is asked (`elsewhere`), and what is stored here is never compared instead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.contrib.auth import authenticate, login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.debug import sensitive_variables

from tenants import audit
from tenants.audit import Kind, Party
from tenants.context import tenant_context
from tenants.evenness import note_concealing
from tenants.limits import MAX_PASSWORD
from tenants.lookup import find_tenant
from tenants.pages import address_of
from tenants.secret import Secret
from tenants.services import get_platform

from ..disabled import enable_methods
from ..identifiers import canonical, find_domain
from ..models import User
from . import locks
from .browsers import browser_name
from .elsewhere import BEAT, Judged, find_judge, note_due
from .person import note_proof, note_signed_in
from .places import new_token, note_place, place_of, with_browser_cookie
from .sessions import describe_session, key_hash
from .stages import address_of_sign_in, asked_next, next_address
from .tries import Attempt, count_attempt, note_failure, note_success, note_unanswered

PASSWORD = "password"  # noqa: S105 - the name of a way to sign in
RETRY_SECONDS = 120
"""After which it is worth asking again, when whoever keeps the password did not answer."""
_SEE_OTHER = 303


@dataclass(frozen=True)
class SignInResult:
    """What came of a password.

    kind: ok, wrong, locked (smart lockout), blocked (too many failures from this address),
    unavailable (it is kept elsewhere, and nobody there answered).
    """

    kind: Literal["ok", "wrong", "locked", "blocked", "unavailable"]
    user: User | None = None
    until: datetime | None = None


def tenant_of_sign_in(request: Any, typed: str) -> UUID:
    """Whose person it could be: the host's, or the domain's; the installation's own row stands for
    nobody's."""
    if request.host_tenant is not None:
        own: UUID = request.host_tenant
        return own
    domain = find_domain(canonical(typed))
    found = find_tenant(domain=domain) if domain is not None else None
    return found if found is not None else get_platform()


@sensitive_variables("password")
def check_password(
    request: HttpRequest, tenant: UUID, user_id: str, password: Secret[str], *, now: datetime
) -> SignInResult:
    """Whether this password signs this user ID in. Nobody is signed in by it yet.

    May take seconds where somebody else is asked; no transaction is open meanwhile.
    """
    typed = canonical(user_id)
    with tenant_context(tenant):
        attempt = count_attempt(request, typed, password, now)
    if attempt.verdict == "blocked":
        return SignInResult("blocked", until=attempt.until)
    if attempt.verdict == "locked":
        return SignInResult("locked", until=attempt.until)
    judged = _ask(attempt, password, now)
    with tenant_context(tenant):
        if judged is not None and judged.kind != "nobody":
            return _settled(attempt, judged, now)
        # What was wrong before is not compared again, at the same cost.
        known = attempt.verdict == "known"
        user = authenticate(
            request,
            username="" if known else typed,
            password=password.reveal()[: MAX_PASSWORD + 1],
        )
        if not isinstance(user, User):
            return _wrong(attempt, judged, now)
        note_success(attempt)
        return SignInResult("ok", user)


def _ask(attempt: Attempt, password: Secret[str], now: datetime) -> Judged | None:
    """What whoever keeps this person's password says; nothing where it is kept here."""
    judge = find_judge(attempt.known)
    if judge is None or attempt.known is None:
        return None
    if len(password.reveal()) > MAX_PASSWORD:
        return Judged("nobody")
    return judge(attempt.known, password, now)


def _settled(attempt: Attempt, judged: Judged, now: datetime) -> SignInResult:
    if judged.kind == "unanswered":
        note_unanswered(attempt, judged.cause, now)
        return SignInResult("unavailable")
    if attempt.known is None or not judged.lets_in:
        return _wrong(attempt, judged, now)
    note_due(attempt.known, judged)
    note_success(attempt)
    # Whoever was disabled or reset meanwhile is found out when the session begins.
    return SignInResult("ok", attempt.known)


def _wrong(attempt: Attempt, judged: Judged | None, now: datetime) -> SignInResult:
    """One answer for everybody; the trail has the true reason.

    How long a directory took would tell whose password is kept there, so a concealing tenant that
    has such people refuses all at the same moments.
    """
    note_failure(attempt, now, reason=judged.reason if judged is not None else "")
    if attempt.concealed and User.objects.exclude(source=User.Source.CLOUD).exists():
        note_concealing(BEAT)
    return SignInResult("wrong")


def finish_sign_in(
    request: HttpRequest, user: User, methods: Sequence[str], now: datetime
) -> HttpResponse:
    """Begins the session of somebody who proved who they are, and leads on to where they wanted.

    Every way of signing in ends with this, outside any other tenant's context. `methods` says how:
    "password", or the keys of what was proved, which then also count as a fresh proof. Where the
    person wants to go stands in the field or parameter `next`; the stages before it come first.
    Somebody who was disabled, or whose sessions were ended, a moment ago signs in anew.
    """
    wanted = asked_next(request)
    fresh = begin_session(request, user, methods, now)
    if fresh is None:
        return _see(address_of_sign_in(wanted))
    response = _see(next_address(request, fresh, wanted, now))
    return _with_known_browser(request, response, fresh, now)


def begin_session(
    request: HttpRequest,
    user: User,
    methods: Sequence[str],
    now: datetime,
    *,
    event: str = "user.signed_in",
) -> User | None:
    """Puts a new session in place of whatever this browser had; the person as they are now.

    Nothing when they may not sign in any more. `event` is what the trail calls it.
    """
    # Nothing of an older session, not even its key, lives on; it may be another tenant's.
    request.session.flush()
    with tenant_context(user.tenant_id):
        rows = User.objects.select_for_update(no_key=True, of=("self",)).select_related("tenant")
        fresh: User | None = rows.filter(pk=user.pk).first()
        if fresh is None or not fresh.usable or not fresh.tenant.active:
            return None
        if fresh.session_epoch != user.session_epoch or fresh.password != user.password:
            return None
        login(request, fresh, backend="accounts.signin.backend.TenantBackend")
        _note_beginning(request, methods, now)
        _record_beginning(request, fresh, methods, event, now)
    return fresh


def _note_beginning(request: HttpRequest, methods: Sequence[str], now: datetime) -> None:
    """How the session was begun: for the pages that ask for more, and for its owner's list."""
    note_signed_in(request, methods)
    proved = [name for name in methods if name != PASSWORD]
    if proved:
        note_proof(request, proved, now)
    describe_session(
        request.session.session_key,
        browser=browser_name(request.headers.get("User-Agent", "")),
        address=address_of(request),
        methods=methods,
        now=now,
    )


_KINDS: Mapping[str, Kind] = {
    "user.signed_in": "user",
    "admin.signed_in": "administrator",
    "operator.signed_in": "operator",
}
"""What the trail calls a sign-in → what it calls who signed in."""


def _record_beginning(
    request: HttpRequest, user: User, methods: Sequence[str], event: str, now: datetime
) -> None:
    party = Party(_KINDS[event], user.pk, user.user_id)
    enable_methods(user, party, now=now)
    audit.record(
        event,
        actor=party,
        target=party,
        data={"methods": list(methods)} if event == "user.signed_in" else {},
        address=address_of(request),
        now=now,
    )


def _with_known_browser(
    request: HttpRequest, response: HttpResponse, user: User, now: datetime
) -> HttpResponse:
    """Makes address and browser familiar, and gives the browser what it is known by."""
    place = place_of(request)
    if not place.token:
        place = replace(place, token=new_token())
    with tenant_context(user.tenant_id):
        note_place(locks.subject_of(user.user_id), place, now)
    return with_browser_cookie(response, place.token)


def session_hash(request: HttpRequest) -> bytes:
    """What binds something to this browser's session."""
    return key_hash(request.session.session_key)


def _see(address: str) -> HttpResponse:
    response = HttpResponseRedirect(address)
    response.status_code = _SEE_OTHER
    return response
