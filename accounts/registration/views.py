"""Security info: what is registered, what it is good for, and adding, changing, removing it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from tenants.context import tenant_context
from tenants.fields import read_fields
from tenants.pages import address_of, clock, site_of
from tenants.policy import QUESTIONS

from ..methods.words import LABELS
from ..models import ContactPoint, User
from ..people import belongings_of
from ..services import party_of
from ..signin.person import SignedIn, for_proved, note_proof
from ..signin.provable import provable_methods
from . import words
from .changes import MethodChange, note_change
from .interrupt import leave_wizard, way_back
from .pages import (
    SEE_OTHER,
    for_registration,
    info_page,
    may_register_first,
    refusal_page,
    see_other,
)
from .readiness import Readiness, readiness_of
from .registrable import REGISTRABLES, Entry, get_registrable
from .standing import Standing, read_standing, standing_of, terms_in_force
from .undo import is_undoable, snapshot, undo_change, undo_of

TOLD = frozenset({"saved", "removed", "confirmed"})
_NEVER_SIGNS_IN = frozenset({QUESTIONS, "manager_approval"})


@require_http_methods(["GET", "HEAD"])
@for_proved
def index(request: HttpRequest, person: SignedIn) -> HttpResponse:
    """Everything that is registered, and in one line whether it would be enough."""
    now = timezone.now()
    leave_wizard(request)
    with tenant_context(person.tenant.pk):
        standing = read_standing(request, person, now)
        terms = terms_in_force()
    told = request.GET.get("done", "")
    return info_page(
        request,
        person,
        "index",
        readiness=standing.readiness,
        missing=[LABELS[method] for method in standing.readiness.suggestions],
        missing_url=_missing_url(standing),
        cards=_cards(standing),
        told=told if told in TOLD else "",
        may_register=may_register_first(person, now),
        reconfirm_days=terms.rules.reconfirm_days,
        confirmed_at=person.user.registration_confirmed_at,
        rehearsed_at=person.user.rehearsed_at,
        rehearse_url=_find_url("portal:rehearse") if standing.readiness.able else "",
        sessions_url=_find_url("sign-in:sessions"),
    )


def _missing_url(standing: Standing) -> str:
    suggestions = standing.readiness.suggestions
    return reverse("security-info:add", args=[suggestions[0]]) if suggestions else ""


def _find_url(name: str) -> str:
    """An address of another part, where this installation has it."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _cards(standing: Standing) -> list[dict[str, Any]]:
    """One card a method that may be registered, or is although it may not (any more)."""
    return [
        _card(method, entries, standing)
        for method, entries in standing.entries.items()
        if entries or standing.is_allowed(method)
    ]


def _card(method: str, entries: Sequence[Entry], standing: Standing) -> dict[str, Any]:
    readiness = standing.readiness
    resets = method in readiness.usable and not _needs_more(method, readiness)
    can_add = standing.is_allowed(method) and not standing.is_full(method)
    return {
        "key": method,
        "label": LABELS[method],
        "rows": [_row(method, entry) for entry in entries],
        "resets": resets,
        "why_not": "" if resets or not entries else _why_not(method, readiness),
        "signs_in": method not in _NEVER_SIGNS_IN,
        "add_url": reverse("security-info:add", args=[method]) if can_add else "",
        "full": standing.is_allowed(method) and standing.is_full(method) and not can_add,
        "most": get_registrable(method).most,
    }


def _needs_more(method: str, readiness: Readiness) -> bool:
    """Security questions count only beside something that is more than a mailbox."""
    others = set(readiness.usable) - {QUESTIONS, "email"}
    return method == QUESTIONS and not others


def _why_not(method: str, readiness: Readiness) -> Any:
    cause = readiness.unusable.get(method)
    if cause is not None:
        return words.WHY_NOT[cause]
    return words.NEEDS_MORE if method in readiness.usable else ""


def _row(method: str, entry: Entry) -> dict[str, Any]:
    registrable, args = get_registrable(method), [method, entry.id]
    can_change = registrable.changes and not entry.fixed
    can_remove = registrable.removes and not entry.fixed
    return {
        "entry": entry,
        "registered": clock(entry.registered_at),
        "used": clock(entry.used_at),
        "change_url": reverse("security-info:change", args=args) if can_change else "",
        "remove_url": reverse("security-info:remove", args=args) if can_remove else "",
    }


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@for_registration
def add(request: HttpRequest, person: SignedIn, method: str) -> HttpResponse:
    """The pages of adding one more of a method that is allowed."""
    if method not in REGISTRABLES:
        raise Http404
    with tenant_context(person.tenant.pk):
        standing = read_standing(request, person, timezone.now())
    if not standing.is_allowed(method):
        return refusal_page(request, person, "not_allowed", method=method)
    if standing.is_full(method):
        return refusal_page(request, person, "full", method=method, status=409)
    done_url = _done_url(request)
    response = get_registrable(method).add(request, person, done_url)
    if response.status_code == SEE_OTHER and response.headers["Location"] == done_url:
        _note_first(request, person, method)
    return response


