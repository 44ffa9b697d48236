"""Rows about people: what stands, read in bulk; what a plan writes, written in bulk."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import make_password

from tenants.models import Subscription

from .answers import normalise_answer
from .config_checks import in_chunks
from .identifiers import canonical_mailbox
from .models import AuthenticatorDevice, ContactPoint, QuestionAnswer, User
from .numbers import e164

DEVICE_NAME = "Authenticator app"
BATCH = 500


def anchor_of(kind: str, value: str) -> str:
    """The comparable form of a contact: E.164, or the folded mailbox."""
    return e164(value) if kind.endswith("phone") else canonical_mailbox(value)


@dataclass(frozen=True)
class Belongings:
    """What some people have on file, by person."""

    contacts: dict[tuple[UUID, str], ContactPoint]
    devices: dict[UUID, list[AuthenticatorDevice]]
    answers: dict[UUID, list[QuestionAnswer]]

    @classmethod
    def of(cls, people: Iterable[UUID]) -> "Belongings":
        found = cls({}, {}, {})
        for chunk in in_chunks(map(str, people)):
            for contact in ContactPoint.objects.filter(user_id__in=chunk):
                found.contacts[contact.user_id, contact.kind] = contact
            for device in AuthenticatorDevice.objects.filter(user_id__in=chunk, confirmed=True):
                found.devices.setdefault(device.user_id, []).append(device)
            for answer in QuestionAnswer.objects.filter(user_id__in=chunk):
                found.answers.setdefault(answer.user_id, []).append(answer)
        return found


@dataclass
class _Changes:
    """New, changed and removed rows of one model."""

    model: Any
    new: list[Any] = field(default_factory=list)
    changed: list[Any] = field(default_factory=list)
    gone: list[Any] = field(default_factory=list)

    def write(self, *columns: str) -> None:
        for chunk in in_chunks(str(row.id) for row in self.gone):
            self.model.objects.filter(id__in=chunk).delete()
        self.model.objects.bulk_create(self.new, batch_size=BATCH)
        if self.changed and columns:
            self.model.objects.bulk_update(self.changed, columns, batch_size=BATCH)


class PeopleRows:
    """Collects rows while a file is planned. Hashing and sealing wait until `write`."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._users = _Changes(User)
        self._columns: dict[UUID, set[str]] = {}
        self._licences: list[tuple[User, bool]] = []
        self._passwords: list[tuple[User, str]] = []
        self._contacts = _Changes(ContactPoint)
        self._devices = _Changes(AuthenticatorDevice)
        self._answers = _Changes(QuestionAnswer)
        self._values: list[tuple[ContactPoint, str]] = []
        self._seeds: list[tuple[AuthenticatorDevice, bytes]] = []
        self._texts: list[tuple[QuestionAnswer, str]] = []

    def create_user(self, user: User, *, licensed: bool) -> None:
        self._users.new.append(user)
        if licensed:
            self._licences.append((user, True))

    def update_user(self, user: User, *columns: str) -> None:
        if user.id not in self._columns:
            self._users.changed.append(user)
        self._columns.setdefault(user.id, set()).update(columns)

    def set_licence(self, user: User, *, licensed: bool) -> None:
        self._licences.append((user, licensed))
        self.update_user(user, "licence")

    def set_password(self, user: User, password: str) -> None:
        self._passwords.append((user, password))
        self._end_sessions(user)

    def set_hash(self, user: User, stored: str) -> None:
        user.password = stored
        self._end_sessions(user)

    def _end_sessions(self, user: User) -> None:
        user.password_changed_at = self.now
        if user._state.adding:
            return
        user.session_epoch += 1
        self.update_user(user, "password", "password_changed_at", "session_epoch")

    def create_contact(self, row: ContactPoint, value: str) -> None:
        self._contacts.new.append(row)
        self._values.append((row, value))

    def change_contact(self, row: ContactPoint, value: str) -> None:
        """What was confirmed was the old value; gates passed with it are void."""
        row.version += 1
        row.confirmed_at = None
        self._contacts.changed.append(row)
        self._values.append((row, value))

    def create_device(self, row: AuthenticatorDevice, seed: bytes) -> None:
        row.confirmed = True
        self._devices.new.append(row)
        self._seeds.append((row, seed))

    def change_device(self, row: AuthenticatorDevice, seed: bytes) -> None:
        row.version += 1
        row.last_step = -1
        self._devices.changed.append(row)
        self._seeds.append((row, seed))

    def create_answer(self, row: QuestionAnswer, answer: str) -> None:
        self._answers.new.append(row)
        self._texts.append((row, answer))

    def change_answer(self, row: QuestionAnswer, answer: str) -> None:
        self._answers.changed.append(row)
        self._texts.append((row, answer))

    def remove(self, row: ContactPoint | QuestionAnswer) -> None:
        changes = self._contacts if isinstance(row, ContactPoint) else self._answers
        changes.gone.append(row)

    def write(self) -> None:
        """Writes everything, in the tenant and transaction in force."""
        subscription = Subscription.objects.first()
        for user, licensed in self._licences:
            user.licence = subscription if licensed else None
        for user, password in self._passwords:
            user.password = make_password(password)
        self._users.write(*sorted(set().union(*self._columns.values())))
        for contact, value in self._values:
            contact.write(value, anchor_of(contact.kind, value))
        self._contacts.write("sealed", "lookup", "version", "confirmed_at")
        for device, seed in self._seeds:
            device.write_seed(seed)
        self._devices.write("sealed_seed", "version", "last_step")
        for row, answer in self._texts:
            row.answer_hash = make_password(normalise_answer(answer))
        self._answers.write("answer_hash")
