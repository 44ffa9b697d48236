"""Requests for approval as methods make them, without a journey around them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from accounts.authenticator.approvals import number_of
from accounts.methods.base import Answer, Asked, MethodContext, Verdict
from accounts.methods.registry import get_method
from accounts.models import ApprovalRequest, User
from accounts.people import belongings_of
from tenants.together import Changes
from tests.cast import Organisation

METHOD = get_method("app_notification")


def context(now: datetime | None = None) -> MethodContext:
    return MethodContext(now or timezone.now(), frozenset(), 3, ())


@dataclass(frozen=True)
class Question:
    """One request that was made for somebody."""

    organisation: Organisation
    asked: Asked
    user: User | None

    @property
    def number(self) -> str:
        with self.organisation.inside():
            return number_of(self.asked)

    @property
    def wrong_number(self) -> str:
        return str(10 + (int(self.number) - 9) % 90)

    @property
    def row(self) -> ApprovalRequest:
        with self.organisation.inside():
            found: ApprovalRequest = ApprovalRequest.objects.get(challenge=self.asked.challenge)
            return found

    def shown(self) -> dict[str, Any]:
        """As `pending` shows it, for whoever is not shown it."""
        row = self.row
        return {
            "id": str(row.pk),
            "challenge": str(row.challenge),
            "tenant": str(row.tenant_id),
        }

    def verdict(self, now: datetime | None = None) -> Verdict:
        with self.organisation.inside():
            own = belongings_of(self.user) if self.user is not None else None
            return METHOD.verify(own, self.asked, Answer(), context(now))

    def is_waiting(self, now: datetime | None = None) -> bool:
        with self.organisation.inside():
            return METHOD.is_waiting(self.asked, context(now))


def ask(
    organisation: Organisation, user: User | None, *, now: datetime | None = None, **more: Any
) -> Question:
    """Makes a request for somebody's devices, for nobody a decoy."""
    challenge: UUID = uuid4()
    asked = Asked(
        challenge.bytes,
        b"bound to " + challenge.bytes,
        challenge=challenge,
        reference="K7M4-92QX",
        address="192.0.2.7",
        **more,
    )
    with organisation.inside():
        changes = Changes()
        own = belongings_of(user) if user is not None else None
        METHOD.begin(own, asked, context(now), changes)
        changes.write()
    return Question(organisation, asked, user)
