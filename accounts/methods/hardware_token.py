"""`hardware_token`: the code of a device the organisation handed out (RFC 4226, RFC 6238)."""

from collections.abc import Sequence
from typing import Literal

from tenants.keys import tenant_keys
from tenants.together import Changes

from ..oath import DIGITS
from ..people import Belongings
from ..tokens import METHOD, is_right
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
    typed_code,
)


class HardwareToken(Typed):
    """The code of any of the person's tokens."""

    key = METHOD
    asks: Asks = "code"
    sends = False
    contact: Literal["", "email", "phone"] = ""

    def registrations(self, own: Belongings, context: MethodContext) -> Sequence[Registration]:
        rows = own.credentials_for(METHOD, context.now)
        if not rows:
            return ()
        anchor = tenant_keys().mac("anchor", METHOD, own.user.pk)
        evidence = tuple(row.evidence for row in rows)
        return (Registration(method=METHOD, anchor=anchor, evidence=evidence),)

    def verify(
        self,
        own: Belongings | None,
        asked: Asked,
        answer: Answer,
        context: MethodContext,
        changes: Changes | None = None,
    ) -> Verdict:
        typed = typed_code(answer.code.reveal())
        rows = own.credentials_for(METHOD, context.now) if own is not None else ()
        for row in rows or (None,):
            if is_right(row, typed, now=context.now) and row is not None:
                return Verdict(right=True, evidence=row.evidence)
        return WRONG

    def problem(self, answer: Answer) -> Problem:
        """Six digits or eight."""
        if not answer.code.reveal().strip():
            return "missing"
        return "" if len(typed_code(answer.code.reveal())) in DIGITS else "malformed"
