"""The registry of kinds: its templates exist and its patience ends."""

from datetime import timedelta

import pytest
from django.template.loader import get_template

from notifications.kinds import KINDS, Kind
from notifications.models import Message
from notifications.rendering import parts_of


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_every_kind_has_its_templates_and_fits_its_columns(kind: Kind) -> None:
    parts = parts_of(kind)

    assert parts
    for part in parts:
        get_template(part)  # raises where there is none
    assert KINDS[kind.key] is kind
    assert len(kind.key) <= 40
    assert set(kind.channels) <= set(Message.Channel.values) - {"none"}


def test_a_code_lives_five_minutes_and_a_notice_is_tried_for_three_days() -> None:
    lifetimes = {key: kind.lifetime for key, kind in KINDS.items()}

    assert lifetimes.pop("code") == timedelta(minutes=5)
    assert lifetimes.pop("approval") == timedelta(minutes=5)
    assert set(lifetimes.values()) == {timedelta(hours=72)}
    assert [key for key, kind in KINDS.items() if kind.carries_code] == ["code"]


def test_waits_double_and_stop_growing_at_an_hour() -> None:
    kind = KINDS["password_changed"]

    waits = [kind.wait(attempts).total_seconds() for attempts in (1, 2, 3, 7, 8, 80)]

    assert waits == [30, 60, 120, 1920, 3600, 3600]
    assert KINDS["code"].wait(1) == timedelta(seconds=5)


def test_a_code_tells_nobody_whose_it_is() -> None:
    assert KINDS["code"].facts == {"host"}
    assert [key for key, kind in KINDS.items() if "user_id" in kind.facts] == [
        "administrator_reset",
        "help_request",
        "approval_request",
    ]
