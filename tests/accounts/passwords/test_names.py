from dataclasses import asdict, replace
from typing import Literal

import pytest

from accounts.passwords.names import PasswordContext, forbids_current_password, names_in

from .people import ALICE

NAMELESS = PasswordContext("", "", "", "", "", "reset")


@pytest.mark.parametrize(
    ("password", "found"),
    [
        ("Tulip-Harbor-92-lamp", ()),
        ("MyAlice-2026", ("given_name",)),
        ("my@L1CE-2026", ()),
        ("my@lice-2026", ("given_name",)),
        ("AD4MS-lamp", ()),
        ("@d@m$-lamp", ("surname",)),
        ("alice-adams-7", ("given_name", "surname")),
        ("Northw1nd99", ()),
        ("N0rthwind99", ("tenant_name",)),
        ("Alice.A#77", ("given_name", "user_id")),
        ("Alice Adams!", ("given_name", "surname", "display_name")),
    ],
)
def test_names_are_found_anywhere_after_substitutions(
    password: str, found: tuple[str, ...]
) -> None:
    assert names_in(password, ALICE) == found


@pytest.mark.parametrize(
    ("field", "name", "password", "is_found"),
    [
        ("surname", "Poll", "p0LL23fb", True),
        ("surname", "Pol", "p0L23fbxx", False),
        ("surname", "Müller", "muller-lamp-7", True),
        ("surname", "Müller", "Müller-lamp-7", True),
        ("surname", "O'Brien", "obrien-lamp-7", True),
        ("given_name", "Mary-Jane", "jane-lamp-7", True),
        ("given_name", "Mary-Jane", "maryjane-lamp-7", True),
        ("given_name", "Al Li", "al li lamp 7", True),
        ("given_name", "Al Li", "alfa-lima-7", False),
        ("given_name", "", "lamp-7-tulip", False),
        ("display_name", "Grace Hopper", "hopper-lamp-7", True),
        ("tenant_name", "Acme", "Acme2026!", True),
        ("tenant_name", "The Acme Bank", "acme2026!", True),
        ("tenant_name", "The Acme Bank", "the acme bank", True),
        ("tenant_name", "The Acme Bank", "river-bank-77", False),
        ("tenant_name", "Abc", "abc-lamp-7", False),
        ("user_id", "bob.m@acme.example", "bob.m2026", True),
        ("user_id", "bob@acme.example", "bob-lamp-2026", False),
        ("user_id", "robert_fabrikam.example#EXT#@acme.example", "robert-2026", True),
        ("user_id", "robert_fabrikam.example#EXT#@acme.example", "fabrikam-26", False),
        ("user_id", "robert#EXT#@acme.example", "robert-2026", True),
    ],
)
def test_each_name_counts_from_four_characters(
    field: str, name: str, password: str, is_found: bool
) -> None:
    context = PasswordContext(**{**asdict(NAMELESS), field: name})
    assert names_in(password, context) == ((field,) if is_found else ())


def test_the_words_of_a_display_name_count_only_without_other_names() -> None:
    named = replace(ALICE, display_name="Alice Adams (Sales)")
    assert names_in("sales-lamp-7", named) == ()
    unnamed = replace(named, given_name="", surname="")
    assert names_in("sales-lamp-7", unnamed) == ("display_name",)


def test_a_term_of_two_names_is_told_once() -> None:
    context = replace(ALICE, user_id="alice@northwind.example", display_name="Alice")
    assert names_in("alice-lamp-7", context) == ("given_name",)


@pytest.mark.parametrize(("operation", "forbidden"), [("change", True), ("reset", False)])
def test_only_a_change_may_not_keep_the_password(
    operation: Literal["reset", "change"], forbidden: bool
) -> None:
    context = replace(ALICE, operation=operation)
    assert forbids_current_password(context) is forbidden
