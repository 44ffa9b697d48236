"""What the attributes of a person and of a policy mean."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from writeback.connectors.active_directory_entries import (
    Person,
    domain_rules,
    entry_of,
    own_rules,
    person_of,
)
from writeback.connectors.base import DirectoryRules, Entry
from writeback.connectors.ldap import Found

GUID = "f79fd50a-3777-4039-ab10-baa55ae57946"
PLACE = "CN=ada,OU=Staff,DC=corp"
MOMENT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
TICKS = "134396406000000000"
NO_END = "9223372036854775807"


def found(**values: str | bytes) -> Found:
    """`msDS_x` for the attribute msDS-x."""
    given = {"objectGUID": UUID(GUID).bytes_le, "userAccountControl": "512", **values}
    return Found(
        PLACE,
        {
            name.replace("_", "-").lower(): (value if isinstance(value, bytes) else value.encode(),)
            for name, value in given.items()
        },
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, {}),
        ({"userPrincipalName": "ada@corp", "sAMAccountName": "ada"}, {"login": "ada@corp"}),
        ({"sAMAccountName": "ada"}, {"login": "ada"}),
        ({"adminCount": "1"}, {"protected": True}),
        ({"adminCount": "0"}, {}),
        ({"userAccountControl": "514"}, {"enabled": False}),
        ({"userAccountControl": "no number"}, {}),
        ({"msDS_User_Account_Control_Computed": "16"}, {"locked": True}),
        ({"userAccountControl": "528"}, {}),  # the bit there is of old, and of no meaning
        ({"pwdLastSet": TICKS}, {"changed_at": MOMENT}),
        (
            {"pwdLastSet": "0", "msDS_User_Account_Control_Computed": "8388608"},
            {"must_change": True},
        ),
        ({"pwdLastSet": "0"}, {}),  # of those whose password never expires
        (
            {"pwdLastSet": TICKS, "msDS_User_Account_Control_Computed": "8388608"},
            {"changed_at": MOMENT},  # expired by its age, which is no order to change
        ),
        ({"msDS_UserPasswordExpiryTimeComputed": TICKS}, {"password_ends": MOMENT}),
        ({"msDS_UserPasswordExpiryTimeComputed": NO_END}, {}),
        ({"accountExpires": TICKS}, {"account_ends": MOMENT}),
        ({"accountExpires": "0"}, {}),
        ({"accountExpires": NO_END}, {}),
    ],
)
def test_a_person_is_read_from_attributes(
    values: dict[str, str], expected: dict[str, object]
) -> None:
    assert entry_of(found(**values)) == Entry(GUID, PLACE, **{"login": "", **expected})  # type: ignore[arg-type]


def test_an_object_without_its_id_is_nobody() -> None:
    with pytest.raises(ValueError, match="16"):
        entry_of(Found(PLACE, {}))


def test_reminders_know_an_address_and_a_superior() -> None:
    person = person_of(found(mail="ada@corp", manager="CN=mona"))

    assert person == Person(entry_of(found()), "ada@corp", "CN=mona")
    assert person_of(found()).manager == ""


def test_the_rules_of_the_domain() -> None:
    head = found(
        minPwdLength="10",
        pwdHistoryLength="5",
        pwdProperties="1",
        minPwdAge="-864000000000",
        maxPwdAge="-36288000000000",
        lockoutThreshold="3",
        lockoutDuration="-18000000000",
    )

    assert domain_rules(head, history_on_reset=True) == DirectoryRules(
        min_length=10,
        history=5,
        history_on_reset=True,
        complexity=True,
        min_age=timedelta(days=1),
        max_age=timedelta(days=42),
        lockout_threshold=3,
        lockout_duration=timedelta(minutes=30),
    )


@pytest.mark.parametrize("age", ["0", "-9223372036854775808"])
def test_passwords_and_locks_without_an_end_have_none(age: str) -> None:
    rules = domain_rules(found(maxPwdAge=age, lockoutDuration=age), history_on_reset=False)

    assert rules == DirectoryRules()


def test_the_rules_of_a_policy_of_somebody_s_own() -> None:
    policy = found(
        msDS_MinimumPasswordLength="16",
        msDS_PasswordHistoryLength="7",
        msDS_PasswordComplexityEnabled="TRUE",
        msDS_MinimumPasswordAge="0",
        msDS_MaximumPasswordAge="-77760000000000",
        msDS_LockoutThreshold="4",
        msDS_LockoutDuration="-12000000000",
    )

    assert own_rules(policy, history_on_reset=False) == DirectoryRules(
        min_length=16,
        history=7,
        complexity=True,
        min_age=timedelta(0),
        max_age=timedelta(days=90),
        lockout_threshold=4,
        lockout_duration=timedelta(minutes=20),
        fine_grained=True,
    )


def test_of_a_policy_that_may_not_be_read_only_its_being_is_told() -> None:
    expected = DirectoryRules(history_on_reset=True, fine_grained=True)

    assert own_rules(None, history_on_reset=True) == expected