def _note_first(request: HttpRequest, person: SignedIn, method: str) -> None:
    """Who had nothing to prove and proved the first thing they registered goes on with it."""
    now = timezone.now()
    if person.is_proved(now) or method in _NEVER_SIGNS_IN:
        return
    with tenant_context(person.tenant.pk):
        saved = method in provable_methods(person.user, site_of(request))
    if saved:
        note_proof(request, [method], now)


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@for_registration
def change(request: HttpRequest, person: SignedIn, method: str, entry: str) -> HttpResponse:
    """The pages of changing what is on file."""
    with tenant_context(person.tenant.pk):
        standing = read_standing(request, person, timezone.now())
    found = _find_entry(standing, method, entry)
    if found is None or not get_registrable(method).changes or found.fixed:
        raise Http404
    if not standing.is_allowed(method):
        return refusal_page(request, person, "not_allowed", method=method)
    return get_registrable(method).change(request, person, entry, _done_url(request))


def _done_url(request: HttpRequest) -> str:
    return way_back(request) or f"{reverse('security-info:index')}?done=saved"


def _find_entry(standing: Standing, method: str, entry: str) -> Entry | None:
    rows = standing.entries.get(method, ())
    return next((row for row in rows if row.id == entry), None)


@require_http_methods(["GET", "HEAD", "POST"])
@for_proved
def remove(request: HttpRequest, person: SignedIn, method: str, entry: str) -> HttpResponse:
    """Says first what stops working; only the button removes."""
    now = timezone.now()
    with tenant_context(person.tenant.pk):
        standing = read_standing(request, person, now)
    found = _find_entry(standing, method, entry)
    if found is None or not get_registrable(method).removes or found.fixed:
        raise Http404
    if request.method != "POST":
        with tenant_context(person.tenant.pk):
            after = _without(person, method, entry, now, site_of(request))
            days = terms_in_force().rules.reconfirm_days
        return info_page(
            request,
            person,
            "remove",
            method=method,
            label=LABELS[method],
            entry=found,
            loses_reset=standing.readiness.able and not after.readiness.able,
            nothing_left=not any(after.entries.values()),
            missing=after.readiness.missing,
            reconfirm_days=days,
        )
    read_fields(request, ())
    with tenant_context(person.tenant.pk):
        removed = _remove(request, person, _Removal(method, entry), now)
    if not removed:
        raise Http404
    return see_other(f"{reverse('security-info:index')}?done=removed")


def _without(person: SignedIn, method: str, entry: str, now: datetime, site: str) -> Standing:
    """How the person would stand without it: removed, looked at, and put back."""
    with transaction.atomic():
        get_registrable(method).remove(belongings_of(person.user), entry, now)
        after = standing_of(person.user, now, site)
        transaction.set_rollback(True)
    return after


@dataclass(frozen=True)
class _Removal:
    method: str
    entry: str


def _remove(request: HttpRequest, person: SignedIn, what: _Removal, now: datetime) -> bool:
    user = User.objects.select_for_update(no_key=True).get(pk=person.user.pk)
    own = belongings_of(user)
    able = readiness_of(own, now, site_of(request)).able
    before, state = list(ContactPoint.objects.filter(user=user)), snapshot(user)
    name = get_registrable(what.method).remove(own, what.entry, now)
    if name is None:
        return False
    note_change(
        user,
        MethodChange(
            what="removed",
            method=what.method,
            name=name,
            before=before,
            address=address_of(request),
            undo=undo_of(state, snapshot(user)),
        ),
        by=party_of(user),
        now=now,
    )
    if able and not readiness_of(belongings_of(user), now, site_of(request)).able:
        # They know: they are not asked again before the next confirmation (Entra, registration).
        user.registration_reduced_at = now
        user.save(update_fields=["registration_reduced_at"])
    return True


@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: HttpRequest, token: str) -> HttpResponse:
    """Shows what will happen; only the button does it, so a mail scanner changes nothing."""
    now = timezone.now()
    if request.method != "POST":
        works = is_undoable(token, now)
        kind, status = ("offered", 200) if works else ("over", 410)
    else:
        read_fields(request, ())
        done = undo_change(token, address=address_of(request), now=now)
        kind, status = ("done", 200) if done else ("over", 410)
    return info_page(request, None, "undo", state=f"undo_{kind}", status=status, kind=kind)
