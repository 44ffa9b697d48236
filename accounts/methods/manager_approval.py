"""`manager_approval`: somebody the person works with confirms that it is them."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from tenants.keys import tenant_keys
from tenants.masking import masked_name
from tenants.together import Changes

from ..approvals import ask_approver, find_answer, find_approver
from ..models import Approval
from ..people import Belongings
from .base import WRONG, Answer, Asked, Asks, MethodContext, Problem, Registration, Typed, Verdict

METHOD = "manager_approval"


class ManagerApproval(Typed):
    """The word of the manager, or of the colleague whom the tenant names."""

    key = METHOD
    asks: Asks = "approval"
    sends = False
    contact: Literal["", "email", "phone"] = ""
    reaches_out = True
    limits = ("approval_requests",)

    def registrations(self, own: Belongings, context: MethodContext) -> Sequence[Registration]:
        approver = find_approver(own)
        if approver is None:
            return ()
        return (
            Registration(
                method=METHOD,
                anchor=tenant_keys().mac("anchor", METHOD, approver.user.pk, own.user.pk),
                evidence=(_evidence(own),),
                hint=masked_name(approver.user.display_name),
            ),
        )

    def problem(self, answer: Answer) -> Problem:
        """Nothing is typed here."""
        return ""

    def begin(
        self, own: Belongings | None, asked: Asked, context: MethodContext, changes: Changes
    ) -> None:
        ask_approver(own, asked, context, changes)

    def is_waiting(self, asked: Asked, context: MethodContext) -> bool:
        row = find_answer(asked)
        return row is not None and row.decision == Approval.Decision.WAITING

    def prompt(
        self, own: Belongings | None, asked: Asked, context: MethodContext
    ) -> Mapping[str, Any]:
        """The reference, which the person says to the approver."""
        return {"reference": asked.reference}

    def verify(
        self,
        own: Belongings | None,
        asked: Asked,
        answer: Answer,
        context: MethodContext,
        changes: Changes | None = None,
    ) -> Verdict:
        row = find_answer(asked)
        if row is None or own is None or row.user_id != own.user.pk:
            return WRONG
        if row.decision == Approval.Decision.DENIED:
            return Verdict(right=False, cause="denied", ends=row.decided_at is not None)
        approver = find_approver(own)
        if approver is None or approver.user.pk != row.approver_id:
            return WRONG
        approved = Approval.objects.filter(
            pk=row.pk, decision=Approval.Decision.APPROVED, used_at=None
        )
        if not approved.update(used_at=context.now):
            return WRONG
        return Verdict(right=True, evidence=_evidence(own))


def _evidence(own: Belongings) -> str:
    """Names the approver: with another manager on file a gate that this one opened is void."""
    approver = find_approver(own)
    return f"approver:{approver.user.pk}" if approver is not None else ""
