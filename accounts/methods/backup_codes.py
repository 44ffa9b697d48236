"""`backup_codes`: ten codes a person keeps on paper; each is right once."""

from collections.abc import Sequence
from typing import Literal

from tenants.keys import tenant_keys
from tenants.limits import FLOW_LIFETIME
from tenants.together import Changes

from ..backup_codes import LOW, METHOD, count_left, spend
from ..models import Credential
from ..people import Belongings
from ..telling import tell
from .base import WRONG, Answer, Asked, Asks, MethodContext, Problem, Registration, Typed, Verdict
from .own_codes import typed_own_code


class BackupCodes(Typed):
    """One of the codes of the person's set."""

    key = METHOD
    asks: Asks = "code"
    sends = False
    contact: Literal["", "email", "phone"] = ""

    def registrations(self, own: Belongings, context: MethodContext) -> Sequence[Registration]:
        row = _find_set(own, context)
        if row is None:
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
        row = _find_set(own, context) if own is not None else None
        if not spend(row, answer.code.reveal(), now=context.now) or own is None or row is None:
            return WRONG
        left = count_left(row)
        if left <= LOW:
            contacts = own.contacts.values()
            tell("backup_codes_low", own.user, contacts, {"count": left}, now=context.now)
        return Verdict(right=True, evidence=row.evidence)

    def problem(self, answer: Answer) -> Problem:
        if not answer.code.reveal().strip():
            return "missing"
        return "" if typed_own_code(answer.code.reveal()) else "malformed"


def _find_set(own: Belongings, context: MethodContext) -> Credential | None:
    """The set with codes left. One whose last code was just used still stands for the gate that
    was passed with it."""
    row = next(iter(own.credentials_for(METHOD, context.now)), None)
    if row is None:
        return None
    just_used = row.used_at is not None and context.now - row.used_at < FLOW_LIFETIME
    return row if count_left(row) or just_used else None
