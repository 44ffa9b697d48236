"""The table of roles and permissions."""

import pytest

from tenants.admin.permissions import Permission, may, may_touch, permissions_of
from tenants.roles import ADMINISTRATOR_ROLES, AUDITOR_ROLES, READER_ROLES, ROLES

EVERYTHING = frozenset(Permission)


def test_only_the_global_administrator_may_do_everything() -> None:
    assert permissions_of(["global_administrator"]) == EVERYTHING
    assert [role for role in sorted(ROLES) if permissions_of([role]) == EVERYTHING] == [
        "global_administrator"
    ]


@pytest.mark.parametrize("role", sorted(READER_ROLES))
def test_readers_look_at_most(role: str) -> None:
    assert permissions_of([role]) == ({Permission.SEE} if role in AUDITOR_ROLES else set())


@pytest.mark.parametrize("role", sorted(ADMINISTRATOR_ROLES - {"global_administrator"}))
def test_the_policy_and_the_settings_are_for_those_who_are_named(role: str) -> None:
    granted = permissions_of([role])

    assert Permission.SEE in granted
    assert (Permission.POLICY in granted) is (role == "authentication_policy_administrator")
    assert (Permission.SETTINGS in granted) is (role == "organizational_branding_administrator")


@pytest.mark.parametrize(
    ("role", "permission", "allowed"),
    [
        ("helpdesk_administrator", Permission.RECOVER, True),
        ("helpdesk_administrator", Permission.LIFT_BLOCKS, True),
        ("helpdesk_administrator", Permission.PEOPLE, False),
        ("helpdesk_administrator", Permission.ROLES, False),
        ("user_administrator", Permission.PEOPLE, True),
        ("user_administrator", Permission.LICENCES, True),
        ("user_administrator", Permission.ROLES, False),
        ("license_administrator", Permission.LICENCES, True),
        ("license_administrator", Permission.PEOPLE, False),
        ("groups_administrator", Permission.GROUPS, True),
        ("exchange_administrator", Permission.RECOVER, False),
        ("password_administrator", Permission.RESET, True),
        ("helpdesk_administrator", Permission.RESET, True),
        ("hybrid_identity_administrator", Permission.RESET, False),
        ("hybrid_identity_administrator", Permission.DIRECTORIES, True),
        ("helpdesk_administrator", Permission.DIRECTORIES, False),
        ("user_administrator", Permission.DIRECTORIES, False),
    ],
)
def test_each_role_has_its_own_work(role: str, permission: Permission, allowed: bool) -> None:
    assert may([role], permission) is allowed


@pytest.mark.parametrize(
    "target", ["global_administrator", "helpdesk_administrator", "global_reader"]
)
def test_whoever_holds_a_role_is_changed_by_few(target: str) -> None:
    assert may_touch(["user_administrator"], Permission.PEOPLE, [])
    assert not may_touch(["user_administrator"], Permission.PEOPLE, [target])
    assert may_touch(["global_administrator"], Permission.PEOPLE, [target])
    assert may_touch(["privileged_authentication_administrator"], Permission.RECOVER, [target])
    assert not may_touch(["privileged_authentication_administrator"], Permission.PEOPLE, [target])


def test_several_roles_add_up_and_none_is_nothing() -> None:
    both = permissions_of(["groups_administrator", "license_administrator"])

    assert both == {Permission.SEE, Permission.GROUPS, Permission.LICENCES}
    assert permissions_of([]) == frozenset()
    assert permissions_of(["no such role"]) == frozenset()
