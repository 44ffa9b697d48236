import pytest

from accounts.passwords.common import KnownPasswords, derives_from, shipped_passwords
from accounts.passwords.terms import TermSet


def test_the_shipped_list_is_read_once() -> None:
    assert shipped_passwords() is shipped_passwords()
    assert len(shipped_passwords().entries.terms) > 15_000


@pytest.mark.parametrize(
    ("password", "known"),
    [
        ("password1", True),
        ("P@$$w0rd1", True),
        ("IloveYou", True),
        ("Tulip-Harbor-92-lamp", False),
        ("", False),
    ],
)
def test_a_common_password_is_known_in_any_disguise(password: str, known: bool) -> None:
    assert (password in shipped_passwords()) is known


def test_the_global_terms_are_the_most_frequent_words_of_the_list() -> None:
    ranked = ["abc12", "four", "seventeenletters", "eighteenletters", "Fifth", "p4ssword"]
    terms = KnownPasswords(ranked).global_terms
    assert terms[:3] == ("seventeenletters", "eighteenletters", "fifth")
    assert "four" not in terms
    assert "p4ssword" not in terms


def test_the_global_terms_end_at_a_thousand_words() -> None:
    letters = "abcdefghij"
    ranked = [f"tulip{a}{b}{c}x" for a in letters for b in letters for c in letters] + ["tulipend"]
    known = KnownPasswords(ranked)
    assert "tulipjjjx" in known.global_terms
    assert "tulipend" not in known.global_terms
    assert "tulipend" in known


@pytest.mark.parametrize(
    "term", ["summer", "october", "welcome", "qwertz", "l234", "432l", "2o26", "oooo", "marz"]
)
def test_what_guessers_try_first_is_a_global_term(term: str) -> None:
    assert term in shipped_passwords().global_set


def test_no_global_term_is_shorter_than_four_characters() -> None:
    assert min(shipped_passwords().global_set.lengths) == 4


@pytest.mark.parametrize(
    ("password", "derived"),
    [
        ("Welcome", True),
        ("We1come", True),
        ("Welcomes", True),
        ("Welcome2026!", True),
        ("!!Welcome2026", True),
        ("!!Welcome2026!", False),
        ("WelcomeHome2026", False),
        ("welcome to the lamp", False),
        ("123456", False),
        ("", False),
    ],
)
def test_a_term_with_a_little_around_it_derives_from_the_term(password: str, derived: bool) -> None:
    assert derives_from(password, TermSet(["welcome"])) is derived
