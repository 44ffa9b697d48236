"""What a method of the security-info pages is. Adding one is a module and a line in the registry.

A registrable says what is on file and has its own pages for adding and changing. Each thing is
proved before it is saved; saving and removing go through `changes.note_change`, so that every
previous contact is told and the trail has its line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Protocol

from django.http import HttpRequest, HttpResponse

from ..methods.base import MethodContext
from ..people import Belongings
from ..signin.person import SignedIn

MOST_AUTHENTICATORS = 5
"""Authenticator apps of one person, ours and others together (Entra, registration)."""


@dataclass(frozen=True)
class Entry:
    """One thing on file, as its owner sees it.

    id: names it in the addresses of its pages. detail: masked number or address, model, count left.
    stale: messages to it come back. confirmed: its owner proved it. fixed: it stays as it is here.
    """

    id: str
    name: str
    detail: str = ""
    registered_at: datetime | None = None
    used_at: datetime | None = None
    stale: bool = False
    confirmed: bool = True
    fixed: bool = False


class Registrable(Protocol):
    """One method that people register themselves.

    key: as in the policy. most: how many of it one person can have. changes, removes: what its
    owner may do with an entry (Entra's matrix: register, change, delete).
    in_wizard: whether the interrupt offers it; the others are added in the manage page only.
    """

    key: str
    most: int
    changes: bool
    removes: bool
    in_wizard: bool

    def entries(self, own: Belongings, context: MethodContext) -> Sequence[Entry]:
        """What is on file, oldest first."""

    def add(self, request: HttpRequest, person: SignedIn, done_url: str) -> HttpResponse:
        """The pages of adding one, all under one address: GET shows the first, POST goes on.

        `done_url` is where to go once it is saved.
        """

    def change(
        self, request: HttpRequest, person: SignedIn, entry: str, done_url: str
    ) -> HttpResponse:
        """The pages of changing an entry. Only called where `changes` says so."""

    def remove(self, own: Belongings, entry: str, now: datetime) -> str | None:
        """Removes it, in the caller's transaction and with the person locked; its name, or nothing
        when it is not there (any more)."""


REGISTRABLES: dict[str, str] = {
    "passkey": "accounts.registration.methods.passkey.PasskeyRegistrable",
    "hardware_token": "accounts.registration.methods.hardware_token.HardwareToken",
    "yubikey_otp": "accounts.registration.methods.yubikey_otp.YubiKeyOtp",
    "app_notification": "accounts.registration.methods.app_notification.AppNotificationEntries",
    "backup_codes": "accounts.registration.methods.backup_codes.BackupCodes",
    "external_identity": "accounts.registration.methods.external_identity.AccountRegistrable",
    "app_code": "accounts.registration.methods.app_code.AppCodeRegistrable",
    "mobile_phone": "accounts.registration.methods.phone.MobilePhoneRegistrable",
    "office_phone": "accounts.registration.methods.phone.OfficePhoneRegistrable",
    "email": "accounts.registration.methods.email.EmailRegistrable",
    "security_questions": "accounts.registration.methods.security_questions.QuestionsRegistrable",
}
"""Method key → dotted name of the class, strongest first where the pages list them."""


@cache
def get_registrable(key: str) -> Registrable:
    """The registrable of that method. Raises KeyError."""
    module, _, name = REGISTRABLES[key].rpartition(".")
    found: Registrable = getattr(import_module(module), name)()
    return found
