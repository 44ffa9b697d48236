import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.passwords.terms import (
    TermProblem,
    TermSet,
    banned_term_problems,
    normalise,
    score,
    term_set,
    within_one_edit,
)

FEW_LETTERS = st.text(alphabet="abo01 ", max_size=12)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("C0ntos0Blank12", "contosoblankl2"),
        ("P@$$w0rd", "password"),
        ("p0LL23fb", "poll23fb"),
        ("Müller", "muller"),
        ("STRASSE ß", "strasse ss"),
        ("\uff21\uff10", "ao"),
        ("", ""),
    ],
)
def test_case_and_substitutions_are_undone(text: str, expected: str) -> None:
    assert normalise(text) == expected


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize(
    ("password", "near"),
    [
        ("abcdef", True),
        ("abcdeg", True),
        ("abcdefg", True),
        ("abcde", True),
        ("bcdef", True),
        ("xabcdef", True),
        ("abxdef", True),
        ("abxcdef", True),
        ("abdef", True),
        ("abcdgh", False),
        ("abcdefgh", False),
        ("abcd", False),
        ("bacdef", False),
        ("", False),
    ],
)
def test_a_password_one_edit_from_a_term_is_near_it(password: str, near: bool) -> None:
    assert TermSet(["abcdef"]).is_near(password) is near
    assert within_one_edit(password, "abcdef") is near
    assert within_one_edit("abcdef", password) is near


@given(FEW_LETTERS, st.lists(FEW_LETTERS, max_size=6))
def test_the_index_finds_what_comparing_with_every_term_finds(text: str, terms: list[str]) -> None:
    chosen = TermSet(terms)
    assert chosen.is_near(text) is any(within_one_edit(text, term) for term in chosen.terms)


@given(st.text(alphabet="ab", min_size=1, max_size=6), st.integers(0, 5), st.sampled_from("ab"))
def test_any_single_edit_is_one_edit(text: str, at: int, letter: str) -> None:
    at = at % len(text)
    for edited in (
        text[:at] + letter + text[at:],
        text[:at] + text[at + 1 :],
        text[:at] + letter + text[at + 1 :],
    ):
        assert within_one_edit(text, edited)


@pytest.mark.parametrize(
    ("password", "terms", "points"),
    [
        ("C0ntos0Blank12", ["contoso", "blank"], 4),
        ("ContoS0Bl@nkf9!", ["contoso", "blank"], 5),
        ("ContoS0Bl@nkf9!", ["CONTOSO", "BL@NK"], 5),
        ("ContosoContoso", ["contoso"], 2),
        ("abcdeg", ["abcdef"], 1),
        ("abcdefg", ["abcdef"], 1),
        ("abcde", ["abcdef"], 1),
        ("abcdefgh", ["abcdef"], 3),
        ("unrelated", ["contoso"], 9),
        ("unrelated", [], 9),
        ("", ["contoso"], 0),
        ("", ["a"], 0),
        ("anything", ["", "\u0301"], 8),
    ],
)
def test_each_term_and_each_other_character_is_a_point(
    password: str, terms: list[str], points: int
) -> None:
    assert score(normalise(password), [TermSet(terms)]) == points


@pytest.mark.parametrize(
    ("terms", "points"),
    [
        (["abcd"], 5),
        (["abcd", "abcdef"], 3),
        (["abcdef", "defg"], 3),
        (["abcd", "cdef", "efgh"], 2),
        (["bcdefg", "abcd", "efgh"], 2),
    ],
)
def test_overlapping_terms_are_read_the_way_that_gives_fewest_points(
    terms: list[str], points: int
) -> None:
    assert score("abcdefgh", [TermSet(terms)]) == points


def test_terms_of_several_lists_count_together() -> None:
    assert score("contosoblankl2", [TermSet(["contoso"]), TermSet(["blank"])]) == 4


@given(FEW_LETTERS, st.lists(FEW_LETTERS, max_size=5), FEW_LETTERS)
def test_one_more_banned_term_never_raises_the_points(
    password: str, terms: list[str], more: str
) -> None:
    text = normalise(password)
    assert score(text, [TermSet([*terms, more])]) <= score(text, [TermSet(terms)])


@given(FEW_LETTERS, st.lists(FEW_LETTERS, max_size=5))
def test_points_lie_between_none_and_one_a_character(password: str, terms: list[str]) -> None:
    text = normalise(password)
    assert min(1, len(text)) <= score(text, [TermSet(terms)]) <= len(text)


def test_the_set_of_a_list_is_built_once() -> None:
    assert term_set(("contoso", "blank")) is term_set(("contoso", "blank"))


@pytest.mark.parametrize(
    ("terms", "problems"),
    [
        ([], ()),
        (["four", "sixteen-letters!"], ()),
        (["abc"], (TermProblem(0, "too_short"),)),
        ([" abc "], (TermProblem(0, "too_short"),)),
        (["seventeen-letters"], (TermProblem(0, "too_long"),)),
        (["contoso", "blank", "ContosO"], (TermProblem(2, "duplicate"),)),
        (["ab", "ab"], (TermProblem(0, "too_short"), TermProblem(1, "too_short"))),
    ],
)
def test_a_list_of_terms_is_told_what_is_wrong(
    terms: list[str], problems: tuple[TermProblem, ...]
) -> None:
    assert banned_term_problems(terms) == problems


@pytest.mark.parametrize(
    ("count", "problems"),
    [
        (1000, ()),
        (1001, (TermProblem(1000, "too_many"),)),
        (5000, (TermProblem(1000, "too_many"),)),
    ],
)
def test_a_thousand_terms_are_the_limit(count: int, problems: tuple[TermProblem, ...]) -> None:
    assert banned_term_problems([f"term{number}" for number in range(count)]) == problems
