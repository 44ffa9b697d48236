"""Whether anything drains the queues: the worker leaves a sign of life, at most every 10 s."""

from datetime import datetime, timedelta

from .models import Heartbeat

WORKER = "worker"
EVERY = timedelta(seconds=10)


def beat(now: datetime) -> int:
    """Notes that the worker is at work. It is no work of its own, so the answer is always 0."""
    known = Heartbeat.objects.filter(name=WORKER)
    if not known.filter(beat_at__lt=now - EVERY).update(beat_at=now) and not known.exists():
        Heartbeat.objects.get_or_create(name=WORKER, defaults={"beat_at": now})
    return 0


def last_beat() -> datetime | None:
    """When the worker was last at work; nothing when it never was."""
    return Heartbeat.objects.filter(name=WORKER).values_list("beat_at", flat=True).first()
