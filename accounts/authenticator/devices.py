"""Devices with our authenticator: credentials that hold a public key."""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from notifications.push import unsubscribe
from tenants.keys import SealBroken

from ..models import AuthenticatorDevice, Credential
from ..people import Belongings
from .signing import from_base64, to_base64

log = structlog.get_logger(__name__)

METHOD = "app_notification"
SEED_BYTES = 20
LONGEST_NAME = 40


@dataclass(frozen=True)
class Record:
    """What is sealed in the row of a device.

    key: its public key. app: the row with the seed of its codes. seed: the seed itself, until the
    device is proved. round: which approval proves it, the one after `rounds` others.
    """

    key: bytes
    app: UUID | None = None
    seed: bytes = b""
    round: UUID | None = None
    rounds: int = 0


def write_record(credential: Credential, record: Record) -> None:
    content = {
        "key": to_base64(record.key),
        "app": str(record.app) if record.app else "",
        "seed": to_base64(record.seed),
        "round": str(record.round) if record.round else "",
        "rounds": record.rounds,
    }
    credential.write(json.dumps(content))


def find_record(credential: Credential) -> Record | None:
    """Nothing where no device enrolled yet, and, with a word to the operator, where the row was
    tampered with."""
    try:
        found: dict[str, Any] = json.loads(credential.read().reveal())
    except SealBroken:
        log.error("credential_unreadable", credential=str(credential.pk))
        return None
    if not found.get("key"):
        return None
    return Record(
        key=from_base64(found["key"]),
        app=UUID(found["app"]) if found["app"] else None,
        seed=from_base64(found["seed"]),
        round=UUID(found["round"]) if found["round"] else None,
        rounds=int(found["rounds"]),
    )


def authenticators_of(own: Belongings, now: datetime) -> int:
    """How many authenticator apps a person has, ours and others; ours with its codes is one."""
    seeds = {device.pk for device in own.devices}
    records = [find_record(row) for row in own.credentials if _is_proved(row)]
    return len(seeds) + sum(record is None or record.app not in seeds for record in records)


def _is_proved(row: Credential) -> bool:
    return row.method == METHOD and row.confirmed_at is not None


def remove_device(credential: Credential) -> None:
    """The device answers nothing any more, and its codes are over."""
    record = find_record(credential)
    if record is not None and record.app is not None:
        AuthenticatorDevice.objects.filter(pk=record.app, user=credential.user_id).delete()
    remove_unproved([credential])


def remove_unproved(rows: Iterable[Credential]) -> None:
    found = [row.pk for row in rows]
    unsubscribe(found)
    Credential.objects.filter(pk__in=found).delete()


def readable_name(text: str) -> str:
    """A name as it is kept: one line of signs that can be seen, not too long."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(shown.split())[:LONGEST_NAME].strip()


def base32(seed: bytes) -> str:
    return base64.b32encode(seed).decode().rstrip("=")
