"""When administrators are told of a directory."""

from datetime import UTC, datetime, timedelta

import pytest

from writeback.health import State
from writeback.news import Known, judge

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
AGO_59, AGO_60 = NOW - timedelta(seconds=59), NOW - timedelta(seconds=60)


@pytest.mark.parametrize(
    ("known", "state", "after", "is_news"),
    [
        # Nobody waits for a directory that never worked.
        (Known("", None), "not_configured", Known("", None), False),
        (Known("", None), "disconnected", Known("", None), False),
        (Known("", None), "unknown_outdated", Known("", None), False),
        (Known("", None), "healthy", Known("healthy", None), False),
        (Known("", None), "healthy_outdated", Known("healthy_outdated", None), False),
        # What goes away for a moment is no news.
        (Known("healthy", None), "healthy", Known("healthy", None), False),
        (Known("healthy", None), "healthy_outdated", Known("healthy", None), False),
        (Known("healthy", None), "unknown_outdated", Known("healthy", None), False),
        (Known("healthy", None), "disconnected", Known("healthy", NOW), False),
        (Known("healthy", AGO_59), "disconnected", Known("healthy", AGO_59), False),
        (Known("healthy", AGO_59), "healthy", Known("healthy", None), False),
        # What stays away is, once.
        (Known("healthy", AGO_60), "disconnected", Known("disconnected", AGO_60), True),
        (Known("healthy", AGO_60), "not_configured", Known("not_configured", AGO_60), True),
        (Known("healthy_outdated", AGO_60), "service_fault", Known("service_fault", AGO_60), True),
        (Known("disconnected", AGO_60), "disconnected", Known("disconnected", AGO_60), False),
        (Known("disconnected", AGO_60), "not_configured", Known("disconnected", AGO_60), False),
        (Known("disconnected", AGO_60), "unknown_outdated", Known("disconnected", AGO_60), False),
        # So is that it is back.
        (Known("disconnected", AGO_60), "healthy", Known("healthy", None), True),
        (Known("service_fault", AGO_60), "healthy_outdated", Known("healthy_outdated", None), True),
    ],
)
def test_administrators_are_told_once_and_once_when_it_is_back(
    known: Known, state: State, after: Known, is_news: bool
) -> None:
    assert judge(known, state, NOW) == (after, is_news)
