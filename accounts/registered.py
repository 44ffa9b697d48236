"""What a person has registered, as administrators see and remove it: never a secret, numbers and
mailboxes masked, and who did it and why in the trail and in the person's mailbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tenants import audit
from tenants.admin.base import as_words
from tenants.audit import Party
from tenants.invalid import refusal
from tenants.keys import SealBroken
from tenants.masking import masked_email, masked_phone

from .backup_codes import METHOD as BACKUP_CODES
from .backup_codes import count_left
from .contact_change import GUEST_NEEDS_EMAIL
from .inventory import METHODS as INVENTORY
from .inventory import put_back
from .models import AuthenticatorDevice, ContactPoint, Credential, QuestionAnswer, User
from .passes import METHOD as PASS
from .people import Belongings, belongings_of
from .registration.changes import MethodChange, note_change
from .services import party_of
from .telling import tell

UNREADABLE = "can't be read"
GONE = "This is not registered any more."
_CONTACTS = {
    ContactPoint.Kind.PRIMARY_EMAIL: "Primary mailbox (notices only)",
    ContactPoint.Kind.ALTERNATE_EMAIL: "Email",
    ContactPoint.Kind.MOBILE_PHONE: "Mobile phone",
    ContactPoint.Kind.OFFICE_PHONE: "Office phone",
}
_KIND_METHODS = {ContactPoint.Kind.ALTERNATE_EMAIL.value: "email"}


@dataclass(frozen=True)
class Registered:
    """One thing on file. id: names it in the form that removes it, "" where it is not removed here.
    method: as in the policy. since: when it was confirmed or added, nothing when it never was."""

    id: str
    method: str
    label: str
    detail: str
    since: datetime | None
    used: datetime | None = None


def registered_things(own: Belongings) -> Sequence[Registered]:
    """Everything on file of a person, a line each."""
    return [*_contacts(own), *_devices(own), *_answers(own), *_credentials(own)]


def _contacts(own: Belongings) -> Sequence[Registered]:
    return [
        Registered(
            f"contact:{row.pk}" if kind != ContactPoint.Kind.PRIMARY_EMAIL else "",
            _KIND_METHODS.get(kind, kind),
            _CONTACTS[ContactPoint.Kind(kind)],
            hint_of(row),
            row.confirmed_at,
        )
        for kind, row in sorted(own.contacts.items())
    ]


def _devices(own: Belongings) -> Sequence[Registered]:
    return [
        Registered(
            f"device:{row.pk}", "app_code", "Authenticator app", str(row.name), row.created_at
        )
        for row in own.devices
    ]


def _answers(own: Belongings) -> Sequence[Registered]:
    if not own.answers:
        return []
    newest = max(row.created_at for row in own.answers)
    detail = f"{len(own.answers)} registered"
    return [Registered("answers", "security_questions", "Security questions", detail, newest)]


def _credentials(own: Belongings) -> Sequence[Registered]:
    return [
        Registered(
            f"credential:{row.pk}",
            row.method,
            INVENTORY.get(row.method, as_words(row.method)),
            _detail(row),
            row.confirmed_at,
            row.used_at,
        )
        for row in own.credentials
    ]


def _detail(row: Credential) -> str:
    if row.method == BACKUP_CODES:
        return f"{count_left(row)} left"
    if row.method == PASS and row.expires_at is not None:
        return f"until {row.expires_at:%Y-%m-%d %H:%M} UTC"
    return row.name


def hint_of(row: ContactPoint) -> str:
    """A masked address or number; a row that was tampered with is said to be unreadable."""
    try:
        value = row.read().reveal()
    except SealBroken:
        return UNREADABLE
    return masked_email(value) if "@" in value else masked_phone(value)


def remove_registered(user: User, thing: str, reason: str, *, by: Party, now: datetime) -> None:
    """Removes what `registered_things` called `thing`; the person is told at every mailbox that
    was on file. A token goes back to the inventory. Raises Invalid."""
    locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    own = belongings_of(locked)
    found = next((each for each in registered_things(own) if each.id == thing and thing), None)
    if found is None:
        raise refusal("thing", "gone", GONE)
    if locked.kind == User.Kind.GUEST and found.method == "email":
        raise refusal("thing", "guest", GUEST_NEEDS_EMAIL)
    _remove(locked, thing)
    before = list(own.contacts.values())
    name = found.label if found.id.startswith("contact:") else found.detail or found.label
    change = MethodChange("removed", found.method, name, before, "", reason)
    note_change(locked, change, by=by, now=now)


def _remove(user: User, thing: str) -> None:
    kind, _, pk = thing.partition(":")
    if kind == "contact":
        ContactPoint.objects.filter(user=user, pk=pk).delete()
    elif kind == "device":
        AuthenticatorDevice.objects.filter(user=user, pk=pk).delete()
    elif kind == "answers":
        QuestionAnswer.objects.filter(user=user).delete()
    else:
        row = Credential.objects.select_for_update().get(user=user, pk=pk)
        if row.method in INVENTORY:
            put_back(row)
        else:
            row.delete()


def require_registration(user: User, reason: str, *, by: Party, now: datetime) -> None:
    """At the next sign-in the person is led through registering again; what is on file keeps
    working until then."""
    locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    locked.must_register_since = now
    locked.save(update_fields=["must_register_since"])
    audit.record("registration.required", actor=by, target=party_of(locked), reason=reason, now=now)
    tell("registration_required", locked, ContactPoint.objects.filter(user=locked), {}, now=now)
