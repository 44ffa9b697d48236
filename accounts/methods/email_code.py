"""`email`: a code to the alternate mailbox. The primary one opens with the forgotten password."""

from collections.abc import Sequence
from typing import Literal

from tenants.masking import masked_email
from tenants.together import Changes

from ..contacts import find_value
from ..identifiers import mailbox_domain
from ..models import ContactPoint
from ..people import Belongings
from .base import Answer, Asked, Asks, MethodContext, Registration, Typed, Verdict
from .sent_code import contact_evidence, find_contact, verify_sent_code

CONTACT = ContactPoint.Kind.ALTERNATE_EMAIL.value


class EmailCode(Typed):
    """Six digits by mail."""

    key = "email"
    asks: Asks = "code"
    sends = True
    contact: Literal["", "email", "phone"] = "email"

    def registrations(self, own: Belongings, context: MethodContext) -> Sequence[Registration]:
        row = find_contact(own, CONTACT)
        address = find_value(row) if row is not None else None
        if row is None or address is None:
            return ()
        return (
            Registration(
                method=self.key,
                anchor=bytes(row.lookup),
                evidence=(contact_evidence(row),),
                channels=("email",),
                hint=masked_email(address),
                in_own_domain=mailbox_domain(address) in context.domains,
            ),
        )

    def verify(
        self,
        own: Belongings | None,
        asked: Asked,
        answer: Answer,
        context: MethodContext,
        changes: Changes | None = None,
    ) -> Verdict:
        return verify_sent_code(find_contact(own, CONTACT), asked, answer, context)
