"""Whether worker and signer are at work: each leaves a sign of life, at most every 10 s."""

from datetime import datetime, timedelta

from .models import Heartbeat
from .statements import run
from .together import stored

WORKER, SIGNER = "worker", "signer"
EVERY = timedelta(seconds=10)
_BEAT = (
    "INSERT INTO tenants_heartbeat (name, beat_at) SELECT %s, %s WHERE NOT EXISTS"
    " (SELECT 1 FROM tenants_heartbeat WHERE name = %s AND beat_at >= %s)"
    " ON CONFLICT (name) DO UPDATE SET beat_at = excluded.beat_at"
)


def beat(now: datetime, name: str = WORKER) -> int:
    """Notes that it is at work. That is no work of its own, so the answer is always 0."""
    run(_BEAT, [name, stored(now), name, stored(now - EVERY)]).close()
    return 0


def last_beat(name: str = WORKER) -> datetime | None:
    """When it was last at work; nothing when it never was."""
    return Heartbeat.objects.filter(name=name).values_list("beat_at", flat=True).first()
