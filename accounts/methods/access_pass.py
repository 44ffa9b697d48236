"""`temporary_access_pass`: what the help desk gave somebody whose identity it made sure of."""

from collections.abc import Sequence
from typing import Literal

from tenants.keys import tenant_keys
from tenants.limits import FLOW_LIFETIME
from tenants.together import Changes

from ..models import Credential
from ..passes import METHOD, is_unused, spend
from ..people import Belongings
from .base import WRONG, Answer, Asked, Asks, MethodContext, Problem, Registration, Typed, Verdict
from .own_codes import typed_own_code


class TemporaryAccessPass(Typed):
    """The pass of a person, while it works."""

    key = METHOD
    asks: Asks = "code"
    sends = False
    contact: Literal["", "email", "phone"] = ""

    def registrations(self, own: Belongings, context: MethodContext) -> Sequence[Registration]:
        row = _find_pass(own)
        if row is None or not (is_unused(row, context.now) or _was_just_used(row, context)):
            return ()
        anchor = tenant_keys().mac("anchor", METHOD, own.user.pk)
        return (Registration(method=METHOD, anchor=anchor, evidence=(row.evidence,)),)

    def verify(
        self,
        own: Belongings | None,
        asked: Asked,
        answer: Answer,
        context: MethodContext,
        changes: Changes | None = None,
    ) -> Verdict:
        row = _find_pass(own) if own is not None else None
        if not spend(row, answer.code.reveal(), now=context.now) or row is None:
            return WRONG
        return Verdict(right=True, evidence=row.evidence)

    def problem(self, answer: Answer) -> Problem:
        if not answer.code.reveal().strip():
            return "missing"
        return "" if typed_own_code(answer.code.reveal()) else "malformed"


def _find_pass(own: Belongings) -> Credential | None:
    """The newest: a new pass voids the one before."""
    rows = [row for row in own.credentials if row.method == METHOD]
    return rows[-1] if rows else None


def _was_just_used(row: Credential, context: MethodContext) -> bool:
    """The gate that was passed with it stands for as long as its journey can."""
    return row.used_at is not None and context.now - row.used_at < FLOW_LIFETIME
