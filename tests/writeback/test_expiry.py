"""Which reminder is due, at which moment, and what an organisation's own words become."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from writeback.expiry import (
    DEFAULT_MARKS,
    LONGEST_FILLED,
    LONGEST_TEXT,
    days_left,
    days_problem,
    due_mark,
    filled,
    is_daytime,
    summary_ends,
    text_problem,
    unknown_macros,
    week_of,
    windows,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=BERLIN)


def at(day: int, hour: int = 14, minute: int = 0) -> datetime:
    """A moment in November, on the clocks of Berlin."""
    return datetime(2026, 11, day, hour, minute, tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("ends_at", "sent", "mark"),
    [
        (None, (), None),
        (at(20, 9, 29), (), None),
        (at(20, 9, 30), (), None),
        (at(20, 9, 31), (), 1),
        (at(20, 23, 59), (1,), None),
        (at(21, 0), (), 1),
        (at(21, 23, 59), (14, 7, 3), 1),
        (at(21), (1,), None),
        (at(21), (14, 7, 3, 1), None),
        (at(22, 0), (), 3),
        (at(23, 23, 59), (), 3),
        (at(24, 0), (), 7),
        (at(27), (14,), 7),
        (at(27), (7,), None),
        (at(27), (3,), None),
        (at(28, 0), (), 14),
        (at(30), (14,), None),
        (datetime(2026, 12, 4, 23, 59, tzinfo=BERLIN), (), 14),
        (datetime(2026, 12, 5, 0, 0, tzinfo=BERLIN), (), None),
    ],
)
def test_the_nearest_mark_that_was_reached_is_due_once(
    ends_at: datetime | None, sent: tuple[int, ...], mark: int | None
) -> None:
    assert due_mark(ends_at, NOW, DEFAULT_MARKS, sent, BERLIN) == mark


@pytest.mark.parametrize(
    ("hour", "minute", "is_due"),
    [(0, 0, False), (7, 59, False), (8, 0, True), (12, 0, True), (23, 59, True)],
)
def test_nobody_is_reminded_before_eight_in_the_zone_of_the_installation(
    hour: int, minute: int, is_due: bool
) -> None:
    now = at(20, hour, minute).astimezone(UTC)

    assert is_daytime(now, BERLIN) is is_due
    assert (due_mark(at(21), now, [1], (), BERLIN) == 1) is is_due
    assert bool(windows([1], now, BERLIN)) is is_due


def test_without_marks_nobody_is_ever_reminded() -> None:
    assert due_mark(at(21), NOW, (), (), BERLIN) is None
    assert windows((), NOW, BERLIN) == []


def test_a_new_password_is_reminded_of_afresh() -> None:
    """What was sent is known of one password; another one has had nothing."""
    assert due_mark(at(21), NOW, [1], (1,), BERLIN) is None
    assert due_mark(at(21), NOW, [1], (), BERLIN) == 1


def test_days_are_those_of_the_calendar_also_where_the_clocks_change() -> None:
    before = datetime(2026, 10, 24, 23, 0, tzinfo=BERLIN)
    after = datetime(2026, 10, 26, 0, 30, tzinfo=BERLIN)

    assert days_left(after, before, BERLIN) == 2
    assert days_left(before, before, BERLIN) == 0


@pytest.mark.parametrize("marks", [(), (1,), (14, 7, 3, 1), (90, 5, 4), tuple(range(1, 11))])
@pytest.mark.parametrize("sent", [(), (3,), (14, 90), (1,)])
@pytest.mark.parametrize("hour", [0, 7, 8, 23])
def test_windows_find_exactly_those_whose_mark_is_due(
    marks: tuple[int, ...], sent: tuple[int, ...], hour: int
) -> None:
    """Over a hundred days, in which the clocks change too."""
    now = datetime(2026, 10, 20, hour, 30, tzinfo=BERLIN)
    places = windows(marks, now, BERLIN)
    for minutes in range(-2 * 24 * 60, 98 * 24 * 60, 97):
        ends_at = now.astimezone(UTC) + timedelta(minutes=minutes)
        found = [
            window.mark
            for window in places
            if window.begins <= ends_at < window.ends
            and not any(day <= window.mark for day in sent)
        ]
        mark = due_mark(ends_at, now, marks, sent, BERLIN)
        assert found == ([] if mark is None else [mark])


@pytest.mark.parametrize(
    ("day", "monday"), [(16, 16), (20, 16), (22, 16), (23, 23)]
)  # fmt: skip
def test_a_week_begins_on_monday(day: int, monday: int) -> None:
    assert week_of(at(day), BERLIN) == date(2026, 11, monday)


def test_a_summary_reaches_to_the_end_of_the_seventh_day() -> None:
    assert summary_ends(NOW, BERLIN) == at(28, 0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        ("Dear {name}, {days} days left.", "Dear Bob Brown, 3 days left."),
        ("{name} {name}", "Bob Brown Bob Brown"),
        ("{unknown} {", "{unknown} {"),
        ("{{ 7|add:7 }} {% now %}", "{{ 7|add:7 }} {% now %}"),
        ("{organisation}", "{days} & <b>"),
    ],
)
def test_each_macro_is_replaced_once_and_what_is_put_in_is_only_text(text: str, words: str) -> None:
    values = {"name": "Bob Brown", "days": "3", "organisation": "{days} & <b>"}

    assert filled(text, values) == words


def test_words_that_grow_too_long_are_cut() -> None:
    assert len(filled("{name}" * 100, {"name": "x" * 60})) == LONGEST_FILLED


def test_macros_that_there_are_not_are_named_once() -> None:
    assert unknown_macros("{name} {days} {date} {organisation}") == []
    assert unknown_macros("{nam} {user.password} {nam} {}") == ["nam", "user.password", ""]


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("", ""),
        ("Dear {name},\nask us.", ""),
        ("x" * LONGEST_TEXT, ""),
        ("x" * (LONGEST_TEXT + 1), "Write at most"),
        ("a\tb", "Remove control"),
        ("{nobody}", "Use only {name}, {organisation}, {date}, {days} in braces."),
    ],
)
def test_own_words_are_short_plain_and_know_their_macros(text: str, begins: str) -> None:
    problem = text_problem(text)

    assert problem.startswith(begins)
    assert bool(problem) is bool(begins)


@pytest.mark.parametrize(
    ("days", "begins"),
    [
        ([], ""),
        ([90, 1], ""),
        (list(range(1, 11)), ""),
        (list(range(1, 12)), "Write at most 10 days."),
        ([3, 7, 3], "Write each day once."),
        ([0], "Write days from 1"),
        ([91], "Write days from 1"),
    ],
)
def test_marks_are_few_and_each_stands_once(days: list[int], begins: str) -> None:
    problem = days_problem(days)

    assert problem.startswith(begins)
    assert bool(problem) is bool(begins)
