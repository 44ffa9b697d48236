"""Requests for approval: made with a challenge, found again, taken back when it is over."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tenants.keys import tenant_keys
from tenants.limits import FLOW_LIFETIME
from tenants.together import Change, Changes, Given

from ..methods.base import Asked
from ..models import ApprovalRequest, User

PENDING = ApprovalRequest.State.PENDING
CANCELLED = ApprovalRequest.State.CANCELLED
LOWEST, NUMBERS = 10, 90


@dataclass(frozen=True)
class Asking:
    """For whom and for which device a request is made; nobody for a decoy."""

    user: User | None
    meant_for: UUID | None = None
    purpose: str = ApprovalRequest.Purpose.RESET.value


def number_of(asked: Asked) -> str:
    """The two digits the page shows: derived from the challenge, kept nowhere."""
    code = tenant_keys().code(asked.nonce, b"number" + asked.bound_to).reveal()
    return str(LOWEST + int(code) % NUMBERS)


def number_mac(challenge: UUID, number: str) -> bytes:
    """What is kept of the number: two digits are few, so without the key it tells nothing."""
    return tenant_keys().mac("approval number", challenge, number)


def new_request(asked: Asked, asking: Asking, now: datetime) -> ApprovalRequest:
    """A request for this challenge, which the caller writes. Raises LookupError without one."""
    if asked.challenge is None:
        raise LookupError("a request for approval belongs to a challenge")
    return ApprovalRequest(
        user=asking.user,
        challenge=asked.challenge,
        meant_for=asking.meant_for,
        purpose=asking.purpose,
        reference=asked.reference,
        address=asked.address,
        number_mac=number_mac(asked.challenge, number_of(asked)),
        created_at=now,
        expires_at=asked.expires_at or now + FLOW_LIFETIME,
    )


def find_request(challenge: UUID | None) -> ApprovalRequest | None:
    rows = ApprovalRequest.objects.filter(challenge=challenge) if challenge is not None else None
    found: ApprovalRequest | None = rows.first() if rows is not None else None
    return found


def is_open(request: ApprovalRequest | None, now: datetime) -> bool:
    """Whether it can still be answered."""
    return request is not None and request.state == PENDING and now < request.expires_at


_OF_JOURNEY = Change(
    lambda: ApprovalRequest.objects.filter(reference=Given("reference"), state=PENDING),
    state=CANCELLED,
    cause="journey_over",
)
_OF_PERSON = Change(
    lambda: ApprovalRequest.objects.filter(user=Given("user"), state=PENDING),
    state=CANCELLED,
    cause="password_reset",
)


def cancel_requests_of_journey(reference: str, changes: Changes) -> None:
    """What nobody waits for any more is shown on no device."""
    changes.execute(*_OF_JOURNEY.of(reference=reference))


def cancel_requests_of_person(user: UUID, changes: Changes) -> None:
    """After a reset nothing that was asked before can be approved (A-121)."""
    changes.execute(*_OF_PERSON.of(user=user))
