"""`external_identity`: a fresh sign-in at another service, with an account that was connected
before. The browser brings the answer back in a form; see `federation.redirections`."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from django.urls import reverse

from tenants.keys import tenant_keys
from tenants.together import Changes, Reading

from ..federation.redirections import METHOD, bound_to_challenge, take_answer
from ..models import IdentityProvider, Redirection
from ..people import Belongings
from .base import WRONG, Answer, Asked, Asks, MethodContext, Problem, Registration, Typed, Verdict

MAX_VALUE = 128
PROOF: str = Redirection.Purpose.PROOF
# Pages of a journey are read outside a transaction, where only a `Reading` finds rows.
_PROVIDERS = Reading(lambda: (IdentityProvider.objects.filter(is_enabled=True, proves=True),))


class ExternalIdentity(Typed):
    """Any of the person's connected accounts, at a provider that is trusted for this."""

    key = METHOD
    asks: Asks = "redirect"
    sends = False
    contact: Literal["", "email", "phone"] = ""

    def registrations(self, own: Belongings, context: MethodContext) -> Sequence[Registration]:
        rows = own.credentials_for(METHOD, context.now)
        if not rows:
            return ()
        return (
            Registration(
                method=METHOD,
                anchor=tenant_keys().mac("anchor", METHOD, own.user.pk),
                evidence=tuple(row.evidence for row in rows),
            ),
        )

    def problem(self, answer: Answer) -> Problem:
        """Without the value from the return nobody was away."""
        value = answer.assertion.reveal().strip()
        if not value:
            return "missing"
        return "" if len(value) <= MAX_VALUE and value.isascii() else "malformed"

    def verify(
        self,
        own: Belongings | None,
        asked: Asked,
        answer: Answer,
        context: MethodContext,
        changes: Changes | None = None,
    ) -> Verdict:
        value = answer.assertion.reveal().strip()
        if len(value) > MAX_VALUE or asked.challenge is None:
            return WRONG
        row = take_answer(PROOF, bound_to_challenge(asked.challenge), value, context.now)
        if own is None or row is None or not row.provider.proves or row.subject_lookup is None:
            return WRONG
        lookup, accounts = bytes(row.subject_lookup), own.credentials_for(METHOD, context.now)
        for credential in accounts:
            if credential.lookup is not None and bytes(credential.lookup) == lookup:
                return Verdict(right=True, evidence=credential.evidence)
        return Verdict(right=False, cause="other_identity") if accounts else WRONG

    def prompt(
        self, own: Belongings | None, asked: Asked, context: MethodContext
    ) -> Mapping[str, Any]:
        """All providers of the organisation that prove somebody, the same for everybody."""
        [rows] = _PROVIDERS.rows()
        keys = tenant_keys()
        challenge = asked.challenge.hex if asked.challenge is not None else ""
        ticket = f"{keys.tenant.hex}.{challenge}"
        return {
            "providers": [
                {"name": row.name, "url": reverse("federation:prove", args=[row.slug])}
                for row in sorted(rows, key=lambda row: str(row.name))
            ],
            "ticket": f"{ticket}.{keys.mac('redirection ticket', ticket).hex()}",
        }
