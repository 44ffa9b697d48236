"""`yubikey_otp`: one touch of a YubiKey, which types 44 characters."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from tenants.context import tenant_context
from tenants.keys import tenant_keys
from tenants.together import Changes

from ..models import Credential
from ..people import Belongings
from ..yubikey import Touch, find_touch
from ..yubikeys import (
    METHOD,
    find_inside,
    find_server_for,
    is_ours_and_right,
    lookup_of,
    told_of,
)
from .base import WRONG, Answer, Asked, Asks, MethodContext, Problem, Registration, Typed, Verdict

UNAVAILABLE = Verdict(right=False, cause="unavailable", excused=True)


class YubiKeyOtp(Typed):
    """A touch of any of the person's keys."""

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

    def consult(self, tenant: UUID, answer: Answer) -> Answer:
        """Asks the tenant's validation server, where the key is one of its keys."""
        touch = find_touch(answer.code.reveal())
        if touch is None:
            return answer
        with tenant_context(tenant):
            server = find_server_for(touch)
        return Answer(code=answer.code, told=told_of(touch, server) or "not_asked")

    def verify(
        self,
        own: Belongings | None,
        asked: Asked,
        answer: Answer,
        context: MethodContext,
        changes: Changes | None = None,
    ) -> Verdict:
        touch = find_touch(answer.code.reveal())
        rows = own.credentials_for(METHOD, context.now) if own is not None else ()
        lookup = lookup_of(touch.public_id if touch is not None else "")
        row = next((each for each in rows if bytes(each.lookup or b"") == lookup), None)
        if is_ours_and_right(row, touch, now=context.now) and row is not None:
            return Verdict(right=True, evidence=row.evidence)
        if row is None or touch is None:
            return WRONG
        return _verdict_of_server(row, touch, answer.told, context)

    def problem(self, answer: Answer) -> Problem:
        if not answer.code.reveal().strip():
            return "missing"
        return "" if find_touch(answer.code.reveal()) is not None else "malformed"


def _verdict_of_server(row: Credential, touch: Touch, told: str, context: MethodContext) -> Verdict:
    inside = find_inside(row)
    if inside is None or inside.is_ours:
        return WRONG
    said = told or told_of(touch, find_server_for(touch)) or "unavailable"
    if said == "ok":
        Credential.objects.filter(pk=row.pk).update(used_at=context.now)
        return Verdict(right=True, evidence=row.evidence)
    return WRONG if said == "refused" else UNAVAILABLE
