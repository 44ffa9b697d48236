"""UNIFORM: same status, same headers in the same order, same cookies but for their content, and
the same body once what is random in every answer is masked.

    assert_uniform(stranger.walk, known.walk, typed=("nobody@…", "alice@…"))

`typed` are texts the attacker wrote, which a page may repeat. What is masked: ids of journeys,
references, form protection, challenges and ticket, clock times and countdowns.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http.cookies import SimpleCookie

from tests.security.lab.client import Answer

_MASKS = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    (
        re.compile(r'(name="(?:csrfmiddlewaretoken|ticket|who|challenge)" value=")[^"]*'),
        r"\1RANDOM",
    ),
    (re.compile(r'(data-challenge=")[^"]*'), r"\1RANDOM"),
    (re.compile(r"(&quot;challenge&quot;: &quot;)[\w-]*"), r"\1RANDOM"),
    (re.compile(r"\b[2-9A-Z]{4}-[2-9A-Z]{4}\b"), "REFERENCE"),
    (re.compile(r"\b\d{2}:\d{2}(?= UTC)"), "CLOCK"),
    (re.compile(r'(data-resend-in=")\d+'), r"\1SECONDS"),
)
_MOMENTARY = {"date", "expires", "content-length", "retry-after"}


@dataclass(frozen=True)
class Likeness:
    """What an attacker can compare of one answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    cookies: tuple[tuple[str, int, str], ...]
    body: str


def masked(text: str, typed: Iterable[str] = ()) -> str:
    """`text` without what differs in every answer, and without what the attacker typed."""
    for word in sorted(filter(None, typed), key=len, reverse=True):
        text = text.replace(word, "TYPED")
    for pattern, put in _MASKS:
        text = pattern.sub(put, text)
    return text


def likeness(answer: Answer, typed: Iterable[str] = ()) -> Likeness:
    said = list(typed)
    headers = tuple(
        (name.lower(), "" if name.lower() in _MOMENTARY else masked(value, said))
        for name, value in answer.headers
        if name.lower() != "set-cookie"
    )
    cookies = tuple(cookie for line in answer.set_cookies for cookie in _cookies(line))
    return Likeness(answer.status, headers, cookies, masked(answer.text, said))


def _cookies(line: str) -> Iterable[tuple[str, int, str]]:
    """Name, length and attributes of a cookie; when it ends is told by its max-age alone."""
    for name, morsel in SimpleCookie(line).items():
        kept = {key: value for key, value in morsel.items() if value and key != "expires"}
        yield name, len(morsel.value), repr(sorted(kept.items()))


def assert_uniform(
    one: Sequence[Answer] | Answer, other: Sequence[Answer] | Answer, typed: Iterable[str] = ()
) -> None:
    """Fails at the first difference of two answers, or of two walks answer by answer."""
    said = list(typed)
    ones = [one] if isinstance(one, Answer) else list(one)
    others = [other] if isinstance(other, Answer) else list(other)
    assert [(a.method, a.status) for a in ones] == [(a.method, a.status) for a in others]
    for mine, theirs in zip(ones, others, strict=True):
        left, right = likeness(mine, said), likeness(theirs, said)
        where = f"{mine.method} {mine.path}"
        assert left.headers == right.headers, where
        assert left.cookies == right.cookies, where
        assert left.body.splitlines() == right.body.splitlines(), where
