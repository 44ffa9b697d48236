"""Code generators: claimed by the number on the device and two codes, brought back into step the
same way, and given back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from tenants.context import tenant_context
from tenants.fields import BadForm, read_fields

from ...inventory import (
    LONGEST_SERIAL,
    MOST_TOKENS,
    find_spare,
    hand_over,
    may_try,
    note_synchronised,
    put_back,
)
from ...methods.base import MAX_TYPED, MethodContext, typed_code
from ...models import Credential
from ...oath import DIGITS
from ...people import Belongings
from ...signin.person import SignedIn
from ...tokens import METHOD, synchronise
from ..registrable import Entry
from ._forms import by_owner, done, find_own, lock_person, page, refused

FIELDS = ("serial", "code_1", "code_2")


class HardwareToken:
    """The organisation's own tokens. One that is given back waits for its next owner."""

    key = METHOD
    most = MOST_TOKENS
    changes = True
    removes = True
    in_wizard = True

    def entries(self, own: Belongings, context: MethodContext) -> Sequence[Entry]:
        return [
            Entry(
                id=str(row.pk),
                name=_("Code generator"),
                detail=row.name,
                registered_at=row.confirmed_at,
                used_at=row.used_at,
            )
            for row in own.credentials_for(METHOD, context.now)
        ]

    def add(self, request: HttpRequest, person: SignedIn, done_url: str) -> HttpResponse:
        """Claims a token that nobody has."""
        if request.method != "POST":
            return page(request, person, "hardware_token", claims=True)
        fields = _read(request, FIELDS)
        errors = _problems(fields)
        now = timezone.now()
        if not errors and not _count(person, now):
            errors = {"form": _too_often()}
        if not errors:
            with tenant_context(person.tenant.pk):
                if self._claimed(request, person, fields, now):
                    return done(done_url)
            errors = {"serial": _not_that()}
        values = {"serial": fields["serial"]}
        return refused(request, person, "hardware_token", errors, values=values, claims=True)

    def _claimed(self, request: HttpRequest, person: SignedIn, fields: Any, now: datetime) -> bool:
        user = lock_person(person)
        if Credential.objects.filter(user=user, method=METHOD).count() >= self.most:
            return False
        row = find_spare(fields["serial"])
        codes = (typed_code(fields["code_1"]), typed_code(fields["code_2"]))
        if row is None or not synchronise(row, *codes, now=now):
            return False
        hand_over(row, user, by_owner(request, person), now=now)
        return True

    def change(
        self, request: HttpRequest, person: SignedIn, entry: str, done_url: str
    ) -> HttpResponse:
        """Brings a token back into step."""
        if request.method != "POST":
            return page(request, person, "hardware_token", claims=False)
        fields = _read(request, FIELDS[1:])
        errors = _problems(fields)
        now = timezone.now()
        if not errors and not _count(person, now):
            errors = {"form": _too_often()}
        if not errors:
            with tenant_context(person.tenant.pk):
                lock_person(person)
                row = find_own(person, METHOD, entry)
                codes = (typed_code(fields["code_1"]), typed_code(fields["code_2"]))
                if row is not None and synchronise(row, *codes, now=now):
                    note_synchronised(row, by_owner(request, person), now=now)
                    return done(done_url)
            errors = {"code_1": _not_those()}
        return refused(request, person, "hardware_token", errors, claims=False)

    def remove(self, own: Belongings, entry: str, now: datetime) -> str | None:
        rows = Credential.objects.select_for_update().filter(method=METHOD, user=own.user)
        for row in rows:
            if str(row.pk) == entry:
                put_back(row)
                return str(row.name)
        return None


def _read(request: HttpRequest, names: Sequence[str]) -> dict[str, str]:
    fields = dict(read_fields(request, names))
    if any(len(value) > MAX_TYPED for value in fields.values()):
        raise BadForm("longer than any number or code")
    return fields


def _problems(fields: dict[str, str]) -> dict[str, str]:
    errors = {}
    if "serial" in fields and not fields["serial"].strip():
        errors["serial"] = _("Type the number on the back of the device")
    elif len(fields.get("serial", "")) > LONGEST_SERIAL:
        errors["serial"] = _("This is longer than any number of a device")
    for name in FIELDS[1:]:
        if len(typed_code(fields[name])) not in DIGITS:
            errors[name] = _("Type the 6 or 8 digits that the device shows")
    if not errors and typed_code(fields["code_1"]) == typed_code(fields["code_2"]):
        errors["code_2"] = _("Wait until the device shows another code, and type that one")
    return errors


def _count(person: SignedIn, now: datetime) -> bool:
    with tenant_context(person.tenant.pk):
        return may_try(person.user, now)


def _too_often() -> str:
    return _("There were too many tries. Wait an hour, or ask your help desk")


def _not_that() -> str:
    return _(
        "This number and these codes do not belong to a device that is free. Check all three, or "
        "ask your help desk"
    )


def _not_those() -> str:
    return _("These are not two codes of this device that follow each other. Try again")
