"""`email`: another mailbox than the one behind the password."""

from collections.abc import Mapping
from typing import Any

from tenants.limits import MAX_CONTACT
from tenants.masking import masked_email
from tenants.rules import rules_of

from ...contact_checks import contact_problem
from ...contacts import find_value
from ...identifiers import canonical, canonical_mailbox, mailbox_domain
from ...models import ContactPoint, User
from ...people import Belongings
from ...signin.person import SignedIn
from .. import words
from ..contact_pages import ContactRegistrable, Typed


class EmailRegistrable(ContactRegistrable):
    """The alternate mailbox. A guest is known by theirs, so only administrators change it."""

    key = "email"
    kind = ContactPoint.Kind.ALTERNATE_EMAIL.value
    template = "email"
    fields = ("contact",)

    def is_fixed(self, user: User) -> bool:
        return bool(user.kind == User.Kind.GUEST)

    def mask(self, value: str) -> str:
        return masked_email(value)

    def form(self, person: SignedIn, own: Belongings) -> dict[str, Any]:
        return {}

    def channel_for(self, values: Mapping[str, str]) -> str:
        return "email"

    def read(self, values: Mapping[str, str], person: SignedIn, own: Belongings) -> Typed:
        address = values["contact"].strip()
        if not address:
            return Typed(errors={"contact": words.TYPE_EMAIL})
        if len(address) > MAX_CONTACT or contact_problem(self.key, address) is not None:
            return Typed(errors={"contact": words.BAD_EMAIL})
        if canonical_mailbox(address) in _own_mailboxes(person.user, own):
            return Typed(errors={"contact": words.OWN_MAILBOX})
        if mailbox_domain(address) in {domain.name for domain in rules_of(None).domains}:
            return Typed(errors={"contact": words.OWN_DOMAIN})
        return Typed(address, "email")


def _own_mailboxes(user: User, own: Belongings) -> set[str]:
    """Mailboxes that open with the password: the user ID, and the one mail arrives at."""
    found = {canonical_mailbox(canonical(user.user_id))}
    primary = own.contacts.get(ContactPoint.Kind.PRIMARY_EMAIL.value)
    value = find_value(primary) if primary is not None else None
    return {*found, canonical_mailbox(value)} if value is not None else found
