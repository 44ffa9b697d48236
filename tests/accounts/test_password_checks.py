"""Which password rules hold for whom: the plan and the place of the password decide."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from accounts.password_checks import breached_list, strength_of, terms_for, violations
from tenants.secret import Secret
from tests.cast import Acme

# A password that breaks nothing but the one rule its name tells.
OWN_TERM = "kestrelA1"
COMMON = "Password1!"
SHORT = "aB3!x"
GOOD = "Tulip-Harbor-92-lamp"

# Plan → which banned lists hold: global for cloud people, global for synchronised ones, custom.
BANNED = [
    ("free", True, False, False),
    ("business_standard", True, False, False),
    ("business_premium", True, True, True),
    ("p1", True, True, True),
    ("p2", True, True, True),
]


def codes(acme: Acme, password: str, *, source: str = "cloud", **changes: Any) -> list[str]:
    """What is wrong with the password for bob, whose names are in none of them."""
    policy = acme.policy
    policy.banned_terms = ["kestrel"]
    acme.subscription.plan = changes.pop("plan", "p1")
    for name, value in changes.items():
        setattr(policy, name, value)
    bob = acme.bob
    bob.source = User.Source(source)
    terms = terms_for(bob, acme.tenant, policy, acme.subscription, "reset")
    return [violation.code for violation in violations(Secret(password), terms)]


@pytest.mark.parametrize(("plan", "cloud", "synchronised", "custom"), BANNED)
def test_the_plan_says_which_banned_lists_hold(
    acme: Acme, plan: str, cloud: bool, synchronised: bool, custom: bool
) -> None:
    assert ("banned" in codes(acme, COMMON, plan=plan)) is cloud
    assert ("banned" in codes(acme, COMMON, source="pass_through", plan=plan)) is synchronised
    assert ("banned" in codes(acme, OWN_TERM, plan=plan)) is custom
    assert codes(acme, GOOD, plan=plan) == []
    assert codes(acme, GOOD, source="federated", plan=plan) == []


@pytest.mark.parametrize("source", ["password_hash_sync", "pass_through", "federated"])
def test_length_and_characters_of_a_directory_password_are_the_directorys_to_judge(
    acme: Acme, source: str
) -> None:
    assert codes(acme, SHORT) == ["too_short"]
    assert codes(acme, SHORT, source=source) == []
    assert codes(acme, "пароль-к-замку-7") == ["character_not_allowed", "too_few_classes"]
    assert codes(acme, "пароль-к-замку-7", source=source) == []
    assert codes(acme, "x" * 257, source=source) == ["too_long"]


def test_the_tenants_own_minimum_counts(acme: Acme) -> None:
    assert codes(acme, GOOD, password_min_length=20) == []
    assert codes(acme, GOOD, password_min_length=21) == ["too_short"]


def test_the_nist_set_asks_for_no_classes(acme: Acme) -> None:
    assert codes(acme, "quietlanternharbour") == ["too_few_classes"]
    assert codes(acme, "quietlanternharbour", password_rules="nist") == []


def test_a_breached_password_is_refused_where_the_tenant_checks(
    acme: Acme, settings: Any, tmp_path: Path
) -> None:
    digest = hashlib.sha1(GOOD.encode(), usedforsecurity=False).hexdigest().upper()
    listed = tmp_path / "breached.txt"
    listed.write_text(f"{digest}:12\n")
    settings.SSPR_BREACHED_FILE = str(listed)
    breached_list.cache_clear()

    assert codes(acme, GOOD, check_breached=True) == ["breached"]
    assert codes(acme, GOOD, check_breached=False) == []
    assert codes(acme, GOOD + "s", check_breached=True) == []


def test_an_unreadable_list_is_told_and_stops_nobody(
    acme: Acme,
    settings: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.SSPR_BREACHED_FILE = str(tmp_path / "gone.txt")
    breached_list.cache_clear()

    assert codes(acme, GOOD, check_breached=True) == []
    assert codes(acme, COMMON, check_breached=True) != []
    assert "breached_list_unreadable" in caplog.text
    assert GOOD not in caplog.text


def test_strength_knows_the_persons_names(acme: Acme) -> None:
    terms = terms_for(acme.alice, acme.tenant, acme.policy, acme.subscription, "reset")

    assert strength_of(Secret(acme.alice.user_id), terms).score == 0
    assert strength_of(Secret(GOOD), terms).word in {"good", "strong"}
