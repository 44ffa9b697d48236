"""What the apps below report: here it ends the journey it is about."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.dispatch import receiver

from accounts.signals import repudiated

from .flow import OPEN_STATES, State
from .models import Challenge
from .services.common import step_in
from .services.locking import find_locked
from .services.proofs import refuse_repudiated


@receiver(repudiated)
def end_repudiated(tenant: UUID, challenge: UUID, now: datetime, **more: Any) -> None:
    """Somebody said in the authenticator that the journey which asked is not theirs."""
    with step_in(tenant) as changes:
        asked: Challenge | None = Challenge.objects.filter(pk=challenge).first()
        flow = find_locked(asked.flow_id) if asked is not None else None
        if asked is not None and flow is not None and State(flow.state) in OPEN_STATES:
            refuse_repudiated(flow, asked.method, now, changes)
