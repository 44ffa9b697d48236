"""`app_code`: any authenticator app that shows six digits (RFC 6238)."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode

import segno
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from tenants.context import tenant_context
from tenants.fields import read_fields
from tenants.pages import address_of

from ...config_rows import DEVICE_NAME
from ...methods.base import MethodContext, typed_code
from ...methods.totp import DIGITS, STEP_SECONDS, matching_step
from ...models import AuthenticatorDevice, ContactPoint, PendingRegistration, User
from ...people import Belongings
from ...services import party_of
from ...signin.person import SignedIn
from .. import words
from ..changes import MethodChange, note_change
from ..pages import info_page, refusal_page, see_other
from ..pending import begin_pending, count_try, find_pending, read_pending, take_pending, tries_left
from ..registrable import MOST_AUTHENTICATORS, Entry
from ..standing import standing_of
from ..undo import snapshot, undo_of

SEED_BYTES = 20
MAX_NAME = 64


class AppCodeRegistrable:
    """Registered with a picture to scan or a key to type, and the code it then shows."""

    key = "app_code"
    most = MOST_AUTHENTICATORS
    changes = False
    removes = True
    in_wizard = True

    def entries(self, own: Belongings, context: MethodContext) -> Sequence[Entry]:
        return [
            Entry(
                id=str(row.pk),
                name=row.name or DEVICE_NAME,
                registered_at=row.created_at,
                used_at=_moment(row.last_step),
            )
            for row in own.devices
        ]

    def add(self, request: HttpRequest, person: SignedIn, done_url: str) -> HttpResponse:
        now = timezone.now()
        if request.method != "POST":
            pending = find_pending(request, person, self.key, request.GET.get("pending", ""), now)
            if pending is not None:
                return self._scan_page(request, person, pending)
            return self._name_page(request, person, {}, {})
        values = read_fields(request, ("name", "pending", "code"))
        if not values["pending"]:
            return self._begin(request, person, values, now)
        pending = find_pending(request, person, self.key, values["pending"], now)
        if pending is None:
            return refusal_page(request, person, "gone", method=self.key, status=410)
        return self._prove(request, person, pending, values["code"], done_url)

    def change(
        self, request: HttpRequest, person: SignedIn, entry: str, done_url: str
    ) -> HttpResponse:
        """Apps are not changed: a new one is added and the old one removed."""
        return see_other(done_url)

    def remove(self, own: Belongings, entry: str, now: datetime) -> str | None:
        for row in own.devices:
            if str(row.pk) == entry:
                row.delete()
                return str(row.name or DEVICE_NAME)
        return None

    def _name_page(
        self,
        request: HttpRequest,
        person: SignedIn,
        values: Mapping[str, str],
        errors: Mapping[str, Any],
    ) -> HttpResponse:
        return info_page(request, person, "app_name", errors=errors, values=values)

    def _begin(
        self, request: HttpRequest, person: SignedIn, values: Mapping[str, str], now: datetime
    ) -> HttpResponse:
        name = " ".join(values["name"].split())
        if len(name) > MAX_NAME:
            errors = {"name": words.NAME_TOO_LONG}
            return self._name_page(request, person, values, errors)
        seed = base64.b32encode(secrets.token_bytes(SEED_BYTES)).decode()
        with tenant_context(person.tenant.pk):
            value = {"seed": seed, "name": name or DEVICE_NAME}
            pending = begin_pending(request, person, self.key, value, now=now)
        return see_other(f"{request.path}?pending={pending.pk}")

    def _scan_page(
        self,
        request: HttpRequest,
        person: SignedIn,
        pending: PendingRegistration,
        errors: Mapping[str, Any] | None = None,
    ) -> HttpResponse:
        with tenant_context(person.tenant.pk):
            seed = read_pending(pending)["seed"]
        link = otpauth_link(seed, person.tenant.name, person.user.user_id)
        return info_page(
            request,
            person,
            "app_scan",
            errors=errors,
            pending=str(pending.pk),
            picture=picture_of(link),
            link=link,
            key=" ".join(seed[at : at + 4] for at in range(0, len(seed), 4)),
            tries_left=tries_left(pending),
            start_again=request.path,
        )

    def _prove(
        self,
        request: HttpRequest,
        person: SignedIn,
        pending: PendingRegistration,
        code: str,
        done_url: str,
    ) -> HttpResponse:
        now = timezone.now()
        typed = typed_code(code)
        if len(typed) != DIGITS:
            text = words.CODE_LENGTH if code.strip() else words.TYPE_CODE
            return self._scan_page(request, person, pending, {"code": text})
        if not count_try(request, person, pending, now):
            return refusal_page(request, person, "gone", method=self.key, status=410)
        pending.tries += 1
        with tenant_context(person.tenant.pk):
            seed = base64.b32decode(read_pending(pending)["seed"])
            step = matching_step(seed, typed, now.timestamp(), -1)
            refused = self._save(request, person, pending, step, now) if step is not None else ""
        if step is None and tries_left(pending):
            return self._scan_page(request, person, pending, {"code": words.WRONG_APP_CODE})
        if step is None or refused:
            kind = refused or "gone"
            status = 409 if kind == "full" else 410
            return refusal_page(request, person, kind, method=self.key, status=status)
        return see_other(done_url)

    def _save(
        self,
        request: HttpRequest,
        person: SignedIn,
        pending: PendingRegistration,
        step: int,
        now: datetime,
    ) -> str:
        """Saves the app; why not, when somebody was faster."""
        user = User.objects.select_for_update(no_key=True).get(pk=person.user.pk)
        taken = take_pending(request, person, self.key, pending.pk, now)
        if taken is None:
            return "gone"
        if standing_of(user, now).is_full(self.key):
            return "full"
        before, state = list(ContactPoint.objects.filter(user=user)), snapshot(user)
        device = AuthenticatorDevice(user=user, name=taken["name"], confirmed=True, last_step=step)
        device.write_seed(base64.b32decode(taken["seed"]))
        device.save(force_insert=True)
        change = MethodChange(
            what="registered",
            method=self.key,
            name=taken["name"],
            before=before,
            address=address_of(request),
            undo=undo_of(state, snapshot(user)),
        )
        note_change(user, change, by=party_of(user), now=now)
        return ""


def otpauth_link(seed: str, issuer: str, account: str) -> str:
    """What an app reads from the picture."""
    label = quote(f"{issuer}:{account}", safe="@:")
    values = {"secret": seed, "issuer": issuer, "digits": DIGITS, "period": STEP_SECONDS}
    return f"otpauth://totp/{label}?{urlencode(values, quote_via=quote)}"


def picture_of(link: str) -> SafeString:
    """The link as a picture to scan: drawn in attributes only, black on white in every mode."""
    code = segno.make(link, error="m", micro=False)
    drawn = code.svg_inline(
        scale=5, border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None
    )
    # segno draws numbers and colours of ours; what it encodes is not in it as text.
    return mark_safe(drawn)  # noqa: S308


def _moment(step: int) -> datetime | None:
    """When a code of this time step was used."""
    return datetime.fromtimestamp(step * STEP_SECONDS, UTC) if step >= 0 else None
