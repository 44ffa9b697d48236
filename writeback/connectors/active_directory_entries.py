"""PURE. What the attributes of a person and of a policy mean."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .active_directory_values import duration, guid_text, moment
from .base import DirectoryRules, Entry

if TYPE_CHECKING:
    from .ldap import Found

PERSON: Final = (
    "objectGUID",
    "userPrincipalName",
    "sAMAccountName",
    "adminCount",
    "userAccountControl",
    "msDS-User-Account-Control-Computed",
    "pwdLastSet",
    "accountExpires",
    "msDS-UserPasswordExpiryTimeComputed",
)
DOMAIN_RULES: Final = (
    "minPwdLength",
    "pwdHistoryLength",
    "pwdProperties",
    "minPwdAge",
    "maxPwdAge",
    "lockoutThreshold",
    "lockoutDuration",
)
OWN_RULES: Final = (
    "msDS-MinimumPasswordLength",
    "msDS-PasswordHistoryLength",
    "msDS-PasswordComplexityEnabled",
    "msDS-MinimumPasswordAge",
    "msDS-MaximumPasswordAge",
    "msDS-LockoutThreshold",
    "msDS-LockoutDuration",
)
_DISABLED: Final = 0x2
_LOCKED: Final = 0x10
_EXPIRED: Final = 0x800000
_COMPLEX: Final = 0x1


@dataclass(frozen=True)
class Person:
    """Somebody whom a reminder may reach. manager: their place, "" where there is none."""

    entry: Entry
    mail: str
    manager: str


def entry_of(found: "Found") -> Entry:
    """Raises ValueError for an object without its permanent id.

    Locked and expired are the server's own reckoning, which knows of a lock that has run out and
    of accounts whose password never expires; the bits of `userAccountControl` do not.
    """
    control = found.number("userAccountControl") or 0
    computed = found.number("msDS-User-Account-Control-Computed") or 0
    last_set = found.number("pwdLastSet")
    return Entry(
        anchor=guid_text(found.first("objectGUID") or b""),
        place=found.dn,
        login=found.text("userPrincipalName") or found.text("sAMAccountName"),
        protected=bool(found.number("adminCount")),
        enabled=not control & _DISABLED,
        locked=bool(computed & _LOCKED),
        must_change=last_set == 0 and bool(computed & _EXPIRED),
        changed_at=moment(last_set),
        password_ends=moment(found.number("msDS-UserPasswordExpiryTimeComputed")),
        account_ends=moment(found.number("accountExpires")),
    )


def person_of(found: "Found") -> Person:
    return Person(entry_of(found), found.text("mail"), found.text("manager"))


def domain_rules(found: "Found", *, history_on_reset: bool) -> DirectoryRules:
    """What holds for everybody who has no policy of their own."""
    return DirectoryRules(
        min_length=found.number("minPwdLength"),
        history=found.number("pwdHistoryLength"),
        history_on_reset=history_on_reset,
        complexity=bool((found.number("pwdProperties") or 0) & _COMPLEX),
        min_age=duration(found.number("minPwdAge")),
        max_age=duration(found.number("maxPwdAge")) or None,
        lockout_threshold=found.number("lockoutThreshold"),
        lockout_duration=duration(found.number("lockoutDuration")) or None,
    )


def own_rules(found: "Found | None", *, history_on_reset: bool) -> DirectoryRules:
    """What a person's own policy says; only that there is one where it may not be read."""
    if found is None:
        return DirectoryRules(history_on_reset=history_on_reset, fine_grained=True)
    return DirectoryRules(
        min_length=found.number("msDS-MinimumPasswordLength"),
        history=found.number("msDS-PasswordHistoryLength"),
        history_on_reset=history_on_reset,
        complexity=found.text("msDS-PasswordComplexityEnabled") == "TRUE",
        min_age=duration(found.number("msDS-MinimumPasswordAge")),
        max_age=duration(found.number("msDS-MaximumPasswordAge")) or None,
        lockout_threshold=found.number("msDS-LockoutThreshold"),
        lockout_duration=duration(found.number("msDS-LockoutDuration")) or None,
        fine_grained=True,
    )
