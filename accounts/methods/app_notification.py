"""`app_notification`: approving in our own authenticator, with the two digits the page shows.

The decision is signed by the device over challenge, tenant, number and decision, and the signature
is checked again when the gate is passed, so that a row changed by hand approves nothing (R-17).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from notifications.push import subscriptions_of
from notifications.services import Recipient, notify, notify_nobody
from tenants.keys import tenant_keys
from tenants.rules import rules_of
from tenants.together import Changes

from ..authenticator.approvals import Asking, find_request, is_open, new_request, number_of
from ..authenticator.devices import METHOD, find_record
from ..authenticator.signing import decision_text, is_signed
from ..models import ApprovalRequest, Credential, User
from ..people import NOBODY, Belongings
from .base import (
    WRONG,
    Answer,
    Asked,
    Asks,
    MethodContext,
    Problem,
    Registration,
    Typed,
    Verdict,
)

APPROVE = "approve"
_State = ApprovalRequest.State


class AppNotification(Typed):
    """A request on every device of the person; the first answer counts."""

    key = METHOD
    asks: Asks = "approval"
    sends = False
    contact: Literal["", "email", "phone"] = ""
    reaches_out = True
    limits = ("approvals_in_journey", "approvals")

    def registrations(self, own: Belongings, context: MethodContext) -> Sequence[Registration]:
        devices = own.credentials_for(self.key, context.now)
        if not devices:
            return ()
        return (
            Registration(
                method=self.key,
                # The same as the app's codes: one app is one proof, whatever it answers with.
                anchor=tenant_keys().mac("anchor", "authenticator", own.user.pk),
                evidence=tuple(device.evidence for device in devices),
            ),
        )

    def problem(self, answer: Answer) -> Problem:
        """Nothing is typed on the page."""
        return ""

    def begin(
        self, own: Belongings | None, asked: Asked, context: MethodContext, changes: Changes
    ) -> None:
        user = own.user if own is not None else None
        changes.add(new_request(asked, Asking(user, purpose=asked.purpose), context.now))
        devices = own.credentials_for(self.key, context.now) if own is not None else ()
        addresses = subscriptions_of([device.pk for device in devices] or [NOBODY])
        _ring(user, addresses, asked, context, changes)

    def is_waiting(self, asked: Asked, context: MethodContext) -> bool:
        return is_open(find_request(asked.challenge), context.now)

    def prompt(
        self, own: Belongings | None, asked: Asked, context: MethodContext
    ) -> Mapping[str, Any]:
        return {"number": number_of(asked)}

    def verify(
        self,
        own: Belongings | None,
        asked: Asked,
        answer: Answer,
        context: MethodContext,
        changes: Changes | None = None,
    ) -> Verdict:
        request = find_request(asked.challenge)
        if own is None or request is None or request.user_id != own.user.pk:
            return WRONG
        if request.state == _State.REPUDIATED:
            return Verdict(right=False, cause="not_me", ends=True)
        if request.state != _State.APPROVED:
            return Verdict(right=False, cause=request.cause or request.state)
        for device in own.credentials_for(self.key, context.now):
            if approves(request, device, number_of(asked)):
                return Verdict(right=True, evidence=device.evidence)
        return WRONG


def approves(request: ApprovalRequest, device: Credential, number: str) -> bool:
    """Whether this very device signed an approval of the request with its number."""
    if request.state != _State.APPROVED or request.decided_by != device.pk:
        return False
    record = find_record(device)
    if record is None:
        return False
    text = decision_text(request.challenge, request.tenant_id, number, APPROVE)
    return is_signed(record.key, bytes(request.signature or b""), text)


def _ring(
    user: User | None,
    addresses: Sequence[str],
    asked: Asked,
    context: MethodContext,
    changes: Changes,
) -> None:
    """One message to each device that takes any, or one that goes nowhere."""
    if user is None or not addresses:
        notify_nobody("approval", now=context.now, reference=asked.reference, into=changes)
        return
    language = user.language or next(iter(rules_of().tenant.languages), "en")
    for address in addresses:
        notify(
            "approval",
            "push",
            Recipient(address, language),
            {},
            now=context.now,
            reference=asked.reference,
            into=changes,
        )
