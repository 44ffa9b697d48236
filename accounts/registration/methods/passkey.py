"""`passkey`: made by the browser or a security key for this site, and proved by being made."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tenants.audit import Party
from tenants.context import tenant_context
from tenants.fields import BadForm, read_fields
from tenants.pages import address_of, page_context, site_of

from ...methods.base import MethodContext
from ...models import ContactPoint, Credential, User
from ...passkey_challenges import MAX_TICKET, issue, take
from ...passkey_names import MAX_NAME, suggested_name, unused_name
from ...passkeys import METHOD, MOST, handle_of, lookup_of, new_passkey, opened, rows_of
from ...people import Belongings
from ...signin.person import SignedIn, to_sign_in
from ...webauthn import (
    MAX_ATTESTATION,
    NewCredential,
    Site,
    creation_options,
    find_new_credential,
    find_site,
)
from ..changes import MethodChange, note_change
from ..registrable import Entry

PURPOSE = "registration"
FIELDS = ("attestation", "challenge", "name")
Saved = Literal["saved", "full", "known", "signed out"]
NOT_MADE = _("No passkey was made. Try again")
TOO_LATE = _("That passkey could not be checked, or it took too long. Try again")
KNOWN = _("This passkey is registered already")
FULL = _("You have as many passkeys as one person can have. Remove one first")
NAME_TOO_LONG = _("Use 64 characters or fewer")


@dataclass(frozen=True)
class _Made:
    """A passkey that was just made, and the request it came with."""

    request: HttpRequest
    person: SignedIn
    site: Site
    credential: NewCredential = field(repr=False)
    name: str


class PasskeyRegistrable:
    """Any number of devices and security keys, up to ten of them."""

    key = METHOD
    most = MOST
    changes = False
    removes = True
    in_wizard = True

    def entries(self, own: Belongings, context: MethodContext) -> Sequence[Entry]:
        """Those of every host: each says where it works."""
        return [
            Entry(
                id=str(row.pk),
                name=row.name,
                detail=row.site,
                registered_at=row.created_at,
                used_at=row.used_at,
            )
            for row in own.credentials_for(METHOD, context.now)
        ]

    def add(self, request: HttpRequest, person: SignedIn, done_url: str) -> HttpResponse:
        now = timezone.now()
        if request.method != "POST":
            return _page(request, person, {}, {}, now)
        fields = read_fields(request, FIELDS)
        if len(fields["attestation"]) > MAX_ATTESTATION or len(fields["challenge"]) > MAX_TICKET:
            raise BadForm("longer than any new passkey")
        name = _cleaned(fields["name"])
        problem = _problem(fields, name)
        if problem:
            return _page(request, person, fields, problem, now, status=400)
        site = find_site(site_of(request))
        made = _find_made(request, person, site, fields, now) if site is not None else None
        if site is None or made is None:
            return _page(request, person, fields, {"attestation": TOO_LATE}, now, status=400)
        saved = _save(_Made(request, person, site, made, name), now)
        if saved == "signed out":
            return to_sign_in(request)
        if saved != "saved":
            errors = {"attestation": FULL if saved == "full" else KNOWN}
            return _page(request, person, fields, errors, now, status=409)
        response = HttpResponseRedirect(done_url)
        response.status_code = 303
        return response

    def change(
        self, request: HttpRequest, person: SignedIn, entry: str, done_url: str
    ) -> HttpResponse:
        """A passkey is not changed: a new one is made and the old one removed."""
        raise Http404

    def remove(self, own: Belongings, entry: str, now: datetime) -> str | None:
        for row in own.credentials:
            if row.method == METHOD and str(row.pk) == entry:
                removed, _rows = Credential.objects.filter(pk=row.pk).delete()
                return str(row.name) if removed else None
        return None


def _cleaned(name: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())


def _problem(fields: Mapping[str, str], name: str) -> Mapping[str, Any]:
    problem: dict[str, Promise] = {}
    if len(name) > MAX_NAME:
        problem["name"] = NAME_TOO_LONG
    if not fields["attestation"]:
        problem["attestation"] = NOT_MADE
    return problem


def _find_made(
    request: HttpRequest, person: SignedIn, site: Site, fields: Mapping[str, str], now: datetime
) -> NewCredential | None:
    bound_to = _bound_to(request, person, site)
    challenge = take(fields["challenge"], PURPOSE, bound_to, now)
    if challenge is None:
        return None
    return find_new_credential(fields["attestation"], site, challenge)


def _bound_to(request: HttpRequest, person: SignedIn, site: Site) -> str:
    """A challenge is good on this site, for this person, in this session."""
    session = hashlib.sha256((request.session.session_key or "").encode()).hexdigest()
    return f"{site.origin} {person.tenant.pk} {person.user.pk} {session}"


def _save(made: _Made, now: datetime) -> Saved:
    try:
        with tenant_context(made.person.tenant.pk):
            return _save_locked(made, now)
    except IntegrityError:
        # Somebody else registered the same credential a moment ago.
        return "known"


def _save_locked(made: _Made, now: datetime) -> Saved:
    rows = User.objects.select_for_update(no_key=True)
    user = rows.filter(pk=made.person.user.pk).first()
    if user is None or not user.usable or user.session_epoch != made.person.user.session_epoch:
        return "signed out"
    lookup = lookup_of(made.credential.credential_id)
    if Credential.objects.filter(method=METHOD, lookup=lookup).exists():
        return "known"
    own = rows_of(user)
    if len(own) >= MOST:
        return "full"
    agent = made.request.headers.get("User-Agent", "")
    wanted = made.name or suggested_name(made.credential.aaguid, agent)
    name = unused_name(wanted, frozenset(row.name for row in own))
    new_passkey(user, made.site, made.credential, name, now=now).save(force_insert=True)
    change = MethodChange(
        what="registered",
        method=METHOD,
        name=name,
        before=list(ContactPoint.objects.filter(user=user)),
        address=address_of(made.request),
    )
    note_change(user, change, by=Party("user", user.pk, user.user_id), now=now)
    return "saved"


def _page(
    request: HttpRequest,
    person: SignedIn,
    values: Mapping[str, str],
    errors: Mapping[str, Any],
    now: datetime,
    *,
    status: int = 200,
) -> HttpResponse:
    """Each time with a challenge of its own."""
    site = find_site(site_of(request))
    more: dict[str, Any] = {"options": "", "challenge": ""}
    if site is not None:
        issued = issue(PURPOSE, _bound_to(request, person, site), now)
        options = _options(person, site, issued.challenge)
        more = {"options": json.dumps(options), "challenge": issued.ticket}
    context = page_context(
        request,
        person.tenant,
        state="security_info",
        errors=errors,
        values={"name": values.get("name", "")[:MAX_NAME]},
        host=site.host if site is not None else "",
        index_url=reverse("security-info:index"),
        **more,
    )
    return render(request, "security_info/passkey.html", context, status=status)


def _options(person: SignedIn, site: Site, challenge: bytes) -> Mapping[str, Any]:
    user = person.user
    with tenant_context(person.tenant.pk):
        here = [row for row in rows_of(user) if row.site == site.host]
        return creation_options(
            site,
            challenge,
            handle_of(user),
            user_id=user.user_id,
            display_name=user.display_name or user.user_id,
            organisation=person.tenant.name,
            existing=[one.named for one in opened(here)],
        )
