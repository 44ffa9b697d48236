"""What this app itself does when a job ends, and what its own jobs rest on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.dispatch import receiver

from tenants.together import Changes

from .models import WritebackJob
from .services.drills import go_on, rests_on_canary
from .services.signing import register_grounds
from .signals import job_finished

register_grounds(WritebackJob.Purpose.DRILL, rests_on_canary)


@receiver(job_finished)
def go_on_with_drill(
    purpose: str,
    origin: UUID,
    jobs: Sequence[WritebackJob],
    now: datetime,
    changes: Changes,
    **more: Any,
) -> None:
    """A drill's job ended."""
    if purpose == WritebackJob.Purpose.DRILL:
        go_on(origin, jobs, now, changes)
