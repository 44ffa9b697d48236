"""Adding, changing and confirming an address or a number: type it, then the code sent to it.

Nothing is saved before the new address or number answered.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from tenants.context import tenant_context
from tenants.fields import read_fields
from tenants.limits import CODE_LIFETIME
from tenants.pages import address_of, clock

from ..config_rows import anchor_of
from ..contacts import find_value
from ..methods.base import MethodContext, typed_code
from ..methods.words import LABELS
from ..models import ContactPoint, PendingRegistration, User
from ..people import Belongings
from ..services import party_of
from ..signin.person import SignedIn
from . import words
from .changes import MethodChange, note_change
from .pages import info_page, refusal_page, see_other
from .pending import (
    begin_pending,
    count_try,
    find_pending,
    is_code,
    read_pending,
    resend_at,
    take_pending,
    tries_left,
)
from .registrable import Entry
from .sending import send_code
from .undo import snapshot, undo_of

STEP_FIELDS = ("pending", "code", "resend", "current")
CODE_LENGTH = 6


@dataclass(frozen=True)
class Typed:
    """What was typed as an address or number: the form it is kept in, or what is wrong where."""

    value: str = ""
    channel: str = ""
    errors: Mapping[str, Any] | None = None


class ContactRegistrable(ABC):
    """What an address and a number have in common: one of each kind, changed and removed."""

    key: str
    kind: str
    most = 1
    changes = True
    removes = True
    in_wizard = True
    template: str
    fields: tuple[str, ...]

    @abstractmethod
    def mask(self, value: str) -> str:
        """Enough to recognise one's own."""

    @abstractmethod
    def read(self, values: Mapping[str, str], person: SignedIn, own: Belongings) -> Typed:
        """What was typed, in the tenant's context."""

    @abstractmethod
    def form(self, person: SignedIn, own: Belongings) -> dict[str, Any]:
        """What the first page shows beside the fields, in the tenant's context."""

    @abstractmethod
    def channel_for(self, values: Mapping[str, str]) -> str:
        """How a code reaches the contact that is on file already."""

    def is_fixed(self, user: User) -> bool:
        """Whether only administrators change it."""
        return False

    def entries(self, own: Belongings, context: MethodContext) -> Sequence[Entry]:
        row = own.contacts.get(self.kind)
        value = find_value(row) if row is not None else None
        if row is None or value is None:
            return ()
        return (
            Entry(
                id=str(row.pk),
                name=str(LABELS[self.key]),
                detail=self.mask(value),
                registered_at=row.confirmed_at or row.created_at,
                used_at=row.used_at,
                stale=row.stale_at is not None,
                confirmed=row.confirmed_at is not None,
                fixed=self.is_fixed(own.user),
            ),
        )

    def add(self, request: HttpRequest, person: SignedIn, done_url: str) -> HttpResponse:
        return self._steps(request, person, done_url, changing=False)

    def change(
        self, request: HttpRequest, person: SignedIn, entry: str, done_url: str
    ) -> HttpResponse:
        return self._steps(request, person, done_url, changing=True)

    def remove(self, own: Belongings, entry: str, now: datetime) -> str | None:
        row = own.contacts.get(self.kind)
        if row is None or str(row.pk) != entry or self.is_fixed(own.user):
            return None
        row.delete()
        return str(LABELS[self.key])

    def _steps(
        self, request: HttpRequest, person: SignedIn, done_url: str, *, changing: bool
    ) -> HttpResponse:
        now = timezone.now()
        if request.method != "POST":
            pending = find_pending(request, person, self.key, request.GET.get("pending", ""), now)
            if pending is not None:
                return self._code_page(request, person, pending, now)
            return self._form_page(request, person, {}, {}, changing=changing)
        values = read_fields(request, (*self.fields, *STEP_FIELDS))
        if not values["pending"]:
            return self._begin(request, person, values, now, changing=changing)
        pending = find_pending(request, person, self.key, values["pending"], now)
        if pending is None:
            return refusal_page(request, person, "gone", method=self.key, status=410)
        if values["resend"]:
            return self._send(request, person, pending, now)
        return self._prove(request, person, pending, values["code"], done_url)

    def _form_page(
        self,
        request: HttpRequest,
        person: SignedIn,
        values: Mapping[str, str],
        errors: Mapping[str, Any],
        *,
        changing: bool,
        status: int = 200,
    ) -> HttpResponse:
        with tenant_context(person.tenant.pk):
            own = _own(person)
            row = own.contacts.get(self.kind) if changing else None
            hint = self.mask(find_value(row) or "") if row is not None else ""
            more = self.form(person, own)
        return info_page(
            request,
            person,
            self.template,
            status=status,
            errors=errors,
            values={name: values.get(name, "") for name in self.fields},
            method=self.key,
            changing=changing,
            current=hint,
            current_stands=row is not None and (row.confirmed_at is None or bool(row.stale_at)),
            **more,
        )

    def _begin(
        self,
        request: HttpRequest,
        person: SignedIn,
        values: Mapping[str, str],
        now: datetime,
        *,
        changing: bool,
    ) -> HttpResponse:
        with tenant_context(person.tenant.pk):
            own = _own(person)
            typed = self._typed(values, person, own, changing=changing)
            if not typed.errors:
                pending = begin_pending(
                    request,
                    person,
                    self.key,
                    {"value": typed.value},
                    channel=typed.channel,
                    now=now,
                )
        if typed.errors:
            errors = typed.errors
            return self._form_page(request, person, values, errors, changing=changing)
        return self._send(request, person, pending, now)

    def _typed(
        self, values: Mapping[str, str], person: SignedIn, own: Belongings, *, changing: bool
    ) -> Typed:
        row = own.contacts.get(self.kind)
        if values["current"] and changing and row is not None:
            return Typed(find_value(row) or "", self.channel_for(values))
        return self.read(values, person, own)

    def _send(
        self, request: HttpRequest, person: SignedIn, pending: PendingRegistration, now: datetime
    ) -> HttpResponse:
        with tenant_context(person.tenant.pk):
            value = read_pending(pending)["value"]
        sent = send_code(person, pending, value, address=address_of(request), now=now)
        if sent.blocked_until is not None:
            until = sent.blocked_until
            return refusal_page(
                request,
                person,
                "too_many",
                method=self.key,
                status=429,
                until=until,
                until_text=clock(until),
            )
        if sent.early:
            at = resend_at(pending)
            text = words.WAIT_FOR_CODE % {"until": clock(at)} if at else words.NO_MORE_CODES
            errors = {"code": text}
            return self._code_page(request, person, pending, now, errors=errors, status=429)
        return see_other(f"{request.path}?pending={pending.pk}")

    def _code_page(
        self,
        request: HttpRequest,
        person: SignedIn,
        pending: PendingRegistration,
        now: datetime,
        *,
        errors: Mapping[str, Any] | None = None,
        status: int = 200,
    ) -> HttpResponse:
        with tenant_context(person.tenant.pk):
            hint = self.mask(read_pending(pending)["value"])
        again = resend_at(pending)
        sent_at = pending.sent_at or pending.created_at
        return info_page(
            request,
            person,
            "code",
            status=status,
            errors=errors,
            method=self.key,
            channel=pending.channel,
            hint=hint,
            pending=str(pending.pk),
            expires_at=clock(min(sent_at + CODE_LIFETIME, pending.expires_at)),
            tries_left=tries_left(pending),
            can_resend=again is not None,
            resend_in=max(0, int((again - now).total_seconds())) if again else 0,
            resend_at=clock(again),
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
        if len(typed_code(code)) != CODE_LENGTH:
            text = words.CODE_LENGTH if code.strip() else words.TYPE_CODE
            return self._code_page(request, person, pending, now, errors={"code": text})
        if not count_try(request, person, pending, now):
            return refusal_page(request, person, "gone", method=self.key, status=410)
        pending.tries += 1
        sent_at = pending.sent_at or pending.created_at
        with tenant_context(person.tenant.pk):
            right = is_code(pending, code) and now < sent_at + CODE_LIFETIME
            saved = right and self._save(request, person, pending, now)
        if saved:
            return see_other(done_url)
        if right or not tries_left(pending):
            return refusal_page(request, person, "gone", method=self.key, status=410)
        late = now >= sent_at + CODE_LIFETIME
        text = words.LATE_CODE if late else words.WRONG_CODE
        return self._code_page(request, person, pending, now, errors={"code": text})

    def _save(
        self, request: HttpRequest, person: SignedIn, pending: PendingRegistration, now: datetime
    ) -> bool:
        """Saves what was proved; false when somebody was faster."""
        user = User.objects.select_for_update(no_key=True).get(pk=person.user.pk)
        taken = take_pending(request, person, self.key, pending.pk, now)
        if taken is None:
            return False
        before, state = list(ContactPoint.objects.filter(user=user)), snapshot(user)
        # Read once more: those who are told are told at what stood before.
        row = ContactPoint.objects.filter(user=user, kind=self.kind).first()
        was_proved = row is not None and row.confirmed_at is not None
        self._write(user, row, taken["value"], now)
        change = MethodChange(
            what="changed" if was_proved else "registered",
            method=self.key,
            name=str(LABELS[self.key]),
            before=before,
            address=address_of(request),
            undo=undo_of(state, snapshot(user)),
        )
        note_change(user, change, by=party_of(user), now=now)
        return True

    def _write(self, user: User, row: ContactPoint | None, value: str, now: datetime) -> None:
        contact = row if row is not None else ContactPoint(user=user, kind=self.kind)
        if row is not None and find_value(row) != value:
            # Gates that were passed with the old one are void.
            contact.version += 1
        contact.confirmed_at, contact.stale_at = now, None
        contact.write(value, anchor_of(self.kind, value))
        contact.save()


def _own(person: SignedIn) -> Belongings:
    from ..people import belongings_of

    return belongings_of(person.user)
