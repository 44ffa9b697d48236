"""Answers are compared by what they say, not by how they are typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.answers import is_long_enough, normalise_answer, repeated
from accounts.question_keys import QUESTION_KEYS
from accounts.questions import PREDEFINED
from tenants.policy import PREDEFINED_QUESTIONS


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("  Snowball   the\tThird ", "snowball the third"),
        ("ＳＮＯＷ", "snow"),
        ("STRASSE", "strasse"),
        ("straße", "strasse"),
        ("e\u0301t\u00e9", "\u00e9t\u00e9"),
        ("İstanbul", "i̇stanbul"),
        ("Ναι", "ναι"),
        ("a\u00a0b\u3000c", "a b c"),
    ],
)
def test_width_case_and_blanks_do_not_matter(typed: str, form: str) -> None:
    assert normalise_answer(typed) == form


@given(st.text())
def test_the_form_of_a_form_is_itself(text: str) -> None:
    assert normalise_answer(normalise_answer(text)) == normalise_answer(text)


@pytest.mark.parametrize(
    ("text", "enough"),
    [
        ("abc", True),
        ("ab", False),
        (" ab ", False),
        ("a  b", True),
        ("a" * 40, True),
        (" " + "a" * 40, True),
        ("a" * 41, False),
        ("   ", False),
        ("東京都", True),
    ],
)
def test_an_answer_has_three_to_forty_characters(text: str, enough: bool) -> None:
    assert is_long_enough(text) is enough


def test_repeated_answers_are_found_by_their_form() -> None:
    assert repeated(["Rex", "Max", " rEX", "max", "Tim"]) == [2, 3]


def test_every_predefined_question_has_its_own_words() -> None:
    assert tuple(PREDEFINED) == QUESTION_KEYS
    assert len({str(text) for text in PREDEFINED.values()}) == PREDEFINED_QUESTIONS == 35
