"""Outcomes, causes, rules and marks in words: every one there is, and those to come."""

from datetime import timedelta
from typing import get_args

import pytest

from writeback import job_words
from writeback.connectors.base import DirectoryRules
from writeback.described_words import NOTHING, marks_in_words, rules_in_words
from writeback.jobs import State, Told
from writeback.protocol import OPERATIONS
from writeback.reports import CAUSES, OUTCOMES

PERSON = {
    "protected": False,
    "enabled": True,
    "locked": False,
    "must_change": False,
    "may_reset": True,
    "may_unlock": True,
    "changed_at": None,
    "password_ends": None,
    "account_ends": None,
}


def test_every_outcome_cause_state_and_operation_has_words() -> None:
    assert job_words.OUTCOMES.keys() >= OUTCOMES
    assert CAUSES | {"withdrawn", "not_signed"} <= job_words.CAUSES.keys()
    assert {state.value for state in State} == job_words.STATES.keys()
    assert set(OPERATIONS) == job_words.OPERATIONS.keys()
    assert set(get_args(Told)) == job_words.TOLD.keys()


@pytest.mark.parametrize(
    ("outcome", "cause", "words"),
    [
        ("succeeded", "", "done"),
        ("failed", "busy", "not done: the directory was busy"),
        ("unknown", "no_answer", "not confirmed: the directory's answer got lost"),
        ("failed", "of_tomorrow", "not done: of tomorrow"),
        ("of tomorrow", "", "of tomorrow"),
    ],
)
def test_an_end_is_told_with_its_cause(outcome: str, cause: str, words: str) -> None:
    assert job_words.end_in_words(outcome, cause) == words


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        ({}, [NOTHING]),
        ({"locked": True}, ["locked"]),
        (
            {"enabled": False, "protected": True},
            ["protected: nothing can be changed from here", "disabled"],
        ),
        ({"must_change": True}, ["has to choose another password at the next sign-in"]),
        ({"may_reset": False}, ["the agent's account may not set the password"]),
        ({"may_unlock": False}, ["the agent's account may not unlock"]),
        (
            {"password_ends": "2026-12-24T10:00:00+00:00"},
            ["password ends 2026-12-24 10:00 UTC"],
        ),
        (
            {"changed_at": "2026-11-01T08:30:00Z", "account_ends": "2027-01-01T00:00:00Z"},
            ["password changed 2026-11-01 08:30 UTC", "account ends 2027-01-01 00:00 UTC"],
        ),
    ],
)
def test_what_is_worth_a_word_of_a_person_gets_one(
    marks: dict[str, object], words: list[str]
) -> None:
    assert marks_in_words({**PERSON, **marks}) == words


def test_rules_are_told_as_far_as_the_directory_told_them() -> None:
    rules = DirectoryRules(
        min_length=1,
        history=24,
        history_on_reset=True,
        complexity=True,
        min_age=timedelta(0),
        max_age=timedelta(days=42),
        lockout_threshold=1,
        lockout_duration=timedelta(minutes=30),
    )
    assert rules_in_words(rules) == [
        ("Shortest password", "1 character"),
        ("Earlier passwords refused", "24, at resets too"),
        ("Kinds of characters", "three of four, without names"),
        ("Longest age", "42 days"),
        ("Wrong passwords before a lock", "1 try"),
        ("Length of a lock", "30 minutes"),
    ]
    assert rules_in_words(DirectoryRules(min_length=12, history=3, lockout_threshold=5)) == [
        ("Shortest password", "12 characters"),
        ("Earlier passwords refused", "3"),
        ("Wrong passwords before a lock", "5 tries"),
    ]
    assert rules_in_words(DirectoryRules()) == []


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(days=1), "1 day"),
        (timedelta(hours=36), "36 hours"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(seconds=61), "61 seconds"),
    ],
)
def test_a_length_of_time_is_told_in_the_largest_unit_that_fits(
    span: timedelta, words: str
) -> None:
    assert rules_in_words(DirectoryRules(min_age=span)) == [("Shortest age", words)]
