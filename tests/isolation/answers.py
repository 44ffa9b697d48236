"""Answers side by side: the same as for a random unknown id, after masking what differs always."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.cast import CANARY

MASKS = (
    (re.compile(r'(name="csrfmiddlewaretoken" value=")[^"]*'), r"\1"),
    (re.compile(r'(name="ticket" value=")[^"]*'), r"\1"),
    (re.compile(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b"), "REFERENCE"),
)
ORDERED = 7
"""The version of keys in the order of time."""
COOKIE_VALUE = re.compile(r"=[^;]*")
UNSTABLE = frozenset({"date", "server", "content-length", "connection", "expires"})


@dataclass(frozen=True)
class Seen:
    """What an answer shows to whoever compares: status, headers, cookies, text."""

    status: int
    headers: Mapping[str, str]
    cookies: tuple[str, ...]
    text: str


def seen(response: Any, *ids: UUID, more: Iterable[str] = ()) -> Seen:
    """The answer, with these ids in all their forms masked."""
    body = getattr(response, "content", b"")
    if getattr(response, "streaming", False):
        body = b"".join(response.streaming_content)
    headers = {
        name.lower(): masked(value, ids, more)
        for name, value in response.headers.items()
        if name.lower() not in UNSTABLE and name.lower() != "set-cookie"
    }
    cookies = tuple(sorted(getattr(response, "cookies", {}) or ()))
    return Seen(response.status_code, headers, cookies, masked(_text(body), ids, more))


def _text(body: bytes) -> str:
    return body.decode("utf-8", errors="replace")


def masked(text: str, ids: Iterable[UUID], more: Iterable[str] = ()) -> str:
    for named in ids:
        # The beginning of a key in the order of time is everybody's who was there that day.
        short = [] if named.version == ORDERED else [named.hex[:6]]
        for form in (str(named), named.hex, *short):
            text = text.replace(form, "ID")
    for word in more:
        text = text.replace(word, "WORD")
    for mask, replacement in MASKS:
        text = mask.sub(replacement, text)
    return text


def shows_canary(text: str) -> bool:
    return CANARY.lower() in text.lower()


def shows_any(text: str, ids: Iterable[UUID]) -> list[str]:
    """Those of the ids that stand in the text, in whatever form."""
    lower = text.lower()
    return [str(each) for each in ids if str(each) in lower or each.hex in lower]


def text_of(answer: Any) -> str:
    return "" if answer.streaming else answer.content.decode(errors="replace")
