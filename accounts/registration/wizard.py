"""The interrupt: as few methods as the policy needs, strongest first, each proved; or one click
that what is registered is still right. "Not now" is always possible."""

from collections.abc import Sequence
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from tenants import audit
from tenants.context import tenant_context
from tenants.fields import read_fields
from tenants.pages import address_of
from tenants.policy import AUTHENTICATOR_METHODS

from ..methods.words import LABELS
from ..models import ContactPoint, User
from ..services import party_of
from ..signin.person import SignedIn, for_signed_in
from .interrupt import (
    enter_wizard,
    facts_of,
    find_wanted,
    has_begun,
    leave_wizard,
    note_begun,
    onward,
    put_off,
)
from .pages import for_registration, info_page, see_other
from .registrable import get_registrable
from .standing import Standing, Terms, read_standing, terms_in_force


@require_http_methods(["GET", "HEAD", "POST"])
@for_signed_in
def register(request: HttpRequest, person: SignedIn) -> HttpResponse:
    """First what is asked and why, which shows nothing that is registered; then the steps."""
    now = timezone.now()
    if request.method == "POST":
        values = read_fields(request, ("later", "right"))
        if values["right"] and not values["later"]:
            return _confirmed(request)
        return _put_off(request, person, now)
    enter_wizard(request)
    if request.GET.get("go"):
        return _go_on(request)
    return _intro(request, person, now)


def _intro(request: HttpRequest, person: SignedIn, now: datetime) -> HttpResponse:
    with tenant_context(person.tenant.pk):
        standing, terms = read_standing(request, person, now), terms_in_force()
        wanted = find_wanted(terms.rules, facts_of(standing), now)
    if standing.readiness.elsewhere or (wanted is None and not standing.readiness.missing):
        return see_other(leave_wizard(request))
    return info_page(
        request,
        person,
        "register",
        state="registration",
        wanted=wanted or "register",
        go_url=reverse("security-info:register") + "?go=1",
    )


def _put_off(request: HttpRequest, person: SignedIn, now: datetime) -> HttpResponse:
    put_off(request)
    with tenant_context(person.tenant.pk):
        audit.record(
            "registration.put_off",
            actor=party_of(person.user),
            target=party_of(person.user),
            address=address_of(request),
            now=now,
        )
    return see_other(leave_wizard(request) or reverse("security-info:index"))


@for_registration
def _go_on(request: HttpRequest, person: SignedIn) -> HttpResponse:
    """The next method, the question whether all is right, or the list of what is set up."""
    now = timezone.now()
    with tenant_context(person.tenant.pk):
        standing, terms = read_standing(request, person, now), terms_in_force()
        wanted = find_wanted(terms.rules, facts_of(standing), now)
        offered = offered_methods(standing, terms)
        if not standing.readiness.missing and wanted is None and has_begun(request):
            _complete(person, standing, address_of(request), now)
    if standing.readiness.missing:
        return _step(request, person, standing, offered)
    if wanted == "confirm":
        return _confirm_page(request, person, standing)
    response = info_page(
        request,
        person,
        "registered",
        state="registered",
        rows=_listed(standing),
        next_url=onward(request),
    )
    leave_wizard(request)
    return response


def offered_methods(standing: Standing, terms: Terms) -> Sequence[str]:
    """What the wizard offers next, strongest first.

    An office phone only where a number is on file, no authenticator where sign-in and reset are not
    registered together (Entra, registration).
    """
    return [
        method
        for method in standing.readiness.suggestions
        if get_registrable(method).in_wizard
        and not standing.is_full(method)
        and (method != "office_phone" or ContactPoint.Kind.OFFICE_PHONE in standing.own.contacts)
        and (method not in AUTHENTICATOR_METHODS or terms.rules.combined_registration)
    ]


def _step(
    request: HttpRequest, person: SignedIn, standing: Standing, offered: Sequence[str]
) -> HttpResponse:
    note_begun(request)
    readiness = standing.readiness
    choices = [
        {
            "key": method,
            "label": LABELS[method],
            "url": reverse("security-info:add", args=[method]),
        }
        for method in offered
    ]
    return info_page(
        request,
        person,
        "register_step",
        state="registration",
        step={"number": readiness.counted + 1, "total": readiness.gates_required},
        first=choices[0] if choices else None,
        others=choices[1:],
        rows=_listed(standing),
    )


def _confirm_page(request: HttpRequest, person: SignedIn, standing: Standing) -> HttpResponse:
    return info_page(request, person, "confirm", state="registration", rows=_listed(standing))


def _listed(standing: Standing) -> list[dict[str, object]]:
    return [
        {"label": LABELS[method], "entry": entry}
        for method, entries in standing.entries.items()
        for entry in entries
    ]


@for_registration
def _confirmed(request: HttpRequest, person: SignedIn) -> HttpResponse:
    """Everything is right. What messages come back from stays marked until it is changed."""
    now = timezone.now()
    with tenant_context(person.tenant.pk):
        standing = read_standing(request, person, now)
        user = _note_confirmed(person, now)
        # Messages come back from it, and its owner says that it is right: it may be by now.
        ContactPoint.objects.filter(user=user).update(stale_at=None)
        audit.record(
            "registration.confirmed",
            actor=party_of(user),
            target=party_of(user),
            data={"methods": [method for method, rows in standing.entries.items() if rows]},
            address=address_of(request),
            now=now,
        )
    return see_other(leave_wizard(request) or reverse("security-info:index") + "?done=confirmed")


def _note_confirmed(person: SignedIn, now: datetime) -> User:
    user: User = User.objects.select_for_update(no_key=True).get(pk=person.user.pk)
    user.registration_confirmed_at = now
    user.registration_reduced_at = None
    user.save(update_fields=["registration_confirmed_at", "registration_reduced_at"])
    return user


def _complete(person: SignedIn, standing: Standing, address: str, now: datetime) -> None:
    """All that is required is registered now."""
    user = _note_confirmed(person, now)
    audit.record(
        "registration.completed",
        actor=party_of(user),
        target=party_of(user),
        data={"methods": [method for method, rows in standing.entries.items() if rows]},
        address=address,
        now=now,
    )
