"""Temporary passwords: long enough, of every kind, and nothing that is misread."""

import secrets
from collections.abc import Iterator

import pytest

from writeback.temporary import ALPHABET, DIGITS, LOWER, UPPER, temporary_password


@pytest.mark.parametrize(
    ("at_least", "length"), [(0, 19), (8, 19), (19, 19), (20, 24), (24, 24), (25, 29), (999, 124)]
)
def test_it_is_as_long_as_the_directory_wants(at_least: int, length: int) -> None:
    assert len(temporary_password(secrets.choice, at_least)) == length


def test_it_holds_small_and_capital_letters_digits_and_dashes_and_no_vowel() -> None:
    made = [temporary_password(secrets.choice) for _ in range(200)]
    assert len(set(made)) == 200
    for password in made:
        assert [len(group) for group in password.split("-")] == [4, 4, 4, 4]
        assert all(set(password) & set(kind) for kind in (LOWER, UPPER, DIGITS))
        assert not set(password) & set("aeiouAEIOU01l")
    assert len(set(ALPHABET)) == len(ALPHABET) == 47


def test_one_that_lacks_a_kind_is_drawn_anew() -> None:
    drawn: Iterator[str] = iter("b" * 16 + "B" * 16 + "bB2" + "b" * 13)
    assert temporary_password(lambda alphabet: next(drawn)) == "bB2b-bbbb-bbbb-bbbb"
