"""Whether anything drains the queues: the worker leaves a sign of life, at most every 10 s."""

from datetime import datetime, timedelta

from .models import Heartbeat
from .statements import run
from .together import stored

WORKER = "worker"
EVERY = timedelta(seconds=10)
_BEAT = (
    "INSERT INTO tenants_heartbeat (name, beat_at) SELECT %s, %s WHERE NOT EXISTS"
    " (SELECT 1 FROM tenants_heartbeat WHERE name = %s AND beat_at >= %s)"
    " ON CONFLICT (name) DO UPDATE SET beat_at = excluded.beat_at"
)


def beat(now: datetime) -> int:
    """Notes that the worker is at work. It is no work of its own, so the answer is always 0."""
    run(_BEAT, [WORKER, stored(now), WORKER, stored(now - EVERY)]).close()
    return 0


def last_beat() -> datetime | None:
    """When the worker was last at work; nothing when it never was."""
    return Heartbeat.objects.filter(name=WORKER).values_list("beat_at", flat=True).first()
