"""What the apps below report: here it ends the journey it is about."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.dispatch import receiver

from accounts.signals import repudiated
from tenants.together import Changes
from writeback.models import WritebackJob
from writeback.services.signing import register_grounds
from writeback.signals import job_finished

from .flow import OPEN_STATES, State
from .models import Challenge
from .services.common import step_in
from .services.directory_change import rests_on_change
from .services.directory_changed import land_change
from .services.locking import find_locked
from .services.ordered import land_order
from .services.proofs import refuse_repudiated
from .services.writing import rests_on_gates
from .services.written import land

register_grounds(WritebackJob.Purpose.RESET, rests_on_gates)
register_grounds(WritebackJob.Purpose.CHANGE, rests_on_change)


@receiver(repudiated)
def end_repudiated(tenant: UUID, challenge: UUID, now: datetime, **more: Any) -> None:
    """Somebody said in the authenticator that the journey which asked is not theirs."""
    with step_in(tenant) as changes:
        asked: Challenge | None = Challenge.objects.filter(pk=challenge).first()
        flow = find_locked(asked.flow_id) if asked is not None else None
        if asked is not None and flow is not None and State(flow.state) in OPEN_STATES:
            refuse_repudiated(flow, asked.method, now, changes)


@receiver(job_finished)
def land_journey(
    purpose: str,
    origin: UUID,
    attempt: int,
    jobs: Sequence[WritebackJob],
    now: datetime,
    changes: Changes,
    **more: Any,
) -> None:
    """The directories did what a journey, an administrator, or somebody who is signed in asked of
    them, or did not."""
    if purpose == WritebackJob.Purpose.RESET:
        land(origin, attempt, jobs, now, changes)
    elif purpose == WritebackJob.Purpose.ORDER:
        land_order(origin, jobs, now, changes)
    elif purpose == WritebackJob.Purpose.CHANGE:
        land_change(origin, jobs, now, changes)
