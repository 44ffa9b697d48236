"""`passkey`: an assertion of a passkey of the person, made on the site the person is on (R-18).

The challenge is derived from the challenge's nonce, so nothing has to be kept for it. Where nobody
may learn who exists the options name no passkeys; the browser then offers what it has, which is
all the same because every passkey here is one that the device keeps.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from tenants.keys import tenant_keys
from tenants.together import Changes

from ..models import Credential
from ..passkeys import COPIED, METHOD, Signing, judge, opened, tell_copied
from ..people import Belongings
from ..webauthn import find_assertion, find_site, request_options
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


class Passkey(Typed):
    """Any of the person's passkeys that was made on this site."""

    key = METHOD
    asks: Asks = "assertion"
    sends = False
    contact: Literal["", "email", "phone"] = ""

    def registrations(self, own: Belongings, context: MethodContext) -> Sequence[Registration]:
        rows = _rows(own, context)
        if not rows:
            return ()
        return (
            Registration(
                method=self.key,
                anchor=tenant_keys().mac("anchor", "passkey", own.user.pk),
                evidence=tuple(row.evidence for row in rows),
            ),
        )

    def problem(self, answer: Answer) -> Problem:
        text = answer.assertion.reveal()
        if not text.strip():
            return "missing"
        return "" if find_assertion(text) is not None else "malformed"

    def verify(
        self,
        own: Belongings | None,
        asked: Asked,
        answer: Answer,
        context: MethodContext,
        changes: Changes | None = None,
    ) -> Verdict:
        site = find_site(context.site)
        if site is None:
            return WRONG
        rows = _rows(own, context)
        signing = Signing(site, _challenge(asked), context.now, named=not context.concealed)
        signed = judge(rows, find_assertion(answer.assertion.reveal()), signing)
        if signed.row is None:
            return WRONG
        if signed.cause == COPIED:
            where = {"reference": asked.reference, "address": asked.address}
            tell_copied(signed.row, now=context.now, **where)
        if signed.cause:
            return Verdict(right=False, cause=signed.cause)
        return Verdict(right=True, evidence=signed.row.evidence)

    def prompt(
        self, own: Belongings | None, asked: Asked, context: MethodContext
    ) -> Mapping[str, Any]:
        """`options`: what the browser is asked with, as JSON; empty where passkeys can't work."""
        site = find_site(context.site)
        if site is None:
            return {"options": ""}
        named = () if context.concealed else [one.named for one in opened(_rows(own, context))]
        return {"options": json.dumps(request_options(site, _challenge(asked), named))}


def _rows(own: Belongings | None, context: MethodContext) -> Sequence[Credential]:
    """Those of this site; all of them where the site does not matter."""
    if own is None:
        return ()
    site = find_site(context.site)
    rows = own.credentials_for(METHOD, context.now)
    if not context.site:
        return rows
    return tuple(row for row in rows if site is not None and row.site == site.host)


def _challenge(asked: Asked) -> bytes:
    """32 bytes that no other challenge has."""
    return tenant_keys().mac("passkey challenge", asked.nonce.hex(), asked.bound_to.hex())
