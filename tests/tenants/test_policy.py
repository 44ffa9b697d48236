"""Which rules can't stand together, and the fixed policy of administrators."""

from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Any

import pytest

from tenants.policy import (
    ADMINISTRATOR_METHODS,
    METHODS,
    STRONGEST_FIRST,
    PolicyRules,
    find_administrator_policy,
    problems,
)
from tenants.roles import ADMINISTRATOR_ROLES, READER_ROLES, holds_administrator_role

STARTED = date(2026, 11, 1)
GOOD = PolicyRules()
QUESTIONS = ("security_questions",)
BOTH_APPS = ("app_code", "app_notification")

POSSIBLE: list[dict[str, Any]] = [
    {},
    {"enabled": "none", "methods": ()},
    {"enabled": "selected", "group": "g"},
    {"methods": METHODS, "methods_required": 3},
    {"methods": ("email",), "methods_required": 1},
    {"methods": ("email", "security_questions"), "methods_required": 2},
    {"methods": ("app_code", "email"), "methods_required": 1},
    {"methods": (*BOTH_APPS, "email", "mobile_phone"), "methods_required": 2},
    {"reconfirm_days": 0},
    {"reconfirm_days": 730},
    {"questions_to_register": 3, "questions_to_reset": 3},
    {"questions_to_register": 5, "questions_to_reset": 5},
    {"custom_questions": tuple(f"Question {number}?" for number in range(20))},
    {"custom_questions": ("abc", "x" * 200)},
    {"notify_admins": "global"},
    {"notify_admins": "none"},
]
IMPOSSIBLE: list[tuple[dict[str, Any], str, str]] = [
    ({"enabled": "some"}, "enabled", "unknown_value"),
    ({"enabled": "selected"}, "group", "group_missing"),
    ({"notify_admins": "some"}, "notify_admins", "unknown_value"),
    ({"reconfirm_days": -1}, "reconfirm_days", "out_of_range"),
    ({"reconfirm_days": 731}, "reconfirm_days", "out_of_range"),
    ({"methods_required": 0}, "methods_required", "out_of_range"),
    ({"methods_required": 4, "methods": METHODS}, "methods_required", "out_of_range"),
    ({"methods": ("email", "pigeon")}, "methods", "unknown_value"),
    ({"methods": ("email", "email", "app_code", "mobile_phone")}, "methods", "named_twice"),
    ({"methods": QUESTIONS, "methods_required": 1}, "methods", "questions_alone"),
    ({"methods": ("app_code",), "methods_required": 1}, "methods", "authenticator_alone"),
    ({"methods": BOTH_APPS, "methods_required": 1}, "methods", "authenticator_alone"),
    ({"methods": ("app_code", "email")}, "methods", "authenticator_alone"),
    ({"methods": (*BOTH_APPS, "email")}, "methods", "authenticator_alone"),
    ({"methods": ("email",)}, "methods", "too_few_methods"),
    ({"methods": ()}, "methods", "too_few_methods"),
    ({"methods": ("email", "passkey"), "methods_required": 3}, "methods", "too_few_methods"),
    ({"questions_to_register": 2, "questions_to_reset": 2}, "questions_to_reset", "out_of_range"),
    ({"questions_to_register": 6}, "questions_to_register", "out_of_range"),
    (
        {"questions_to_register": 3, "questions_to_reset": 4},
        "questions_to_reset",
        "more_than_registered",
    ),
    (
        {"custom_questions": tuple(f"Question {n}?" for n in range(21))},
        "custom_questions",
        "too_many",
    ),
    ({"custom_questions": ("ab",)}, "custom_questions", "out_of_range"),
    ({"custom_questions": ("x" * 201,)}, "custom_questions", "out_of_range"),
    ({"custom_questions": ("Pet?", "PET?")}, "custom_questions", "named_twice"),
]


@pytest.mark.parametrize("change", POSSIBLE)
def test_these_rules_can_stand_together(change: dict[str, Any]) -> None:
    assert problems(replace(GOOD, **change)) == ()


