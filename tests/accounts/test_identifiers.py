"""The one form in which a person is looked up; what is no user ID is not bent into one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.identifiers import (
    canonical,
    canonical_mailbox,
    find_domain,
    is_user_id,
    mailbox_domain,
)

MIKE = "mike@example.org"


@pytest.mark.parametrize("text", [MIKE, "MIKE@EXAMPLE.ORG", " Mike@Example.org  "])
def test_case_and_blanks_of_ascii_do_not_matter(text: str) -> None:
    assert canonical(text) == MIKE
    assert find_domain(canonical(text)) == "example.org"


@pytest.mark.parametrize(
    "text",
    [
        "mıke@example.org",  # dotless i
        "MİKE@EXAMPLE.ORG",  # dotted capital i
        "mi\u212ae@example.org",  # the Kelvin sign lower-cases to k
        "\uff4dike@example.org",  # full-width m
        "ﬁona@example.org",  # ligature fi
        "mi\u200bke@example.org",  # zero-width space
        "mіke@example.org",  # Cyrillic i
        "mike@example.org\x00",
        "mike@example.org\u00a0",  # no-break space
        "\u202emike@example.org",  # right-to-left mark
        "mike@exämple.org",
        "mike@example.org\n",
        "\tmike@example.org",
    ],
)
def test_what_looks_like_a_user_id_stays_another(text: str) -> None:
    assert canonical(text) != MIKE
    assert not is_user_id(text)


@pytest.mark.parametrize(
    "text",
    [
        "a@b.example",
        "first.last@b.example",
        "o'neil-1_2!#^~x@b.example",
        "guest_home.example#EXT#@b.example",
        f"{'a' * 64}@{'b' * 40}.example",
        f"a@{'b' * 40}.example",
        "a@1.2.example",
    ],
)
def test_these_are_user_ids(text: str) -> None:
    assert is_user_id(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alice",
        "@b.example",
        "a@",
        "a@b",
        "a@@b.example",
        "a@b@c.example",
        "a.@b.example",
        "a b@b.example",
        "a+b@b.example",
        'a"@b.example',
        "a@-b.example",
        "a@b-.example",
        "a@b..example",
        "a@b.example.",
        "a@[192.0.2.7]",
        f"{'a' * 65}@b.example",
        f"a@{'b' * 41}.example",
        f"{'a' * 64}@{'b' * 41}.example",
        "a" * 10_000,
        f"{'a' * 10_000}@b.example",
        "a@" + "b." * 5_000 + "example",
    ],
)
def test_these_are_none(text: str) -> None:
    assert not is_user_id(text)


def test_the_longest_user_id_has_a_hundred_and_thirteen_characters() -> None:
    longest = f"{'a' * 64}@{'b' * 40}.example"

    assert len(longest) == 113
    assert is_user_id(longest)
    assert not is_user_id("a" + longest)


@given(st.text(max_size=130))
def test_the_canonical_form_is_final_and_only_ascii_is_a_user_id(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)
    assert text.isascii() or not is_user_id(text)


@pytest.mark.parametrize(
    ("address", "anchor", "domain"),
    [
        ("Alice@Example.net", "alice@example.net", "example.net"),
        ("alice+reset@example.net", "alice@example.net", "example.net"),
        ("alice+a+b@example.net", "alice@example.net", "example.net"),
        (" alice@EXAMPLE.net ", "alice@example.net", "example.net"),
        ("al.ice@example.net", "al.ice@example.net", "example.net"),
    ],
)
def test_one_mailbox_is_one_anchor(address: str, anchor: str, domain: str) -> None:
    assert canonical_mailbox(address) == anchor
    assert mailbox_domain(address) == domain
