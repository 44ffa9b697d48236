"""The words of a message: text and HTML in the recipient's language, under the tenant's name.

What callers give is data: it is cleaned, escaped and put into our own templates, and never read as
a template itself (R-29).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.formats import date_format

from tenants.secret import Secret

from .kinds import EMAIL, NONE, PUSH, SMS, VOICE, Kind

Value = str | int | bool | datetime | Secret[str]

MOMENTS = frozenset({"when", "until"})
LINKS = frozenset(
    {
        "not_me_url",
        "register_url",
        "accept_url",
        "sign_in_url",
        "reset_url",
        "approve_url",
        "undo_url",
        "directory_url",
        "change_url",
    }
)
LINES = frozenset({"note", "words", "people"})
"""Facts of several lines, which templates get as a list."""

# Characters that turn the direction of a line, with which one address is made to look like another.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069\u061c\u200e\u200f]")
_GAPS = re.compile(r"\n{3,}")
_SHORT = (SMS, VOICE, PUSH)
_HOST = re.compile(r"[a-z0-9.-]{1,253}")


@dataclass(frozen=True)
class Rendered:
    """What is sent. A text message, call or push has neither subject nor HTML."""

    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)


def one_line(text: str) -> str:
    """Text for a line or a header: no line breaks, no control or direction characters."""
    if text.isprintable():  # which characters that turn the direction are not
        return " ".join(text.split())
    spaced = "".join(char if char.isprintable() else " " for char in _TURNING.sub("", text))
    return " ".join(spaced.split())


def paragraphs(text: str) -> list[str]:
    """Text in several lines, each as harmless as one."""
    lines = [one_line(line) for line in text.replace("\r\n", "\n").split("\n")]
    return [line for line in lines if line]


def supported_language(tag: str) -> str:
    """The language we speak for a tag: `es-us` → `es`, English for one we do not."""
    base = tag.strip().lower().replace("_", "-").partition("-")[0]
    return base if base in dict(settings.LANGUAGES) else str(settings.LANGUAGE_CODE)


def render(kind: Kind, channel: str, language: str, facts: Mapping[str, Value]) -> Rendered:
    """The words for one channel. A decoy is rendered like the first channel of its kind."""
    shape = kind.channels[0] if channel == NONE else channel
    with translation.override(supported_language(language)):
        context = _context(facts)
        if shape in _SHORT:
            return Rendered("", _text(kind.template(f"{shape}.txt"), context), "")
        context["subject"] = one_line(_text(kind.template("subject.txt"), context))
        return Rendered(
            subject=context["subject"],
            text=_text(kind.template("txt"), context) + "\n",
            html=_text(kind.template("html"), context) + "\n",
        )


def parts_of(kind: Kind) -> list[str]:
    """The names of the templates a kind needs."""
    mail = ["subject.txt", "txt", "html"] if EMAIL in kind.channels else []
    spoken = [f"{channel}.txt" for channel in kind.channels if channel in _SHORT]
    return [kind.template(part) for part in (*mail, *spoken)]


def _text(template: str, context: dict[str, Any]) -> str:
    return _GAPS.sub("\n\n", render_to_string(template, context)).strip()


def _context(facts: Mapping[str, Value]) -> dict[str, Any]:
    context: dict[str, Any] = {
        "language": translation.get_language(),
        "direction": "rtl" if translation.get_language_bidi() else "ltr",
    }
    for key, value in facts.items():
        context[key] = _shown(key, value)
    context["host"] = _host(str(context.get("host") or ""))
    return context


def _shown(key: str, value: Value) -> Any:
    if isinstance(value, datetime):
        return clock_time(value)
    if isinstance(value, Secret):
        return value.reveal()
    if key in LINES:
        return paragraphs(str(value))
    return one_line(value) if isinstance(value, str) else value


def clock_time(moment: datetime) -> str:
    """`20 November 2026, 13:55 UTC` in the language in force and the installation's zone."""
    local = moment.astimezone(ZoneInfo(settings.TIME_ZONE))
    # English dates differ by country; this order is read the same way everywhere.
    day = "j F Y" if translation.get_language() == "en" else "DATE_FORMAT"
    return f"{date_format(local, day)}, {local:%H:%M} {local.tzname()}"


def _host(host: str) -> str:
    """The host a phone may fill a code into: the shared one unless the caller names another."""
    name = host.lower().partition(":")[0]
    return name if _HOST.fullmatch(name) else urlsplit(settings.SSPR_BASE_URL).hostname or ""
