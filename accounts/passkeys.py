"""Passkeys as rows, and whether one of them signed.

A passkey works on the host it was made on (`Credential.site`) and nowhere else. The authenticator
keeps a handle of its person: the tenant's ID and 32 bytes that only this installation can make, so
that a shared host knows behind whose walls to look before anything is read.
"""

import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings

from notifications.services import Recipient, notify
from tenants import audit
from tenants.audit import Party
from tenants.counters import Count, count_up
from tenants.keys import SealBroken, tenant_keys
from tenants.limits import LIMITS
from tenants.models import Tenant

from .contacts import notice_addresses
from .models import ContactPoint, Credential, User
from .models.credential import credential_lookup
from .webauthn import (
    Assertion,
    Named,
    NewCredential,
    Site,
    credential_id_of,
    decoded,
    decoy_credential,
    encoded,
    find_counter,
)

log = structlog.get_logger(__name__)

METHOD = "passkey"
MOST = 10
"""Passkeys of one person."""
COPIED = "counter"
"""Why an assertion was refused whose counter went back: the key may have been copied."""
_TENANT_BYTES = 16


@dataclass(frozen=True)
class Passkey:
    """A row, opened. attested: the credential data as the authenticator made it."""

    row: Credential
    attested: bytes = field(repr=False)
    handle: bytes = field(repr=False)
    transports: Sequence[str] = ()

    @property
    def named(self) -> Named:
        return Named(credential_id_of(self.attested), self.transports)


@dataclass(frozen=True)
class Signing:
    """Where and for which challenge something was signed, and when it came.

    named: whether the page said which passkeys it takes, so that whose it is was known before.
    """

    site: Site
    challenge: bytes = field(repr=False)
    now: datetime
    named: bool = False


@dataclass(frozen=True)
class Signed:
    """What came of an assertion: the row that made it, or why none did."""

    row: Credential | None
    cause: str = "wrong"


def handle_of(user: User) -> bytes:
    """What authenticators know this person by; the same for all of their passkeys."""
    keys = tenant_keys()
    return keys.tenant.bytes + keys.mac("passkey handle", user.pk)


def tenant_of_handle(handle: bytes | None) -> UUID | None:
    """The tenant that a handle names; it proves nothing yet."""
    if handle is None or len(handle) != len(UUID(int=0).bytes) + 32:
        return None
    return UUID(bytes=handle[:_TENANT_BYTES])


def lookup_of(credential_id: bytes) -> bytes:
    return credential_lookup(METHOD, credential_id.hex())


def new_passkey(
    user: User, site: Site, made: NewCredential, name: str, *, now: datetime
) -> Credential:
    """A row for a passkey that was just made, not saved yet."""
    row = Credential(
        user=user,
        method=METHOD,
        name=name,
        site=site.host,
        lookup=lookup_of(made.credential_id),
        counter=made.counter,
        confirmed_at=now,
        created_at=now,
    )
    kept = {
        "attested": encoded(made.attested),
        "handle": encoded(handle_of(user)),
        "transports": list(made.transports),
    }
    row.write(json.dumps(kept))
    return row


def find_opened(row: Credential) -> Passkey | None:
    """The row opened; nothing, and a word to the operator, when it was tampered with."""
    try:
        kept: dict[str, Any] = json.loads(row.read().reveal())
        return Passkey(
            row, decoded(kept["attested"]), decoded(kept["handle"]), tuple(kept["transports"])
        )
    except SealBroken:
        log.error("passkey_unreadable", credential=str(row.pk))
        return None


def opened(rows: Sequence[Credential]) -> list[Passkey]:
    """Those of the rows that open."""
    return [passkey for row in rows if (passkey := find_opened(row)) is not None]


def judge(rows: Sequence[Credential], assertion: Assertion | None, signing: Signing) -> Signed:
    """Whether one of these passkeys made the assertion, here and for this challenge.

    With none of them as much is compared. A counter that did not rise is refused, and told.
    """
    if assertion is None:
        return Signed(None)
    lookup = lookup_of(assertion.credential_id)
    row = next((row for row in rows if hmac.compare_digest(bytes(row.lookup or b""), lookup)), None)
    passkey = find_opened(row) if row is not None else None
    attested = passkey.attested if passkey is not None else decoy_credential()
    counter = find_counter(assertion, signing.site, signing.challenge, attested)
    if passkey is None or counter is None or passkey.row.site != signing.site.host:
        return Signed(None)
    if not _is_owners(passkey, assertion.user_handle, named=signing.named):
        return Signed(None)
    if not _spend(passkey.row, counter, signing.now):
        return Signed(passkey.row, COPIED)
    return Signed(passkey.row, "")


def _is_owners(passkey: Passkey, handle: bytes | None, *, named: bool) -> bool:
    """An authenticator may leave the handle out where it was told which passkeys are meant."""
    if handle is None:
        return named
    return hmac.compare_digest(handle, passkey.handle)


def _spend(row: Credential, counter: int, now: datetime) -> bool:
    """Keeps the counter; it has to rise, unless the authenticator does not count at all."""
    rows = Credential.objects.filter(pk=row.pk)
    rows = rows.filter(counter__lt=counter) if counter else rows.filter(counter__lte=0)
    return bool(rows.update(counter=counter, used_at=now))


def tell_copied(row: Credential, *, now: datetime, reference: str = "", address: str = "") -> None:
    """Records that a passkey's counter went back and writes to its person, once an hour."""
    once = Count(LIMITS["alarms"], f"passkey counter {row.pk}")
    user: User | None = row.user
    if user is None or count_up([once], now).blocked is not None:
        return
    audit.record(
        "method.copy_suspected",
        actor=Party("anonymous", None, ""),
        target=Party("user", user.pk, user.user_id),
        result="denied",
        data={"method": METHOD, "name": row.name},
        reference=reference,
        address=address,
        now=now,
    )
    first = next(iter(Tenant.objects.get().languages), settings.LANGUAGE_CODE)
    for mailbox in notice_addresses(user, ContactPoint.objects.filter(user=user)):
        notify(
            "passkey_refused",
            "email",
            Recipient(mailbox, user.language or first, user.display_name),
            {"name": user.display_name, "when": now.isoformat(), "passkey": row.name},
            now=now,
            reference=reference,
        )


def rows_of(user: User) -> list[Credential]:
    """The person's passkeys of every host, oldest first."""
    return list(Credential.objects.filter(user=user, method=METHOD).order_by("created_at"))


def accepted_passkeys(user: User, site: Site) -> dict[str, Any]:
    """What `signalAllAcceptedCredentials` takes: the browser forgets all others of this person."""
    found = opened([row for row in rows_of(user) if row.site == site.host])
    return {
        "rpId": site.host,
        "userId": encoded(handle_of(user)),
        "allAcceptedCredentialIds": [encoded(one.named.id) for one in found],
    }
