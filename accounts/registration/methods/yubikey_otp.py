"""YubiKeys: registered by one touch, which the organisation's inventory or its validation server
has to know."""

from collections.abc import Sequence
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from tenants.context import tenant_context
from tenants.fields import BadForm, read_fields

from ...inventory import MOST_TOKENS, By, hand_over, may_try, put_back
from ...methods.base import MethodContext
from ...models import ContactPoint, Credential, MethodSettings, User
from ...people import Belongings
from ...signin.person import SignedIn
from ...validation import Server, open_server
from ...yubikey import LENGTH, Touch, find_touch
from ...yubikeys import METHOD, Inside, find_key, is_ours_and_right, lookup_of, told_of
from ..changes import MethodChange, note_change
from ..registrable import Entry
from ._forms import by_owner, done, lock_person, page, refused


class YubiKeyOtp:
    """Keys that type a one-time password when they are touched."""

    key = METHOD
    most = MOST_TOKENS
    changes = False
    removes = True
    in_wizard = True

    def entries(self, own: Belongings, context: MethodContext) -> Sequence[Entry]:
        return [
            Entry(
                id=str(row.pk),
                name=_("YubiKey"),
                detail=row.name,
                registered_at=row.confirmed_at,
                used_at=row.used_at,
            )
            for row in own.credentials_for(METHOD, context.now)
        ]

    def add(self, request: HttpRequest, person: SignedIn, done_url: str) -> HttpResponse:
        """One field, which the key itself fills in."""
        if request.method != "POST":
            return page(request, person, "yubikey_otp")
        typed = read_fields(request, ("code",))["code"]
        if len(typed) > 2 * LENGTH:
            raise BadForm("longer than anything a key types")
        touch = find_touch(typed)
        if touch is None:
            error = _("This is not what a YubiKey types. Touch the key while the field is active")
            return refused(request, person, "yubikey_otp", {"code": error})
        now = timezone.now()
        error = self._problem(request, person, touch, now)
        return refused(request, person, "yubikey_otp", {"code": error}) if error else done(done_url)

    def _problem(self, request: HttpRequest, person: SignedIn, touch: Touch, now: datetime) -> str:
        """Why it is not registered; empty when it is. The server is asked in no transaction."""
        with tenant_context(person.tenant.pk):
            if not may_try(person.user, now):
                return _("There were too many tries. Wait an hour, or ask your help desk")
            server = _find_server(touch)
        told = told_of(touch, server)
        if told == "unavailable":
            return _("We could not check the key because the service that knows it does not answer")
        with tenant_context(person.tenant.pk):
            user = lock_person(person)
            owned = Credential.objects.filter(user=user, method=METHOD).count()
            if owned < self.most and _register(user, touch, told, by_owner(request, person), now):
                return ""
        return _("This key can not be registered. Try another one, or ask your help desk")

    def change(
        self, request: HttpRequest, person: SignedIn, entry: str, done_url: str
    ) -> HttpResponse:
        raise BadForm("a key is not changed")

    def remove(self, own: Belongings, entry: str, now: datetime) -> str | None:
        """A key of the inventory goes back there; one that a server knows is forgotten."""
        rows = Credential.objects.select_for_update().filter(method=METHOD, user=own.user)
        for row in rows:
            if str(row.pk) == entry:
                put_back(row)
                return str(row.name)
        return None


def _find_server(touch: Touch) -> Server | None:
    """The server to ask about a key that is not in the inventory."""
    if find_key(touch.public_id) is not None:
        return None
    return open_server(MethodSettings.objects.first())


def _register(user: User, touch: Touch, told: str, by: By, now: datetime) -> bool:
    row = find_key(touch.public_id)
    if row is not None:
        # Of the inventory, or somebody's already.
        spare = Credential.objects.select_for_update().get(pk=row.pk)
        if spare.user_id is not None or not is_ours_and_right(spare, touch, now=now):
            return False
        spare.refresh_from_db()
        hand_over(spare, user, by, now=now)
        return True
    if told != "ok":
        return False
    before = list(ContactPoint.objects.filter(user=user))
    new = Credential(
        user=user,
        method=METHOD,
        name=touch.public_id,
        lookup=lookup_of(touch.public_id),
        created_at=now,
        confirmed_at=now,
    )
    new.write(Inside().to_json())
    new.save(force_insert=True)
    change = MethodChange("registered", METHOD, new.name, before, by.address)
    note_change(user, change, by=by.party, now=now)
    return True
