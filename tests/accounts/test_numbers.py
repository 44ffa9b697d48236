"""Phone numbers: one form on file, many forms typed, one form dialled (Entra, phone methods)."""

import pytest

from accounts.numbers import (
    BadNumber,
    dialled,
    e164,
    extension_of,
    find_e164,
    stored_number,
)

ALICE = "+1 4255550101"
E164 = "+14255550101"


@pytest.mark.parametrize(
    "text",
    [ALICE, "+1 4255550100x123", "+44 2079460000", "+49 301234567", "+1 4255550100x1234567890"],
)
def test_these_are_kept_as_they_are(text: str) -> None:
    assert stored_number(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4255550101",
        "+14255550101",
        "+1  4255550101",
        "+1 425 5550101",
        "+1 425-555-0101",
        "+1 (425)5550101",
        " +1 4255550101",
        "+1 4255550101 ",
        "001 4255550101",
        "+999 4255550101",
        "+ 14255550101",
        "+1 42",
        "+1 42555501010000000",
        "+1 ٤٢٥٥٥٥٠١٠١",
        "+١ 4255550101",
        "+1 4255550101x",
        "+1 4255550101x12a",
        "+1 4255550101x12345678901",
        "+1 4255550101x1x2",
        "+1 4255550101X12",
        "+14 255550101",
        "+1 4255550101\n",
    ],
)
def test_any_other_writing_is_refused_with_a_fix(text: str) -> None:
    with pytest.raises(BadNumber) as raised:
        stored_number(text)

    assert str(raised.value).endswith(".")


@pytest.mark.parametrize(
    "typed",
    [
        ALICE,
        E164,
        "+1 425 555 0101",
        "+1 (425) 555-0101",
        "  +1.425.555.0101 ",
        "+1 ٤٢٥ ٥٥٥ ٠١٠١",
        "+1 ۴۲۵۵۵۵۰۱۰۱",
        "\uff0b1 4255550101",
        "+１ ４２５５５５０１０１",
        "+1 4255550101x99",
    ],
)
def test_what_a_person_types_in_full_is_the_same_number(typed: str) -> None:
    assert find_e164(typed) == E164


@pytest.mark.parametrize(
    "typed", ["", "0101", "4255550101", "hello", "+", "+1", "+1 425", "+" + "1" * 39, "9" * 10_000]
)
def test_a_part_of_it_or_anything_else_is_none(typed: str) -> None:
    assert find_e164(typed) is None


@pytest.mark.parametrize(
    ("stored", "passed_on", "stripped"),
    [
        (ALICE, E164, E164),
        ("+1 4255550100x123", "+14255550100;ext=123", "+14255550100"),
    ],
)
def test_the_extension_is_dialled_only_where_the_tenant_wants_it(
    stored: str, passed_on: str, stripped: str
) -> None:
    assert dialled(stored, with_extension=True) == passed_on
    assert dialled(stored, with_extension=False) == stripped
    assert e164(stored) == stripped


def test_an_extension_is_what_stands_behind_the_x() -> None:
    assert extension_of("+1 4255550100x123") == "123"
    assert extension_of(ALICE) == ""
