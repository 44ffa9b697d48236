"""Backup codes: made here, shown once, replaced as a whole."""

from collections.abc import Sequence
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tenants.audit import Party
from tenants.context import tenant_context
from tenants.fields import BadForm, read_fields
from tenants.pages import address_of

from ...backup_codes import CODES, METHOD, count_left, new_set
from ...methods.base import MethodContext
from ...methods.own_codes import written
from ...models import ContactPoint, Credential
from ...people import Belongings
from ...signin.person import SignedIn
from ..changes import MethodChange, What, note_change
from ..registrable import Entry
from ._forms import done, lock_person, page

NAME = "Backup codes"


class BackupCodes:
    """One set of ten codes. Changing it means a new set; the old one is void at once."""

    key = METHOD
    most = 1
    changes = True
    removes = True
    in_wizard = True

    def entries(self, own: Belongings, context: MethodContext) -> Sequence[Entry]:
        return [
            Entry(
                id=str(row.pk),
                name=_("Backup codes"),
                detail=_left(row),
                registered_at=row.confirmed_at,
                used_at=row.used_at,
                stale=count_left(row) == 0,
            )
            for row in own.credentials_for(METHOD, context.now)
        ]

    def add(self, request: HttpRequest, person: SignedIn, done_url: str) -> HttpResponse:
        """A page that says what they are; the button makes them; the next page shows them once."""
        if request.method != "POST":
            return page(request, person, "backup_codes", count=CODES, replaces=False)
        return self._post(request, person, done_url, replaces=False)

    def change(
        self, request: HttpRequest, person: SignedIn, entry: str, done_url: str
    ) -> HttpResponse:
        if request.method != "POST":
            return page(request, person, "backup_codes", count=CODES, replaces=True)
        return self._post(request, person, done_url, replaces=True)

    def remove(self, own: Belongings, entry: str, now: datetime) -> str | None:
        rows = Credential.objects.filter(method=METHOD, user=own.user)
        found = [row for row in rows if str(row.pk) == entry]
        for row in found:
            row.delete()
        return NAME if found else None

    def _post(
        self, request: HttpRequest, person: SignedIn, done_url: str, *, replaces: bool
    ) -> HttpResponse:
        step = read_fields(request, ("step",))["step"]
        if step == "saved":
            return done(done_url)
        if step != "make":
            raise BadForm("no step of this page")
        now = timezone.now()
        with tenant_context(person.tenant.pk):
            user = lock_person(person)
            before = list(ContactPoint.objects.filter(user=user))
            had_one = Credential.objects.filter(user=user, method=METHOD).exists()
            if had_one and not replaces:
                # Another window was faster; its codes are not to be voided by a second press.
                return done(done_url)
            _row, codes = new_set(user, now=now)
            what: What = "changed" if had_one else "registered"
            change = MethodChange(what, METHOD, NAME, before, address_of(request))
            note_change(user, change, by=Party("user", user.pk, user.user_id), now=now)
        shown = [written(code.reveal()) for code in codes]
        return page(request, person, "backup_codes_shown", codes=shown, name=user.user_id)


def _left(row: Credential) -> str:
    left = count_left(row)
    return ngettext("%(left)s code left", "%(left)s codes left", left) % {"left": left}
