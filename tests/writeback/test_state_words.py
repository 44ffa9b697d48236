"""The six states and what else there is to say of a directory, in words."""

from typing import get_args

import pytest

from writeback.connectors.base import Trouble
from writeback.health import State
from writeback.state_words import (
    DAMAGED_JOURNAL,
    OWN_TROUBLES,
    STATES,
    SWITCHED_OFF,
    TROUBLES,
    WORKER_AWAY,
    Words,
    explained,
)

NAMES = {
    "healthy": "Connected",
    "healthy_outdated": "Connected, old version",
    "unknown_outdated": "Not known, version too old",
    "disconnected": "Not connected",
    "not_configured": "Not set up",
    "service_fault": "Fault on our side",
}


@pytest.mark.parametrize("state", get_args(State))
def test_each_state_has_a_name_a_meaning_and_what_mends_it(state: State) -> None:
    words = STATES[state]
    assert words.name == NAMES[state]
    assert words.means.endswith(".")
    assert bool(words.fix) is (state != "healthy")
    assert explained(state) == [words]


@pytest.mark.parametrize("trouble", get_args(Trouble))
def test_each_trouble_says_what_mends_it(trouble: Trouble) -> None:
    for words in (TROUBLES[trouble], OWN_TROUBLES[trouble]):
        assert all((words.name, words.means, words.fix))
    assert "agent" not in " ".join(
        (OWN_TROUBLES[trouble].name, OWN_TROUBLES[trouble].means, OWN_TROUBLES[trouble].fix)
    )


def test_no_two_of_them_say_the_same() -> None:
    everything = [
        *STATES.values(),
        *TROUBLES.values(),
        *OWN_TROUBLES.values(),
        WORKER_AWAY,
        DAMAGED_JOURNAL,
        SWITCHED_OFF,
    ]
    assert len({words.means for words in everything}) == len(everything)
    assert len({words.name for words in everything}) == len(everything)


@pytest.mark.parametrize(
    ("state", "given", "expected"),
    [
        ("not_configured", {"trouble": "account"}, [TROUBLES["account"]]),
        ("not_configured", {"trouble": "untrusted"}, [TROUBLES["untrusted"]]),
        ("not_configured", {"trouble": "configuration"}, [TROUBLES["configuration"]]),
        ("disconnected", {"trouble": "unreachable"}, [TROUBLES["unreachable"]]),
        ("disconnected", {"trouble": "unreachable", "direct": True}, [OWN_TROUBLES["unreachable"]]),
        ("disconnected", {"direct": True}, [WORKER_AWAY]),
        ("healthy", {"trouble": "unreachable"}, [STATES["healthy"]]),
        ("disconnected", {"trouble": "something new"}, [STATES["disconnected"]]),
        ("not_configured", {"damaged": True}, [DAMAGED_JOURNAL]),
        ("healthy", {"damaged": True}, [DAMAGED_JOURNAL, STATES["healthy"]]),
        ("healthy", {"enabled": False}, [SWITCHED_OFF, STATES["healthy"]]),
        (
            "not_configured",
            {"trouble": "account", "damaged": True, "enabled": False},
            [SWITCHED_OFF, TROUBLES["account"], DAMAGED_JOURNAL],
        ),
    ],
)
def test_the_reason_stands_in_place_of_what_only_follows_from_it(
    state: State, given: dict[str, bool], expected: list[Words]
) -> None:
    assert explained(state, **given) == expected  # type: ignore[arg-type]  # of several kinds
