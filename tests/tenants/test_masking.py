"""Hints that the owner recognises and a stranger can't use."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.masking import masked_email, masked_phone


@pytest.mark.parametrize(
    ("address", "hint"),
    [
        ("john@example.net", "j••••@e••••.net"),
        ("j@e.net", "j••••@e••••.net"),
        ("john.very.long.name@mail.example.co.uk", "j••••@m••••.uk"),
    ],
)
def test_a_mailbox_shows_one_letter_each_and_not_its_length(address: str, hint: str) -> None:
    assert masked_email(address) == hint


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        ("+1 4255550142", "+• •••••••42"),
        ("+1 4255550142x987", "+• •••••••42"),
        ("+49 301234567", "+• •••••••67"),
    ],
)
def test_a_number_shows_two_digits_and_no_extension(number: str, hint: str) -> None:
    assert masked_phone(number) == hint


@given(st.from_regex(r"\+[1-9][0-9]{0,2} [0-9]{4,12}(x[0-9]{1,6})?", fullmatch=True))
def test_a_hint_never_holds_more_than_two_digits(number: str) -> None:
    hint = masked_phone(number)

    assert sum(char.isdigit() for char in hint) == 2
    assert len(hint) == len(masked_phone("+1 4255550142"))
