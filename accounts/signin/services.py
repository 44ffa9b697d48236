"""Signing in with a password, and what every way of signing in ends with.

A try is counted in a transaction of its own before anything is compared. Unknown and disabled
people, a wrong password, and people whose password is kept elsewhere get one answer at one cost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.contrib.auth import authenticate, login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.debug import sensitive_variables

from tenants import audit
from tenants.audit import Kind, Party
from tenants.context import tenant_context
from tenants.counters import Blocked, Count, count_down, count_up
from tenants.limits import LIMITS, MAX_PASSWORD
from tenants.lookup import find_tenant
from tenants.pages import address_of
from tenants.rules import rules_of
from tenants.secret import Secret
from tenants.services import get_platform

from ..disabled import enable_methods
from ..identifiers import canonical, find_domain
from ..models import User
from ..people import find_user
from . import locks
from .browsers import browser_name
from .lockout import Counted, LockState
from .person import note_proof, note_signed_in
from .places import is_known, new_token, note_place, place_of, with_browser_cookie
from .sessions import describe_session, key_hash
from .stages import address_of_sign_in, asked_next, next_address

PASSWORD = "password"  # noqa: S105 - the name of a way to sign in
_ANONYMOUS = Party("anonymous", None, "")
_SEE_OTHER = 303


@dataclass(frozen=True)
class SignInResult:
    """What came of a password.

    kind: ok, wrong, locked (smart lockout), blocked (too many failures from this address).
    """

    kind: Literal["ok", "wrong", "locked", "blocked"]
    user: User | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class _Attempt:
    user_id: str
    address: str
    now: datetime
    password: Secret[str] = field(repr=False)
    known: User | None = None
    row: locks.Try | None = None


def tenant_of_sign_in(request: Any, typed: str) -> UUID:
    """Whose person it could be: the host's, or the domain's; the installation's own row stands for
    nobody's."""
    if request.host_tenant is not None:
        own: UUID = request.host_tenant
        return own
    domain = find_domain(canonical(typed))
    found = find_tenant(domain=domain) if domain is not None else None
    return found if found is not None else get_platform()


@sensitive_variables("password", "attempt")
def check_password(
    request: HttpRequest, tenant: UUID, user_id: str, password: Secret[str], *, now: datetime
) -> SignInResult:
    """Whether this password signs this user ID in. Nobody is signed in by it yet."""
    attempt = _Attempt(canonical(user_id), address_of(request), now, password)
    with tenant_context(tenant):
        counted, attempt, blocked = _count(request, attempt)
    if blocked is not None:
        return SignInResult("blocked", until=blocked.until)
    if counted.verdict == "locked":
        return SignInResult("locked", until=counted.state.locked_until)
    with tenant_context(tenant):
        # What was wrong before is not compared again, at the same cost.
        user_id = "" if counted.verdict == "known" else attempt.user_id
        user = authenticate(
            request, username=user_id, password=password.reveal()[: MAX_PASSWORD + 1]
        )
        if not isinstance(user, User):
            _note_failure(attempt, counted)
            return SignInResult("wrong")
        _note_success(attempt)
        return SignInResult("ok", user)


def _count(request: HttpRequest, attempt: _Attempt) -> tuple[Counted, _Attempt, Blocked | None]:
    """Raises what the try counts on, and remembers under which row it was counted. What is refused
    for its address does not lock anybody."""
    blocked = count_up(_counts(attempt), attempt.now).blocked
    if blocked is not None:
        return Counted("locked", LockState()), attempt, blocked
    subject = locks.subject_of(attempt.user_id)
    found = find_user(attempt.user_id)
    familiar = is_known(subject, place_of(request), attempt.now)
    compared_with = found.password if found is not None else ""
    mark = locks.mark_of(subject, attempt.password.reveal(), compared_with)
    row = locks.Try(subject, mark, familiar)
    counted = locks.count(row, locks.lockout_rules(rules_of(None)), attempt.now)
    return counted, replace(attempt, known=found, row=row), None


def _counts(attempt: _Attempt) -> list[Count]:
    return [Count(LIMITS["failed_sign_ins_by_address"], attempt.address)]


def _note_failure(attempt: _Attempt, counted: Counted) -> None:
    """Remembers the wrong password. The trail hears of each try that was compared, and of a lock;
    what an unknown person typed could be a password and is not in it."""
    known = attempt.known
    target = Party("user", known.pk, known.user_id) if known is not None else None
    if attempt.row is not None and counted.verdict == "compare":
        locks.note_wrong(attempt.row)
    audit.record(
        "user.sign_in_failed",
        actor=_ANONYMOUS,
        target=target,
        result="failure",
        reason="wrong user ID or password",
        address=attempt.address,
        now=attempt.now,
    )
    until = counted.state.locked_until
    if counted.verdict == "compare" and until is not None and until > attempt.now:
        familiar = attempt.row is not None and attempt.row.familiar
        audit.record(
            "user.sign_in_locked",
            actor=Party("system", None, "limits"),
            target=target,
            result="denied",
            data={"until": until.isoformat(), "familiar": familiar},
            address=attempt.address,
            now=attempt.now,
        )


def _note_success(attempt: _Attempt) -> None:
    count_down(_counts(attempt))
    if attempt.row is not None:
        locks.note_right(attempt.row)


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
