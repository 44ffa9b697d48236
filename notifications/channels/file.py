"""The file outbox of development and the demo: every message becomes a JSON file (design 5.3)."""

import json
import os
from collections.abc import Mapping
from datetime import UTC
from pathlib import Path
from typing import Any

from django.conf import settings

from tenants.secret import Secret

from .base import Delivery, DeliveryFailed, OutgoingMessage


class FileChannel:
    """Writes `<time>-<id>.json` to SSPR_OUTBOX_DIR instead of sending. The name follows from the
    row, so a message that is sent twice is still one file."""

    def send(self, message: OutgoingMessage) -> Delivery:
        created = message.created.astimezone(UTC)
        name = f"{created:%Y%m%dT%H%M%S.%fZ}-{message.id}.json"
        content = {
            "id": str(message.id),
            "tenant": message.tenant,
            "channel": message.channel,
            "kind": message.kind,
            "to": message.to.reveal(),
            "subject": message.subject,
            "text": message.text,
            "html": message.html,
            "data": {key: _shown(value) for key, value in message.data.items()},
            "created": created.isoformat(),
        }
        write_json(Path(settings.SSPR_OUTBOX_DIR), name, content)
        return Delivery(name)

    def close(self) -> None:
        """Holds nothing."""


def write_json(folder: Path, name: str, content: Mapping[str, Any]) -> None:
    """Writes a file that only its owner can read, and that nobody ever sees half written."""
    unfinished = folder / f".{name}.{os.getpid()}.part"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False, indent=2)
        unfinished.replace(folder / name)
    except OSError:
        raise DeliveryFailed("outbox_not_writable", permanent=False) from None


def _shown(value: object) -> object:
    return value.reveal() if isinstance(value, Secret) else value
