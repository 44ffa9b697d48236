from concurrent.futures import ThreadPoolExecutor

import pytest

from accounts.passwords.strength import Strength, strength


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("", Strength(0, "very_weak")),
        ("password", Strength(0, "very_weak")),
        ("Password1!", Strength(1, "weak")),
        ("zanzibarian", Strength(2, "fair")),
        ("tulipwkq7z", Strength(3, "good")),
        ("Tulip-Harbor-92-lamp", Strength(4, "strong")),
    ],
)
def test_strength_is_said_in_one_word(password: str, expected: Strength) -> None:
    assert strength(password, []) == expected


def test_the_persons_own_names_make_a_password_weaker() -> None:
    assert strength("zanzibarian", ["", "Zanzibarian"]).score == 0


def test_one_persons_names_do_not_count_for_another() -> None:
    assert strength("zanzibarian", ["Zanzibarian"]).score == 0
    assert strength("zanzibarian", ["Alice"]).score == 2


def test_people_who_type_at_the_same_time_keep_their_own_names() -> None:
    asked = [["Zanzibarian"], ["Alice"]] * 20
    with ThreadPoolExecutor(4) as pool:
        scores = list(pool.map(lambda names: strength("zanzibarian", names).score, asked))
    assert scores == [0, 2] * 20


def test_only_the_first_72_characters_are_looked_at() -> None:
    assert strength("a" * 72 + "Tulip-Harbor-92-lamp" * 100, []) == strength("a" * 72, [])


def test_only_the_first_20_names_are_looked_at() -> None:
    names = [*("name" * 3 for _ in range(20)), "zanzibarian"]
    assert strength("zanzibarian", names).score == 2
