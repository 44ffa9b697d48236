"""Shared by the methods that send a code: the code is derived, so comparing needs no row."""

import hmac

from tenants.keys import CODE_DIGITS, tenant_keys

from ..models import ContactPoint
from ..people import Belongings
from .base import WRONG, Answer, Asked, MethodContext, Verdict, typed_code


def contact_evidence(contact: ContactPoint) -> str:
    return f"contact:{contact.id}:{contact.version}"


def verify_sent_code(
    contact: ContactPoint | None, asked: Asked, answer: Answer, context: MethodContext
) -> Verdict:
    """Compares in constant time; a decoy compares too and is never right."""
    typed = typed_code(answer.code.reveal())
    expected = tenant_keys().code(asked.nonce, asked.bound_to).reveal()
    same = hmac.compare_digest(typed.encode(), expected.encode())
    if contact is None or not same or len(typed) != CODE_DIGITS:
        return WRONG
    return Verdict(right=True, evidence=contact_evidence(contact))


def find_contact(own: Belongings | None, kind: str) -> ContactPoint | None:
    return own.contacts.get(kind) if own is not None else None
