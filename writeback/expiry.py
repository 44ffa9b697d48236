"""PURE. Reminders before a password ends: which mark is due, and the organisation's own words.

A mark is a number of days before the end, in calendar days of the installation's zone: one day
before is the day before, whatever the hour. Times are passed in.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

BEGINS = time(8)
"""Nobody is woken by a reminder."""
LONGEST_MARK = 90
MOST_MARKS = 10
DEFAULT_MARKS = (14, 7, 3, 1)
SUMMARY_DAYS = 7
DAY_ONCE = "Write each day once."
TOO_MANY_DAYS = f"Write at most {MOST_MARKS} days."

MACROS = ("name", "organisation", "date", "days")
LONGEST_TEXT = 1000
LONGEST_FILLED = 2000
_PLACE = re.compile(r"\{([^{}]*)\}")


def is_daytime(now: datetime, zone: tzinfo) -> bool:
    """Whether reminders go out: from eight o'clock to midnight."""
    return now.astimezone(zone).time() >= BEGINS


def days_left(ends_at: datetime, now: datetime, zone: tzinfo) -> int:
    """Whole days from today to the day the password ends; 0 is today."""
    return (ends_at.astimezone(zone).date() - now.astimezone(zone).date()).days


def due_mark(
    ends_at: datetime | None,
    now: datetime,
    marks: Collection[int],
    sent: Collection[int],
    zone: tzinfo,
) -> int | None:
    """The mark a reminder is due for. sent: the marks this password was reminded at already.

    Of several marks that have passed the nearest to the end counts, so that somebody who is seen
    late is told once. Nothing for a password that ended, or that never does.
    """
    if ends_at is None or ends_at <= now or not is_daytime(now, zone):
        return None
    left = days_left(ends_at, now, zone)
    reached = [mark for mark in marks if mark >= left]
    mark = min(reached, default=None)
    return None if mark is None or any(done <= mark for done in sent) else mark


@dataclass(frozen=True)
class Window:
    """Passwords that end from `begins` on and before `ends` have reached this mark and no later
    one."""

    mark: int
    begins: datetime
    ends: datetime


def windows(marks: Collection[int], now: datetime, zone: tzinfo) -> Sequence[Window]:
    """What `due_mark` says, turned round: where to look for the people of each mark, the nearest
    first. Nothing before eight o'clock."""
    if not is_daytime(now, zone):
        return ()
    today = now.astimezone(zone).date()
    found, begins = [], now + timedelta(microseconds=1)
    for mark in sorted(set(marks)):
        ends = _midnight(today + timedelta(days=mark + 1), zone)
        found.append(Window(mark, begins, ends))
        begins = ends
    return found


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)


def week_of(now: datetime, zone: tzinfo) -> date:
    """The Monday of this week."""
    today = now.astimezone(zone).date()
    return today - timedelta(days=today.weekday())


def summary_ends(now: datetime, zone: tzinfo) -> datetime:
    """Passwords that end before this moment are told to managers."""
    return _midnight(now.astimezone(zone).date() + timedelta(days=SUMMARY_DAYS + 1), zone)


def unknown_macros(text: str) -> Sequence[str]:
    """Names in braces that are no macros, each once."""
    return [name for name in dict.fromkeys(_PLACE.findall(text)) if name not in MACROS]


def text_problem(text: str) -> str:
    """What keeps these from being an organisation's own words; "" for nothing."""
    if len(text) > LONGEST_TEXT:
        return f"Write at most {LONGEST_TEXT} characters."
    if any(not (char.isprintable() or char == "\n") for char in text):
        return "Remove control characters from this text."
    if unknown_macros(text):
        known = ", ".join("{" + name + "}" for name in MACROS)
        return f"Use only {known} in braces."
    return ""


def days_problem(days: Sequence[int]) -> str:
    """What keeps these from being the marks; "" for nothing."""
    if len(days) > MOST_MARKS:
        return TOO_MANY_DAYS
    if len(set(days)) < len(days):
        return DAY_ONCE
    if not all(1 <= day <= LONGEST_MARK for day in days):
        return f"Write days from 1 to {LONGEST_MARK}."
    return ""


def filled(text: str, values: Mapping[str, str]) -> str:
    """The organisation's own words with each macro replaced once. What is put in is data: nothing
    in it is read as a macro, and the words themselves are never read as anything else (R-29)."""
    found = _PLACE.sub(lambda place: values.get(place[1], place[0]), text)
    return found[:LONGEST_FILLED]
