"""Who sends a signed request: which device, whose, and that it is not an old one sent again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from tenants.audit import Party, record
from tenants.context import tenant_context
from tenants.counters import Count, count_up
from tenants.limits import LIMITS
from tenants.models import Tenant

from ..models import ApprovalRequest, Credential, User
from .devices import METHOD, Record, find_record
from .signing import from_base64, is_signed, request_text

SKEW = timedelta(seconds=60)
MISMATCH = "push.device_mismatch"


@dataclass(frozen=True)
class Call:
    """A request as it arrived; stamp: milliseconds since 1970 by the device's clock, which only
    rise, so that each is used once."""

    device: str
    path: str
    body: bytes = field(repr=False)
    stamp: str
    signature: str = field(repr=False)
    address: str


@dataclass(frozen=True)
class Caller:
    """A device of the tenant, and its person as they are now."""

    tenant: UUID
    credential: Credential
    user: User
    record: Record
    address: str

    @property
    def is_proved(self) -> bool:
        return self.credential.confirmed_at is not None

    def is_paused(self, now: datetime) -> bool:
        until = self.credential.paused_until
        return until is not None and now < until


@dataclass(frozen=True)
class Unheard:
    """Why a request is not answered: unknown (no such device, or not signed by it), clock (its
    time is off), replayed (its stamp was used)."""

    cause: str


def identify(call: Call, host_tenant: UUID | None, now: datetime) -> Caller | Unheard:
    """The device that signed this request, whose stamp is spent with it, in a transaction of its
    own."""
    named = parse_device(call.device)
    if named is None or (host_tenant is not None and named[0] != host_tenant):
        return Unheard("unknown")
    with tenant_context(named[0]):
        caller = _find_caller(named, call, now)
        if caller is None:
            return Unheard("unknown")
        stamp = int(call.stamp)
        if abs(stamp - now.timestamp() * 1000) > SKEW.total_seconds() * 1000:
            return Unheard("clock")
        rows = Credential.objects.filter(pk=caller.credential.pk, counter__lt=stamp)
        return caller if rows.update(counter=stamp) else Unheard("replayed")


def parse_device(text: str) -> tuple[UUID, UUID] | None:
    """Tenant and row of a device's name; nothing for what is none."""
    head, dot, rest = text.partition(".")
    if not (dot and len(head) == 32 and len(rest) == 32):
        return None
    try:
        return UUID(hex=head), UUID(hex=rest)
    except ValueError:
        return None


def _find_caller(named: tuple[UUID, UUID], call: Call, now: datetime) -> Caller | None:
    organisation = Tenant.objects.filter(active=True).first()
    rows = Credential.objects.select_related("user").filter(pk=named[1], method=METHOD)
    credential = rows.first()
    if organisation is None or credential is None or not _is_alive(credential, now):
        return None
    found = find_record(credential)
    if found is None or not _is_number(call.stamp):
        return None
    text = request_text(call.device, call.path, call.body, int(call.stamp))
    if not is_signed(found.key, from_base64(call.signature), text):
        return None
    return Caller(named[0], credential, credential.user, found, call.address)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 15


def _is_alive(credential: Credential, now: datetime) -> bool:
    """Not too late to be proved, and its person enabled."""
    late = credential.expires_at is not None and credential.expires_at <= now
    return not late and credential.user is not None and credential.user.usable


def note_mismatch(
    request: ApprovalRequest | None,
    cause: str,
    *,
    by: Party,
    about: str,
    address: str,
    now: datetime,
) -> None:
    """One line in the trail of the tenant in force, once an hour for each request or device, so
    that nobody fills it."""
    if count_up([Count(LIMITS["alarms"], f"{MISMATCH} {about}")], now).blocked is not None:
        return
    owner = request.user if request is not None else None
    record(
        MISMATCH,
        actor=by,
        target=Party("user", owner.pk, owner.user_id) if owner is not None else None,
        result="denied",
        data={"cause": cause},
        reference=request.reference if request is not None else "",
        address=address,
        now=now,
    )


def note_stranger(tenant: UUID, request_id: UUID, *, address: str, now: datetime) -> None:
    """Somebody answered a request without being one of the tenant's devices."""
    with tenant_context(tenant):
        found = ApprovalRequest.objects.select_related("user").filter(pk=request_id).first()
        if found is not None:
            stranger = Party("anonymous", None, "")
            about = str(request_id)
            note_mismatch(found, "unknown", by=stranger, about=about, address=address, now=now)


def text_of(body: Mapping[str, object], name: str, most: int = 200) -> str:
    """A text of a JSON document; empty for anything else, and for one that is too long."""
    value = body.get(name, "")
    return value if isinstance(value, str) and len(value) <= most else ""
