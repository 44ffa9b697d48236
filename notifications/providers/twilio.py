"""Twilio's REST interface: text messages, and calls that speak."""

import json
import re
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from ..outbound import Answer, OutboundFailed, OutboundRefused, check_url, post
from .base import Config, PhoneMessage, Problems, not_reached, refused, text_problem, unknown_keys

KEYS = frozenset({"account_sid", "auth_token", "from", "messaging_service_sid", "base_url"})
BASE_URL = "https://api.twilio.com"
ACCOUNT = re.compile(r"AC[0-9a-fA-F]{32}")
SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")
SENDER = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}|[A-Za-z0-9 ]{1,11}")
CALLER = re.compile(r"\+[1-9][0-9]{6,14}")

# Attributes of <Say>: languages as Twilio names them; Arabic is spoken by one voice only.
SPOKEN = {
    "en": {"language": "en-US"},
    "es": {"language": "es-ES"},
    "de": {"language": "de-DE"},
    "fr": {"language": "fr-FR"},
    "ar": {"language": "arb", "voice": "Polly.Zeina"},
}


def problems(channel: str, config: Config) -> Problems:
    found = unknown_keys(config, KEYS)
    if not ACCOUNT.fullmatch(str(config.get("account_sid", ""))):
        found.append(("account_sid", "Copy the Account SID: AC and 32 hexadecimal digits."))
    found += text_problem(config, "auth_token", "Copy the auth token of the account.")
    found += _sender_problems(channel, config)
    try:
        check_url(str(config.get("base_url") or BASE_URL))
    except OutboundRefused as problem:
        found.append(("base_url", problem.fix))
    return found


def _sender_problems(channel: str, config: Config) -> Problems:
    sender, service = str(config.get("from", "")), str(config.get("messaging_service_sid", ""))
    if channel == "voice":
        return _caller_problems(sender, service)
    if bool(sender) == bool(service):
        return [("from", "Set either from or messaging_service_sid.")]
    if sender and not SENDER.fullmatch(sender):
        return [("from", "Write a number such as +14255550100, a short code or a sender name.")]
    if service and not SERVICE.fullmatch(service):
        return [("messaging_service_sid", "Copy the SID: MG and 32 hexadecimal digits.")]
    return []


def _caller_problems(sender: str, service: str) -> Problems:
    if service:
        return [("messaging_service_sid", "Remove it; calls need a number under from.")]
    if not CALLER.fullmatch(sender):
        return [("from", "Write the number that calls, such as +14255550100.")]
    return []


def deliver(request: PhoneMessage, config: Config) -> str:
    resource, form = _call(request) if request.channel == "voice" else _text(request)
    if config.get("messaging_service_sid"):
        form["MessagingServiceSid"] = config["messaging_service_sid"]
    else:
        form["From"] = config["from"]
    base = str(config.get("base_url") or BASE_URL).rstrip("/")
    account = config["account_sid"]
    try:
        answer = post(
            f"{base}/2010-04-01/Accounts/{account}/{resource}.json",
            form=form,
            basic_auth=(account, config["auth_token"]),
        )
    except (OutboundFailed, OutboundRefused) as problem:
        raise not_reached(problem) from None
    content = _content(answer)
    if not 200 <= answer.status < 300:
        code = content.get("code")
        known = isinstance(code, int) and not isinstance(code, bool)
        raise refused(answer, f"twilio_{code}" if known else f"http_{answer.status}")
    sid = content.get("sid")
    return sid if isinstance(sid, str) and sid.isalnum() else ""


def _text(request: PhoneMessage) -> tuple[str, dict[str, str]]:
    return "Messages", {"To": request.to, "Body": request.text}


def _call(request: PhoneMessage) -> tuple[str, dict[str, str]]:
    form = {"To": request.to, "Twiml": twiml(request.text, request.language)}
    if request.extension:
        # A "w" is half a second of waiting until the other side has picked up.
        form["SendDigits"] = f"ww{request.extension}"
    return "Calls", form


def twiml(text: str, language: str) -> str:
    """Speaks each line of the text, with a second of silence between two."""
    attributes = SPOKEN.get(language, SPOKEN["en"])
    written = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    spoken = '<Pause length="1"/>'.join(f"<Say{written}>{escape(line)}</Say>" for line in lines)
    return f"<Response>{spoken}</Response>"


def _content(answer: Answer) -> dict[str, Any]:
    try:
        content: Any = json.loads(answer.body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
