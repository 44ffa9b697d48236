"""What a device is asked, and what it answers. The first decision is final (R-17)."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q

from notifications.services import Recipient, notify
from tenants import audit
from tenants.audit import Party
from tenants.context import tenant_context
from tenants.models import Tenant

from ..contacts import administrators, notice_addresses, primary_addresses
from ..models import ApprovalRequest, Credential, User
from ..people import belongings_of
from ..signals import repudiated
from .approvals import PENDING, is_open, number_mac
from .callers import Caller, note_mismatch
from .devices import METHOD
from .signing import decision_text, from_base64, is_signed

PAUSE = timedelta(hours=24)
MOST_SHOWN = 10
DECISIONS = ("approve", "deny", "not_me")
_State = ApprovalRequest.State


@dataclass(frozen=True)
class Decision:
    """A device's answer; signature: its own over challenge, tenant, number and decision."""

    request: UUID
    decision: str
    number: str
    signature: str = field(repr=False)


def pending_for(caller: Caller, now: datetime) -> Sequence[ApprovalRequest]:
    """What this device may answer now, oldest first; never with the number."""
    with tenant_context(caller.tenant):
        rows = ApprovalRequest.objects.filter(
            _meant_for(caller), user=caller.user, state=PENDING, expires_at__gt=now
        )
        return list(rows.order_by("created_at")[:MOST_SHOWN])


def decide(caller: Caller, decision: Decision, now: datetime) -> str:
    """What came of an answer: approved, denied, wrong_number, not_me, over (answered before, or
    too late), or mismatch (this device has no right to answer, or did not sign this)."""
    with tenant_context(caller.tenant):
        row = (
            ApprovalRequest.objects.select_for_update(of=("self",))
            .select_related("user")
            .filter(pk=decision.request)
            .first()
        )
        cause = _mismatch(caller, row, decision)
        if row is None or cause:
            device = str(caller.credential.pk)
            party = _party(caller.user)
            note_mismatch(row, cause, by=party, about=device, address=caller.address, now=now)
            return "mismatch"
        if not is_open(row, now):
            return "over"
        outcome = _settle(caller, row, decision, now)
    if outcome == "not_me":
        # In a transaction of its own: journeys are locked before their requests everywhere else.
        repudiated.send(ApprovalRequest, tenant=caller.tenant, challenge=row.challenge, now=now)
    return outcome


def _meant_for(caller: Caller) -> Q:
    own = Q(meant_for=caller.credential.pk)
    return own | Q(meant_for=None) if caller.is_proved else own


def _mismatch(caller: Caller, row: ApprovalRequest | None, decision: Decision) -> str:
    """Why this device may not answer; "" when it may."""
    if row is None or row.user_id != caller.user.pk:
        return "request"
    anybody = row.meant_for is None and caller.is_proved
    if not anybody and row.meant_for != caller.credential.pk:
        return "device"
    text = decision_text(row.challenge, caller.tenant, decision.number, decision.decision)
    signed = is_signed(caller.record.key, from_base64(decision.signature), text)
    return "" if signed else "signature"


def _settle(caller: Caller, row: ApprovalRequest, decision: Decision, now: datetime) -> str:
    """Writes the one decision; the row is locked."""
    outcome = _outcome(row, decision)
    row.state = {
        "approved": _State.APPROVED,
        "denied": _State.DENIED,
        "not_me": _State.REPUDIATED,
    }.get(outcome, _State.CANCELLED)
    row.cause = "" if outcome == "approved" else outcome
    row.decided_by, row.decided_at = caller.credential.pk, now
    row.signature = from_base64(decision.signature)
    row.save(update_fields=["state", "cause", "decided_by", "decided_at", "signature"])
    Credential.objects.filter(pk=caller.credential.pk).update(used_at=now)
    _record(caller, row, "push.answered", now, {"decision": outcome, "purpose": row.purpose})
    if outcome == "not_me":
        _report(caller, row, now)
    return outcome


def _outcome(row: ApprovalRequest, decision: Decision) -> str:
    if decision.decision != "approve":
        return {"deny": "denied"}.get(decision.decision, "not_me")
    expected, given = bytes(row.number_mac), number_mac(row.challenge, decision.number)
    return "approved" if hmac.compare_digest(expected, given) else "wrong_number"


def _report(caller: Caller, row: ApprovalRequest, now: datetime) -> None:
    """Nothing is asked on any device of this person for a day; everybody concerned is told."""
    until = now + PAUSE
    Credential.objects.filter(user=caller.user, method=METHOD).update(paused_until=until)
    others = ApprovalRequest.objects.filter(user=caller.user, state=PENDING)
    others.update(state=_State.CANCELLED, cause="not_me", decided_at=now)
    found = {"purpose": row.purpose, "until": until.isoformat()}
    _record(caller, row, "push.repudiated", now, found)
    _tell(caller.user, row.reference, until, now)


def _tell(user: User, reference: str, until: datetime, now: datetime) -> None:
    first = next(iter(Tenant.objects.get().languages), settings.LANGUAGE_CODE)
    mailboxes = notice_addresses(user, belongings_of(user).contacts.values())
    to = [Recipient(address, user.language or first, user.display_name) for address in mailboxes]
    to += [
        Recipient(address, other.language or first, other.display_name)
        for other, address in primary_addresses(administrators(excluding=user)).items()
    ]
    facts = {
        "name": user.display_name or user.user_id,
        "when": now.isoformat(),
        "until": until.isoformat(),
    }
    for recipient in to:
        notify("approval_reported", "email", recipient, facts, now=now, reference=reference)


def _record(
    caller: Caller, row: ApprovalRequest, event_type: str, now: datetime, data: dict[str, str]
) -> None:
    approved = row.state == _State.APPROVED
    audit.record(
        event_type,
        actor=_party(caller.user),
        target=_party(caller.user),
        result="success" if approved or event_type == "push.repudiated" else "failure",
        data=data,
        reference=row.reference,
        address=caller.address,
        now=now,
    )


def _party(user: User) -> Party:
    return Party("user", user.pk, user.user_id)
