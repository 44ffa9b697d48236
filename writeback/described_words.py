"""PURE. What a directory told of its rules and of a person, in words for administrators."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from .connectors.base import DirectoryRules

_MARKS: Sequence[tuple[str, bool, str]] = (
    ("protected", True, "protected: nothing can be changed from here"),
    ("enabled", False, "disabled"),
    ("locked", True, "locked"),
    ("must_change", True, "has to choose another password at the next sign-in"),
    ("may_reset", False, "the agent's account may not set the password"),
    ("may_unlock", False, "the agent's account may not unlock"),
)
"""Which mark, the value that is worth a word, and the word."""
_TIMES: Sequence[tuple[str, str]] = (
    ("changed_at", "password changed"),
    ("password_ends", "password ends"),
    ("account_ends", "account ends"),
)
NOTHING = "nothing remarkable"


def marks_in_words(person: Mapping[str, Any]) -> list[str]:
    """What `describe` found of a person, as `reports.person_read` takes it. At least one."""
    found = [words for name, worth, words in _MARKS if person.get(name) is worth]
    for name, words in _TIMES:
        moment = person.get(name)
        if moment is not None:
            found.append(f"{words} {datetime.fromisoformat(str(moment)):%Y-%m-%d %H:%M %Z}")
    return found or [NOTHING]


def rules_in_words(rules: DirectoryRules) -> list[tuple[str, str]]:
    """(rule, its value) of what the directory said; nothing for what it did not."""
    found = [
        ("Shortest password", _count(rules.min_length, "character")),
        ("Earlier passwords refused", _history(rules)),
        ("Kinds of characters", "three of four, without names" if rules.complexity else ""),
        ("Shortest age", _span(rules.min_age)),
        ("Longest age", _span(rules.max_age)),
        ("Wrong passwords before a lock", _count(rules.lockout_threshold, "try", "tries")),
        ("Length of a lock", _span(rules.lockout_duration)),
    ]
    return [(rule, value) for rule, value in found if value]


def _history(rules: DirectoryRules) -> str:
    if not rules.history:
        return ""
    return f"{rules.history}, at resets too" if rules.history_on_reset else str(rules.history)


def _count(number: int | None, one: str, more: str = "") -> str:
    if not number:
        return ""
    return f"{number} {one if number == 1 else more or one + 's'}"


def _span(span: timedelta | None) -> str:
    """`42 days`, `30 minutes`: in the largest unit that leaves nothing over."""
    if not span:
        return ""
    seconds = int(span.total_seconds())
    units = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
    name, length = next((name, length) for name, length in units if seconds % length == 0)
    return _count(seconds // length, name)
