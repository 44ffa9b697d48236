"""Registering our own authenticator: scan or type a code, then approve once with two digits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import segno
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tenants.audit import Party
from tenants.context import tenant_context
from tenants.fields import read_fields
from tenants.pages import address_of, page_context, site_of

from ...authenticator import enrolment
from ...authenticator.devices import LONGEST_NAME, METHOD, readable_name, remove_device
from ...authenticator.proving import Outcome, finish_enrolment
from ...methods.base import MethodContext
from ...models import Credential, User
from ...people import Belongings, belongings_of
from ...signin.person import SignedIn
from ..changes import MethodChange, note_change
from ..registrable import MOST_AUTHENTICATORS, Entry

NO_DEVICE = _("No phone has used this code yet. Scan it or type it, then continue")
NOT_YET = _("The request is not approved yet. Type the number on your phone, then continue")
NOT_APPROVED = _("The request was not approved. Try once more with the new number")
START_AGAIN = _("Setting up was not finished. Here is a new code")
TOO_MANY = _("You have as many authenticators as you may have. Remove one first")
TYPE_NAME = _("Type a name for this device")
SEE_OTHER = 303


@dataclass(frozen=True)
class _Visit:
    """One request of somebody who sets a device up."""

    request: HttpRequest
    person: SignedIn
    now: datetime


class AppNotificationEntries:
    """Our own authenticator, on as many devices as a person may have."""

    key = METHOD
    most = MOST_AUTHENTICATORS
    changes = True
    removes = True
    in_wizard = True

    def entries(self, own: Belongings, context: MethodContext) -> Sequence[Entry]:
        return [
            Entry(
                id=str(row.pk),
                name=row.name or str(_("Authenticator")),
                registered_at=row.confirmed_at,
                used_at=row.used_at,
            )
            for row in own.credentials
            if row.method == METHOD and row.confirmed_at is not None
        ]

    def add(self, request: HttpRequest, person: SignedIn, done_url: str) -> HttpResponse:
        visit = _Visit(request, person, timezone.now())
        with tenant_context(person.tenant.pk):
            if request.method != "POST":
                return _shown(visit)
            fields = read_fields(request, ("code", "again", "pending"))
            if fields["again"]:
                return _new_code(visit)
            pending = enrolment.find_pending(person.user, visit.now)
            if pending is None or pending.record is None:
                return _scan_again(visit, fields["pending"])
            if fields["pending"]:
                return _number_page(visit, pending)
            return _finish(visit, done_url)

    def change(
        self, request: HttpRequest, person: SignedIn, entry: str, done_url: str
    ) -> HttpResponse:
        """Another name."""
        with tenant_context(person.tenant.pk):
            User.objects.select_for_update(no_key=True).get(pk=person.user.pk)
            row = _find_entry(belongings_of(person.user), entry)
            if row is None:
                raise Http404
            if request.method != "POST":
                return _name_page(request, person, row.name)
            name = readable_name(read_fields(request, ("name",))["name"])
            if not name:
                return _name_page(request, person, row.name, {"name": TYPE_NAME})
            if name != row.name:
                _rename(request, person.user, row, name)
        return _see_other(done_url)

    def remove(self, own: Belongings, entry: str, now: datetime) -> str | None:
        row = _find_entry(own, entry)
        if row is None:
            return None
        remove_device(row)
        return row.name or str(_("Authenticator"))


def _find_entry(own: Belongings, entry: str) -> Credential | None:
    found = (row for row in own.credentials if row.method == METHOD and row.confirmed_at)
    return next((row for row in found if str(row.pk) == entry), None)


def _rename(request: HttpRequest, user: User, row: Credential, name: str) -> None:
    row.name = name
    row.save(update_fields=["name"])
    contacts = tuple(belongings_of(user).contacts.values())
    change = MethodChange("changed", METHOD, name, contacts, address_of(request))
    party = Party("user", user.pk, user.user_id)
    note_change(user, change, by=party, now=timezone.now())


def _shown(visit: _Visit) -> HttpResponse:
    """The page a visit begins with, and comes back to: what is under way goes on."""
    pending = enrolment.find_pending(visit.person.user, visit.now)
    if pending is not None and pending.record is not None:
        return _number_page(visit, pending)
    return _new_code(visit)


def _new_code(visit: _Visit, errors: dict[str, Any] | None = None) -> HttpResponse:
    code = enrolment.new_code()
    enrolment.begin_enrolment(visit.person.user, code, visit.now)
    return _scan_page(visit, code, errors)


def _scan_again(visit: _Visit, sealed: str) -> HttpResponse:
    """No device yet: the same code, as long as it is good."""
    code = enrolment.find_sealed_code(visit.person.user, sealed) if sealed else None
    if code is None or not enrolment.is_waited_for(visit.person.user, code, visit.now):
        return _new_code(visit, {"pending": START_AGAIN})
    return _scan_page(visit, code, {"pending": NO_DEVICE})


def _finish(visit: _Visit, done_url: str) -> HttpResponse:
    user, address = visit.person.user, address_of(visit.request)
    outcome = finish_enrolment(user, address=address, now=visit.now)
    if outcome == Outcome.DONE:
        return _see_other(done_url)
    pending = enrolment.find_pending(user, visit.now)
    if outcome == Outcome.TOO_MANY or pending is None:
        text = TOO_MANY if outcome == Outcome.TOO_MANY else START_AGAIN
        return _new_code(visit, {"pending": text})
    if outcome == Outcome.WAITING:
        return _number_page(visit, pending, {"code": NOT_YET})
    if not enrolment.ask_again(pending, visit.now):
        return _new_code(visit, {"pending": START_AGAIN})
    fresh = enrolment.find_pending(user, visit.now)
    return _number_page(visit, fresh or pending, {"code": NOT_APPROVED})


def _scan_page(visit: _Visit, code: str, errors: dict[str, Any] | None) -> HttpResponse:
    site = site_of(visit.request) + reverse("authenticator:enrol")
    address = f"{site}#{visit.person.tenant.pk}.{code}"
    picture = segno.make(address, error="m", micro=False)
    context = page_context(
        visit.request,
        visit.person.tenant,
        state="registering",
        errors=errors or {},
        picture=picture.svg_data_uri(border=4, dark="#000", light="#fff"),
        enrol_url=site,
        code=enrolment.shown_code(code),
        user_id=visit.person.user.user_id,
        pending=enrolment.sealed_code(visit.person.user, code),
        status_url=_status_url("scan"),
    )
    return render(visit.request, "security_info/app_notification.html", context)


def _number_page(
    visit: _Visit, pending: enrolment.Pending, errors: dict[str, Any] | None = None
) -> HttpResponse:
    context = page_context(
        visit.request,
        visit.person.tenant,
        state="registering",
        errors=errors or {},
        method=METHOD,
        prompt={"number": pending.number},
        device=pending.credential.name,
        status_url=_status_url("approve"),
    )
    return render(visit.request, "security_info/app_notification_number.html", context)


def _name_page(
    request: HttpRequest, person: SignedIn, name: str, errors: dict[str, Any] | None = None
) -> HttpResponse:
    context = page_context(
        request,
        person.tenant,
        state="registering",
        errors=errors or {},
        values={"name": name},
        longest=LONGEST_NAME,
    )
    return render(request, "security_info/app_notification_name.html", context)


def _status_url(stage: str) -> str:
    return f"{reverse('authenticator:setting_up')}?stage={stage}"


def _see_other(url: str) -> HttpResponse:
    response = HttpResponseRedirect(url)
    response.status_code = SEE_OTHER
    return response
