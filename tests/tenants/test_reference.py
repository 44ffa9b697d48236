"""The code read out on the phone: what is misheard is noticed."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.reference import ALPHABET, check_character, find_reference, new_reference, written

bodies = st.text(alphabet=ALPHABET, min_size=7, max_size=7)
codes = bodies.map(lambda body: body + check_character(body))


@given(codes)
def test_a_code_is_found_however_it_is_written(code: str) -> None:
    expected = f"{code[:4]}-{code[4:]}"

    assert written(code) == expected
    for text in (code, expected, expected.lower(), f"  {code[:2]} {code[2:]} ", f"#{expected}."):
        assert find_reference(text) == expected


@given(codes, st.data())
def test_every_single_wrong_character_is_noticed(code: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, 7))
    other = data.draw(st.sampled_from([char for char in ALPHABET if char != code[place]]))

    assert find_reference(code[:place] + other + code[place + 1 :]) is None


@given(codes, st.data())
def test_every_swap_of_two_characters_is_noticed(code: str, data: st.DataObject) -> None:
    first, second = data.draw(st.permutations(range(8)))[:2]
    swapped = list(code)
    swapped[first], swapped[second] = swapped[second], swapped[first]

    assert (find_reference("".join(swapped)) is None) is (code[first] != code[second])


@pytest.mark.parametrize(
    ("typed", "meant"), [("0", "Q"), ("O", "Q"), ("o", "Q"), ("1", "L"), ("I", "L"), ("S", "5")]
)
def test_a_misread_character_is_read_as_the_one_that_looks_like_it(typed: str, meant: str) -> None:
    body = f"K7M{meant}92X"
    code = body + check_character(body)

    assert typed.upper() not in ALPHABET
    assert find_reference(code.replace(meant, typed, 1)) == written(code)


@pytest.mark.parametrize("text", ["", "K7M4", "K7M4-92QX-7", "☎☎☎☎☎☎☎☎", "K7M4-92Q!", "ٱٱٱٱٱٱٱٱ"])
def test_what_can_be_no_code_is_none(text: str) -> None:
    assert find_reference(text) is None


@given(st.text(max_size=40))
def test_whatever_is_typed_is_a_code_or_nothing(text: str) -> None:
    found = find_reference(text)

    assert found is None or find_reference(found) == found


def test_a_new_code_is_drawn_from_the_alphabet_and_checks() -> None:
    drawn = iter("K7M492Q")
    asked: list[str] = []

    def choose(alphabet: str) -> str:
        asked.append(alphabet)
        return next(drawn)

    code = new_reference(choose)

    assert asked == [ALPHABET] * 7
    assert code.startswith("K7M4-92Q")
    assert find_reference(code) == code


def test_the_alphabet_leaves_out_what_is_misread() -> None:
    everything = set(string.ascii_uppercase + string.digits)

    assert everything - set(ALPHABET) == set("IOS01")
    assert len(ALPHABET) == 31
