"""A policy told in sentences."""

from typing import Any

import pytest

from tenants.policy import METHODS, PolicyRules
from tenants.policy_summary import METHOD_WORDS, policy_summary

RULES = PolicyRules(methods=("mobile_phone", "app_code"))


def told(named: str = "", gates: int = 2, calls: bool = True, **changes: Any) -> str:
    rules = PolicyRules(**{**RULES.__dict__, **changes})
    return policy_summary(rules, group=named, administrator_gates=gates, calls=calls)


def test_everybody_with_a_licence_and_the_strongest_method_first() -> None:
    assert told() == (
        "Everybody with a licence resets with 2 of: app code, mobile phone. "
        "Administrators: two proofs, never questions."
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"require_licence": False}, "Everybody resets with 2 of"),
        (
            {"enabled": "selected", "named": "Pilot"},
            "Everybody in Pilot with a licence",
        ),
        ({"enabled": "none"}, "Nobody resets their own password."),
        ({"enabled": "selected"}, "Nobody resets their own password."),
        ({"methods_required": 3}, "would need three proofs, more than there are methods."),
        ({"admins_may_reset": False}, "Administrators: not at all."),
    ],
)
def test_each_rule_changes_the_sentence(changes: dict[str, Any], words: str) -> None:
    assert words in told(**changes)


def test_what_does_not_count_is_not_told() -> None:
    methods = ("app_code", "office_phone", "security_questions")

    assert "office phone call" in told(methods=methods)
    assert "office phone call" not in told(methods=methods, calls=False)
    assert "security questions." in told(methods=methods)
    assert "security" not in told(methods=methods, methods_required=1)


def test_one_proof_of_an_administrator_and_a_word_for_every_method() -> None:
    assert "Administrators: one proof" in told(gates=1)
    assert METHOD_WORDS.keys() == set(METHODS)
