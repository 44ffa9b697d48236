"""Six words stand for a key: the same on both sides, and different for different keys."""

import re

from hypothesis import given
from hypothesis import strategies as st

from writeback.words import fingerprint

SHAPE = re.compile(r"[bdfgjklmnrstvwyz][aeio][blmnrsvw][aeio]")


def test_a_key_has_the_words_it_always_had() -> None:
    """They are compared by people on two machines, so they may never change."""
    assert fingerprint(bytes(32)) == ("lero", "jawi", "sivo", "zali", "fiwi", "tiwe")


@given(st.binary(min_size=32, max_size=32))
def test_every_key_has_six_words_of_four_letters(key: bytes) -> None:
    words = fingerprint(key)

    assert len(words) == 6
    assert all(SHAPE.fullmatch(word) for word in words)


def test_all_2048_words_are_used_and_differ() -> None:
    words = {word for number in range(6000) for word in fingerprint(number.to_bytes(32, "big"))}

    assert len(words) == 2048


@given(st.binary(min_size=32, max_size=32), st.integers(0, 255))
def test_a_key_that_differs_in_one_bit_has_other_words(key: bytes, bit: int) -> None:
    other = (int.from_bytes(key, "big") ^ (1 << bit)).to_bytes(32, "big")

    assert sum(a != b for a, b in zip(fingerprint(key), fingerprint(other), strict=True)) >= 3
