"""Any provider that takes one HTTP POST: JSON or a form, with a secret in a header."""

import json
import re
from collections.abc import Mapping
from typing import Any

from ..outbound import OutboundFailed, OutboundRefused, check_url, post
from .base import Config, PhoneMessage, Problems, not_reached, refused, text_problem, unknown_keys

KEYS = frozenset({"url", "format", "body", "auth_header", "auth_value"})
VARIABLES = ("to", "text", "language", "channel", "id", "extension")
HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,60}")
RESERVED_HEADERS = frozenset({"host", "content-length", "content-type", "transfer-encoding"})
_PLACE = re.compile(r"\{([^{}]*)\}")


def problems(channel: str, config: Config) -> Problems:
    return [
        *unknown_keys(config, KEYS),
        *_url_problems(config),
        *_body_problems(config),
        *_header_problems(config),
    ]


def _url_problems(config: Config) -> Problems:
    found = text_problem(config, "url", "Write the https address the provider takes messages at.")
    if found:
        return found
    try:
        check_url(config["url"])
    except OutboundRefused as problem:
        return [("url", problem.fix)]
    return []


def _body_problems(config: Config) -> Problems:
    if config.get("format", "json") not in {"json", "form"}:
        return [("format", "Use json or form.")]
    body = config.get("body")
    if not isinstance(body, Mapping) or not all(isinstance(text, str) for text in body.values()):
        return [("body", 'Write the fields, such as {to = "{to}", message = "{text}"}.')]
    used = {name for text in body.values() for name in _PLACE.findall(text)}
    if not used <= set(VARIABLES):
        known = ", ".join("{" + name + "}" for name in VARIABLES)
        return [("body", f"Use only {known}.")]
    if not {"to", "text"} <= used:
        return [("body", "Use both {to} and {text}.")]
    return []


def _header_problems(config: Config) -> Problems:
    name, value = config.get("auth_header", ""), config.get("auth_value", "")
    if not name and not value:
        return []
    if not isinstance(name, str) or not HEADER_NAME.fullmatch(name):
        return [("auth_header", "Write the name of one header, such as Authorization.")]
    if name.lower() in RESERVED_HEADERS:
        return [("auth_header", "Choose a header that carries the secret, not one of HTTP itself.")]
    fix = "Write what the header carries, in one line of ASCII, such as Bearer and the secret."
    if not isinstance(value, str) or not value.isascii():
        return [("auth_value", fix)]
    return text_problem(config, "auth_value", fix)


def deliver(request: PhoneMessage, config: Config) -> str:
    headers = {"Idempotency-Key": request.idempotency_key}
    if config.get("auth_header"):
        headers[config["auth_header"]] = config["auth_value"]
    fields = filled(config["body"], request)
    is_form = config.get("format", "json") == "form"
    try:
        answer = post(
            config["url"],
            headers=headers,
            form=fields if is_form else None,
            json=None if is_form else fields,
        )
    except (OutboundFailed, OutboundRefused) as problem:
        raise not_reached(problem) from None
    if not 200 <= answer.status < 300:
        raise refused(answer, f"http_{answer.status}")
    return _find_id(answer.body)


def filled(body: Mapping[str, str], request: PhoneMessage) -> dict[str, str]:
    """The fields with every variable replaced once; what was put in is data (R-29)."""
    values = {
        "to": request.to,
        "text": request.text,
        "language": request.language,
        "channel": request.channel,
        "id": request.idempotency_key,
        "extension": request.extension,
    }
    return {
        key: _PLACE.sub(lambda place: values.get(place[1], ""), text) for key, text in body.items()
    }


def _find_id(body: bytes) -> str:
    try:
        content: Any = json.loads(body)
    except ValueError:
        return ""
    found = content.get("id") if isinstance(content, dict) else None
    is_id = isinstance(found, str | int) and not isinstance(found, bool)
    return str(found) if is_id and str(found).isprintable() else ""
