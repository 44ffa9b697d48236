from typing import get_args

import pytest
from django.utils.translation import override

from accounts.passwords.messages import message, requirements
from accounts.passwords.names import Which
from accounts.passwords.rules import Code, PasswordRules, Violation

TOLD = [
    (Violation("too_short", {"min": 15, "length": 9}), "Use 15 characters or more. Yours has 9"),
    (Violation("too_short", {"min": 1, "length": 0}), "Use 1 character or more. Yours has 0"),
    (Violation("too_long", {"max": 256}), "Use 256 characters or fewer"),
    (
        Violation("character_not_allowed", {"allowed": "ascii"}),
        "Use only letters from A to Z, numbers, spaces and common symbols",
    ),
    (
        Violation("character_not_allowed", {"allowed": "printable"}),
        "Leave out characters that cannot be seen, like tabs or line breaks",
    ),
    (
        Violation("too_few_classes", {"needed": 3, "found": 2}),
        "Use at least 3 of these: small letters, capital letters, numbers, symbols. Yours has 2",
    ),
    (Violation("contains_name", {"which": "given_name"}), "Leave out your first name"),
    (Violation("contains_name", {"which": "surname"}), "Leave out your last name"),
    (Violation("contains_name", {"which": "display_name"}), "Leave out your name"),
    (Violation("contains_name", {"which": "tenant_name"}), "Leave out your organisation's name"),
    (Violation("contains_name", {"which": "user_id"}), "Leave out your user ID"),
    (
        Violation("banned", {"source": "global", "score": 3, "needed": 5}),
        (
            "This password is easy to guess because it uses common words. "
            "Choose a different one, or add more to it"
        ),
    ),
    (
        Violation("banned", {"source": "custom"}),
        (
            "This password uses words that your organisation does not allow. "
            "Choose a different one, or add more to it"
        ),
    ),
    (
        Violation("too_common"),
        (
            "This password is easy to guess because many people use one like it. "
            "Choose a different one"
        ),
    ),
    (
        Violation("breached"),
        (
            "This password is easy to guess because it has appeared in a data breach. "
            "Choose a different one"
        ),
    ),
    (Violation("reused"), "You've used this password before. Choose a new one"),
]


@pytest.mark.parametrize(("violation", "text"), TOLD)
def test_a_refusal_says_what_is_wrong_and_what_to_do(violation: Violation, text: str) -> None:
    with override("en"):
        assert message(violation) == text


def test_every_code_and_every_name_has_its_words() -> None:
    assert {violation.code for violation, _ in TOLD} == set(get_args(Code))
    named = {violation.params.get("which") for violation, _ in TOLD} - {None}
    assert named == set(get_args(Which))


def test_no_message_blames_or_shouts() -> None:
    for _, text in TOLD:
        assert not any(word in text.lower() for word in ("invalid", "illegal", "oops", "!"))


def test_the_requirements_of_entra_are_listed_with_their_keys() -> None:
    with override("en"):
        assert requirements(PasswordRules("entra", min_length=12)) == [
            ("length", "Use 12 characters or more"),
            ("characters", "Use only letters from A to Z, numbers, spaces and common symbols"),
            (
                "classes",
                "Use at least 3 of these: small letters, capital letters, numbers, symbols",
            ),
            ("names", "Leave out your name and your organisation's name"),
            ("common", "Avoid passwords that are easy to guess"),
        ]


def test_the_requirements_of_nist_ask_for_no_kinds_of_characters() -> None:
    with override("en"):
        listed = requirements(PasswordRules("nist", min_length=4))
    assert [requirement.key for requirement in listed] == ["length", "names", "common"]
    assert listed[0].text == "Use 8 characters or more"
