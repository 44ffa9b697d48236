"""`mobile_phone` by text or call, `office_phone` by call."""

from collections.abc import Sequence
from typing import Literal

from tenants.masking import masked_phone
from tenants.together import Changes

from ..contacts import find_value
from ..models import ContactPoint
from ..people import Belongings
from .base import Answer, Asked, Asks, MethodContext, Registration, Typed, Verdict
from .sent_code import contact_evidence, find_contact, verify_sent_code


class _Phone(Typed):
    """Six digits to a number; text and call to one number are one anchor (R-11)."""

    key: str
    kind: str
    channels: tuple[str, ...]
    asks: Asks = "code"
    sends = True
    contact: Literal["", "email", "phone"] = "phone"

    def registrations(self, own: Belongings, context: MethodContext) -> Sequence[Registration]:
        row = find_contact(own, self.kind)
        number = find_value(row) if row is not None else None
        if row is None or number is None:
            return ()
        return (
            Registration(
                method=self.key,
                anchor=bytes(row.lookup),
                evidence=(contact_evidence(row),),
                channels=self.channels,
                hint=masked_phone(number),
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
        return verify_sent_code(find_contact(own, self.kind), asked, answer, context)


class MobilePhone(_Phone):
    key = "mobile_phone"
    kind = ContactPoint.Kind.MOBILE_PHONE.value
    channels = ("sms", "voice")


class OfficePhone(_Phone):
    key = "office_phone"
    kind = ContactPoint.Kind.OFFICE_PHONE.value
    channels = ("voice",)
