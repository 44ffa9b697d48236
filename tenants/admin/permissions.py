"""PURE. What each directory role may do on the administration site: one table, role → permissions.

Everybody who may enter sees everything of the tenant. Whoever holds any role at all is changed by
those alone who also hold the permission `administrators`.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from ..roles import GLOBAL_ADMINISTRATOR, PASSWORD_ADMINISTRATOR, USER_ADMINISTRATOR, may_enter


class Permission(StrEnum):
    """One kind of thing to do."""

    SEE = "see"
    SETTINGS = "settings"
    POLICY = "policy"
    PEOPLE = "people"
    """Add people, change what is on file about them, disable and remove them."""
    GROUPS = "groups"
    LICENCES = "licences"
    RECOVER = "recover"
    """Let a frozen person in again, end sessions."""
    LIFT_BLOCKS = "lift_blocks"
    PASSES = "passes"
    """Issue temporary access passes."""
    METHODS = "methods"
    """Remove a lost method, require registering again, give disabled methods back."""
    RESET = "reset"
    """Have a temporary password set in the directory, and look at what it says of a person."""
    DIRECTORIES = "directories"
    """Connect directories, let agents in and put them out, say which account there is whose."""
    TOKENS = "tokens"
    """Fill the inventory of tokens, hand them out and take them back."""
    ROLES = "roles"
    ADMINISTRATORS = "administrators"
    """All of the above also for people who hold a role."""


_LOCKS = frozenset({Permission.RECOVER, Permission.LIFT_BLOCKS, Permission.RESET})
_HELP_DESK = _LOCKS | {Permission.PASSES, Permission.METHODS}
_TABLE: Mapping[str, frozenset[Permission]] = {
    GLOBAL_ADMINISTRATOR: frozenset(Permission),
    "privileged_role_administrator": frozenset({Permission.ROLES, Permission.ADMINISTRATORS}),
    "privileged_authentication_administrator": _HELP_DESK
    | {Permission.TOKENS, Permission.ADMINISTRATORS},
    "authentication_policy_administrator": frozenset({Permission.POLICY, Permission.TOKENS}),
    "organizational_branding_administrator": frozenset({Permission.SETTINGS}),
    USER_ADMINISTRATOR: _HELP_DESK | {Permission.PEOPLE, Permission.GROUPS, Permission.LICENCES},
    "groups_administrator": frozenset({Permission.GROUPS}),
    "license_administrator": frozenset({Permission.LICENCES}),
    "helpdesk_administrator": _HELP_DESK,
    "hybrid_identity_administrator": frozenset({Permission.DIRECTORIES}),
    PASSWORD_ADMINISTRATOR: _LOCKS,
    "authentication_administrator": _HELP_DESK | {Permission.TOKENS},
}
"""Roles that are not named here only look."""


def permissions_of(roles: Iterable[str]) -> frozenset[Permission]:
    """Everything that holders of `roles` may do; nothing for those who may not enter."""
    held = list(roles)
    if not may_enter(held):
        return frozenset()
    granted = (_TABLE.get(role, frozenset()) for role in held)
    return frozenset({Permission.SEE}).union(*granted)


def may(roles: Iterable[str], permission: Permission) -> bool:
    return permission in permissions_of(roles)


def may_touch(
    roles: Iterable[str], permission: Permission, target_roles: Iterable[str] = ()
) -> bool:
    """Whether holders of `roles` may do this to a person who holds `target_roles`."""
    granted = permissions_of(roles)
    return permission in granted and (not any(target_roles) or Permission.ADMINISTRATORS in granted)
