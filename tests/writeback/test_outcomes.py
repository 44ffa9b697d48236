"""A change whose answer was lost: what is done, and what is told (R-22, R-23)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from writeback.outcomes import ASKED_FOR, SETTLES_AFTER, Witness, next_step, outcome_of_bind

CLOSED = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
EXPIRES = CLOSED + timedelta(seconds=200)
SETTLED = CLOSED + SETTLES_AFTER
BEFORE = Witness("dc1", 4, CLOSED - timedelta(days=9))
SAME = BEFORE
NEWER = Witness("dc1", 5, CLOSED)
ELSEWHERE = Witness("dc2", 5, CLOSED)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("after", "retried", "now", "step"),
    [
        (NEWER, False, SETTLED - SECOND, "ask_again"),
        (NEWER, False, SETTLED, "try_bind"),
        (NEWER, True, EXPIRES + SECOND, "try_bind"),
        (SAME, False, SETTLED - SECOND, "ask_again"),
        (SAME, False, SETTLED, "retry"),
        (SAME, False, EXPIRES - SECOND, "retry"),
        (SAME, False, EXPIRES, "not_applied"),
        (SAME, True, SETTLED, "not_applied"),
        (None, False, SETTLED, "ask_again"),
        (None, False, CLOSED + ASKED_FOR - SECOND, "ask_again"),
        (None, False, CLOSED + ASKED_FOR, "unknown"),
        (ELSEWHERE, False, SETTLED, "ask_again"),
        (ELSEWHERE, False, CLOSED + ASKED_FOR, "unknown"),
    ],
)
def test_the_same_controller_tells_what_to_do(
    after: Witness | None, retried: bool, now: datetime, step: str
) -> None:
    found = next_step(BEFORE, after, closed_at=CLOSED, expires=EXPIRES, retried=retried, now=now)

    assert found == step


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("right", "succeeded"),
        ("must_change", "succeeded"),
        ("expired", "succeeded"),
        ("disabled", "succeeded"),
        ("account_expired", "succeeded"),
        ("not_now", "succeeded"),
        ("not_here", "succeeded"),
        ("wrong", "superseded"),
        ("locked", "unknown"),
        ("refused", "unknown"),
        (None, "unknown"),
    ],
)
def test_a_bind_with_the_new_password_tells_what_became_of_it(answer: Any, outcome: str) -> None:
    assert outcome_of_bind(answer) == outcome
