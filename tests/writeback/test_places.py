"""Where an agent may touch somebody: names are compared part by part, never as text (A-112)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from writeback.places import NotAPlace, is_within, read_place

STAFF = read_place("OU=Staff,DC=example,DC=com")


@pytest.mark.parametrize(
    "name",
    [
        "CN=Alice,OU=Staff,DC=example,DC=com",
        "cn=alice , ou=STAFF,dc=Example , DC=COM",
        "CN=Alice,OU=Berlin,OU=Staff,DC=example,DC=com",
        r"CN=O\,Brien\+x\=\#1,OU=Staff,DC=example,DC=com",
        r"CN=Alice,OU=\53\74aff,DC=example,DC=com",
        r"CN=Adams\, Alice+uid=7,OU=Staff,DC=example,DC=com",
        r"CN=\ \#1 \ ,OU=Staff,DC=example,DC=com",
        r"CN=say \"a\\b\",OU=Staff,DC=example,DC=com",
        r"CN=two\0Alines,OU=Staff,DC=example,DC=com",
        "OU=Staff,DC=example,DC=com",
    ],
)
def test_a_person_below_an_allowed_place_is_in_it(name: str) -> None:
    assert is_within(name, [STAFF])


@pytest.mark.parametrize(
    "name",
    [
        "CN=Alice,OU=Admins,DC=example,DC=com",
        "CN=Alice,OU=Staff,DC=example,DC=com,DC=evil",
        "CN=Alice,DC=example,DC=com",
        "DC=example,DC=com",
        r"CN=Alice\,OU=Staff,DC=example,DC=com",
        r"CN=Alice\,OU=Staff\,DC=example\,DC=com",
        r"CN=Alice\2COU=Staff,DC=example,DC=com",
        "CN=Alice,XOU=Staff,DC=example,DC=com",
        "CN=Alice,OU=BadStaff,DC=example,DC=com",
        "CN=Alice,OU=Staff+CN=x,DC=example,DC=com",
        r"CN=Alice,OU=Staff\ ,DC=example,DC=com",
        "CN=Alice,OU=#1305537461666,DC=example,DC=com",
        r"CN=Alice,OU=Staff\00,DC=example,DC=com",
        "/OU=Staff,DC=example,DC=com",
    ],
)
def test_a_name_that_only_looks_like_it_is_not_in_it(name: str) -> None:
    assert not is_within(name, [STAFF])


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Alice",
        "=Alice,OU=Staff,DC=example,DC=com",
        "CN=,OU=Staff,DC=example,DC=com",
        "CN= ,OU=Staff,DC=example,DC=com",
        ",OU=Staff,DC=example,DC=com",
        "CN=Alice,,OU=Staff,DC=example,DC=com",
        'CN="Alice,OU=x",OU=Staff,DC=example,DC=com',
        "CN=Alice;OU=Staff,DC=example,DC=com",
        "CN=Alice\0,OU=Staff,DC=example,DC=com",
        "CN=Alice<x>,OU=Staff,DC=example,DC=com",
        "CN=Alice\\,OU=Staff,DC=example,DC=com\\",
        r"CN=\FF,OU=Staff,DC=example,DC=com",
        r"CN=\zz,OU=Staff,DC=example,DC=com",
        "1.2.=x,OU=Staff,DC=example,DC=com",
        "C N=x,OU=Staff,DC=example,DC=com",
    ],
)
def test_what_is_no_name_is_nowhere(name: str) -> None:
    with pytest.raises(NotAPlace):
        read_place(name)
    assert not is_within(name, [STAFF])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("OU=Köln", "ou=KÖLN", True),
        ("OU=A+CN=b", "CN=B+OU=a", True),
        ("OU=#0401FF", "OU=#0401ff", True),
        ("OU=#0401FF", r"OU=\#0401FF", False),
        ("OU=Strasse", "OU=Straße", False),
        ("OU=k", "OU=\u212a", False),
        ("OU=a  b", "OU=a b", False),
        (r"OU=\C3\A4", "OU=ä", True),
        ("2.5.4.11=Staff", "OU=Staff", False),
    ],
)
def test_two_names_are_the_same_only_if_there_is_no_doubt(one: str, other: str, same: bool) -> None:
    assert (read_place(one) == read_place(other)) is same


@pytest.mark.parametrize(
    ("path", "within"),
    [
        ("/users/7", True),
        ("/Users/7", True),
        ("/users", True),
        ("/users-old/7", False),
        ("/admins/users/7", False),
        ("/users/../admins/7", False),
        ("/users//7", False),
        ("/users/./7", False),
        ("/", False),
        ("users=7", False),
    ],
)
def test_a_path_is_compared_name_by_name(path: str, within: bool) -> None:
    assert is_within(path, [read_place("/users")]) is within


def test_any_of_several_places_is_enough_and_none_holds_nobody() -> None:
    alice = "CN=Alice,OU=Staff,DC=example,DC=com"

    assert is_within(alice, [read_place("OU=Students,DC=example,DC=com"), STAFF])
    assert not is_within(alice, [])
    assert not is_within(alice, [()])


def _escaped(text: str) -> str:
    return "".join(f"\\{byte:02x}" for byte in text.encode())


@given(st.text(min_size=1).filter(lambda text: text.strip(" ")))
def test_whatever_is_in_a_value_it_ends_nowhere_else(text: str) -> None:
    name = f"CN={_escaped(text)},OU=Staff,DC=example,DC=com"

    assert len(read_place(name)) == 4
    assert is_within(name, [STAFF])
    assert not is_within(f"CN=x,OU={_escaped(text)}\\,OU=Staff,DC=example,DC=com", [STAFF])
