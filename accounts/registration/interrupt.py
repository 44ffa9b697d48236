"""Whether somebody who signs in is asked to register, or to confirm what is registered.

The sign-in asks `find_interrupt` and sends people to `interrupt_url`; from there they always come
on to where they wanted to go, whether they registered or not.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from tenants.context import tenant_context
from tenants.policy import RECONFIRM_DAYS, PolicyRules

from ..signin.person import SignedIn
from .standing import Standing, standing_of, terms_in_force

_PUT_OFF, _NEXT = "registration_put_off", "registration_next"
_BEGUN = "registration_begun"
MAX_NEXT = 4000
Wanted = Literal["register", "confirm"]


@dataclass(frozen=True)
class Facts:
    """What decides whether somebody is asked.

    missing: how many methods a reset lacks. confirmed_at: when they last registered or confirmed.
    demanded_at: when an administrator last asked for it. reduced_at: when they removed what a reset
    needs. stale: whether messages to something on file come back.
    """

    missing: int = 0
    confirmed_at: datetime | None = None
    demanded_at: datetime | None = None
    reduced_at: datetime | None = None
    stale: bool = False


def is_reconfirmation_due(confirmed_at: datetime | None, days: int, now: datetime) -> bool:
    """Whether `days` have passed since the last confirmation; 0 days mean never.

    Who never registered has nothing to confirm. Raises ValueError for days no policy can have.
    """
    if days not in RECONFIRM_DAYS:
        raise ValueError("0 to 730 days")
    return days > 0 and confirmed_at is not None and now - confirmed_at >= timedelta(days=days)


def find_wanted(rules: PolicyRules, facts: Facts, now: datetime) -> Wanted | None:
    """What the person is asked for when they sign in; nothing when all is well."""
    due = is_reconfirmation_due(facts.confirmed_at, rules.reconfirm_days, now)
    demanded = facts.demanded_at is not None and (
        facts.confirmed_at is None or facts.confirmed_at < facts.demanded_at
    )
    if facts.missing and (demanded or due):
        return "register"
    if facts.missing and rules.require_registration and not _knows(facts):
        return "register"
    return "confirm" if demanded or due or facts.stale else None


def _knows(facts: Facts) -> bool:
    """Whether they were told when they removed it: not asked before the next confirmation."""
    if facts.reduced_at is None:
        return False
    return facts.confirmed_at is not None and facts.reduced_at >= facts.confirmed_at


def facts_of(standing: Standing) -> Facts:
    user = standing.own.user
    return Facts(
        missing=standing.readiness.missing,
        confirmed_at=user.registration_confirmed_at,
        demanded_at=user.must_register_since,
        reduced_at=user.registration_reduced_at,
        stale=any(row.stale for rows in standing.entries.values() for row in rows),
    )


def wanted_of(person: SignedIn, now: datetime) -> Wanted | None:
    """What this person is asked for now; nothing from whose account lives elsewhere."""
    with tenant_context(person.tenant.pk):
        standing = standing_of(person.user, now)
        if standing.readiness.elsewhere:
            return None
        return find_wanted(terms_in_force().rules, facts_of(standing), now)


def find_interrupt(person: SignedIn, now: datetime, request: HttpRequest | None = None) -> bool:
    """Whether the sign-in stops for registering or confirming. `request`: of a session in which
    the person may have said "not now"; then they are asked at the next sign-in."""
    if request is not None and is_put_off(request):
        return False
    return wanted_of(person, now) is not None


def interrupt_url(next_url: str) -> str:
    """Where the sign-in sends somebody who is asked, and where they come back to."""
    return f"{reverse('security-info:register')}?{urlencode({'next': next_url})}"


def put_off(request: HttpRequest) -> None:
    """Not now: not asked again in this session."""
    request.session[_PUT_OFF] = True


def is_put_off(request: HttpRequest) -> bool:
    return bool(request.session.get(_PUT_OFF))


def enter_wizard(request: HttpRequest) -> None:
    """From here on what is added leads back to the wizard, and from there to where they wanted."""
    wanted = request.GET.get("next", "")
    if wanted or _NEXT not in request.session:
        request.session[_NEXT] = wanted if _is_ours(request, wanted) else ""


def note_begun(request: HttpRequest) -> None:
    """The wizard asked for something that was missing."""
    request.session[_BEGUN] = True


def has_begun(request: HttpRequest) -> bool:
    """Whether it did, once."""
    return bool(request.session.pop(_BEGUN, False))


def leave_wizard(request: HttpRequest) -> str:
    """Where the person wanted to go; the security info without anything else."""
    if _NEXT not in request.session:
        return ""
    wanted: str = request.session.pop(_NEXT)
    return wanted or reverse("security-info:index")


def onward(request: HttpRequest) -> str:
    """Where the person comes to after the wizard, without leaving it."""
    wanted: str = request.session.get(_NEXT, "")
    return wanted or reverse("security-info:index")


def way_back(request: HttpRequest) -> str:
    """The wizard, for who came from there; nothing for everybody else."""
    return reverse("security-info:register") + "?go=1" if _NEXT in request.session else ""


def _is_ours(request: HttpRequest, address: str) -> bool:
    return len(address) <= MAX_NEXT and url_has_allowed_host_and_scheme(
        address, {request.get_host()}, require_https=request.is_secure()
    )
