"""Development only: real mail, but text messages and calls as files in a folder."""

from pathlib import Path

from django.conf import settings

from ..channels.base import DeliveryFailed
from ..channels.file import write_json
from .base import Config, PhoneMessage, Problems, text_problem, unknown_keys

KEYS = frozenset({"folder"})


def problems(channel: str, config: Config) -> Problems:
    found = unknown_keys(config, KEYS)
    found += text_problem(config, "folder", "Name the folder that receives the files.")
    if settings.SSPR_ENV != "development":
        found.append(("kind", "Use twilio or generic_http; files hold codes in the clear."))
    return found


def deliver(request: PhoneMessage, config: Config) -> str:
    if settings.SSPR_ENV != "development":
        raise DeliveryFailed("not_for_production", permanent=True)
    name = f"{request.idempotency_key}.json"
    content = {
        "id": request.idempotency_key,
        "channel": request.channel,
        "to": request.to,
        "extension": request.extension,
        "language": request.language,
        "text": request.text,
    }
    write_json(Path(config["folder"]), name, content)
    return name