@pytest.mark.parametrize(("change", "field", "code"), IMPOSSIBLE)
def test_an_impossible_combination_names_its_field_and_a_fix(
    change: dict[str, Any], field: str, code: str
) -> None:
    found = problems(replace(GOOD, **change))

    assert (field, code) in {(problem.field, problem.code) for problem in found}
    assert all(len(problem.fix) > 10 and problem.fix.endswith(".") for problem in found)
    assert all(hasattr(GOOD, problem.field) for problem in found)


def test_every_problem_is_told_at_once() -> None:
    found = problems(replace(GOOD, enabled="some", reconfirm_days=731, questions_to_reset=9))

    assert {problem.field for problem in found} >= {
        "enabled",
        "reconfirm_days",
        "questions_to_reset",
    }


def test_the_strongest_order_names_every_method_once() -> None:
    assert sorted(STRONGEST_FIRST) == sorted(METHODS)


def test_administrators_prove_themselves_with_a_phone_a_mailbox_or_an_app() -> None:
    phones, apps = {"mobile_phone", "office_phone"}, {"app_code", "app_notification"}

    assert set(ADMINISTRATOR_METHODS) == phones | apps | {"email"}


# days since the trial began (None: no trial), custom domain, synchronised → gates
ADMINISTRATORS = [
    (None, False, False, 1),
    (None, True, False, 2),
    (None, False, True, 2),
    (None, True, True, 2),
    *[(29, custom, synchronised, 1) for custom in (False, True) for synchronised in (False, True)],
    *[(30, custom, synchronised, 2) for custom in (False, True) for synchronised in (False, True)],
    *[(31, custom, synchronised, 2) for custom in (False, True) for synchronised in (False, True)],
]


@pytest.mark.parametrize(("days", "custom", "synchronised", "gates"), ADMINISTRATORS)
def test_administrators_pass_the_gates_of_the_fixed_policy(
    days: int | None, custom: bool, synchronised: bool, gates: int
) -> None:
    policy = find_administrator_policy(
        ["helpdesk_administrator"],
        trial_started=None if days is None else STARTED,
        today=STARTED + timedelta(days=days or 0),
        custom_domain=custom,
        synchronised=synchronised,
    )

    assert policy is not None
    assert policy.gates_required == gates
    assert policy.methods == ADMINISTRATOR_METHODS


def policy_of(*roles: str) -> object:
    return find_administrator_policy(
        roles, trial_started=None, today=STARTED, custom_domain=True, synchronised=False
    )


@pytest.mark.parametrize("role", sorted(ADMINISTRATOR_ROLES))
def test_each_listed_role_makes_an_administrator(role: str) -> None:
    assert policy_of(role) is not None
    assert policy_of("global_reader", role) is not None
    assert holds_administrator_role([role])


@pytest.mark.parametrize("role", sorted(READER_ROLES))
def test_who_only_reads_is_none(role: str) -> None:
    assert policy_of(role) is None


def test_the_published_list_has_seventy_eight_roles() -> None:
    assert len(ADMINISTRATOR_ROLES) == 78
    assert not ADMINISTRATOR_ROLES & READER_ROLES
    assert policy_of() is None
    assert policy_of("somebody_new") is None


def test_a_policy_that_says_nothing_is_the_one_that_is_documented() -> None:
    assert asdict(PolicyRules()) == {
        "enabled": "all",
        "group": "",
        "require_licence": True,
        "methods": ("email", "app_code", "mobile_phone", "office_phone"),
        "methods_required": 2,
        "combined_registration": True,
        "questions_to_register": 5,
        "questions_to_reset": 3,
        "custom_questions": (),
        "require_registration": True,
        "register_with_password": True,
        "reconfirm_days": 180,
        "notify_user": True,
        "notify_admins": "all",
        "admins_may_reset": True,
        "writeback": False,
        "unlock_without_reset": False,
    }
