"""One OpenLDAP server, the connector's account signed in, for one job."""

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from ..outcomes import Witness
from .answers import PROVES_THE_PASSWORD
from .base import Change, DirectoryRules, Entry, Rights, Unanswered, Unreachable
from .ldap import Answer, Changes, Control, Found, LdapConnection, equals
from .openldap_answers import (
    LOCKED_FOR_GOOD,
    PASSWORD_MODIFY,
    PASSWORD_POLICY,
    Step,
    answer_of_bind,
    cause_of_change,
    code_for_log,
    password_modify,
    policy_read,
    time_read,
    version_read,
)
from .settings import is_sendable

CONTROLS: Final[tuple[Control, ...]] = ((PASSWORD_POLICY, False, None),)
BUSY: Final = frozenset({51, 52})

_ANCHOR: Final = re.compile(r"\A[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_EVERYTHING: Final = "(objectClass=*)"
_OF_A_PERSON: Final = (
    "entryUUID",
    "pwdAccountLockedTime",
    "pwdChangedTime",
    "pwdEndTime",
    "pwdPolicySubentry",
    "pwdReset",
)
_OF_A_WITNESS: Final = ("pwdChangedTime", "entryCSN", "createTimestamp")
_OF_A_POLICY: Final = (
    "pwdCheckModule",
    "pwdCheckQuality",
    "pwdInHistory",
    "pwdLockout",
    "pwdLockoutDuration",
    "pwdMaxAge",
    "pwdMaxFailure",
    "pwdMinAge",
    "pwdMinLength",
    "pwdMustChange",
    "pwdUseCheckModule",
)
_NO_SUCH_VALUE: Final = 16
_GONE: Final = 32
_NOT_SHOWN: Final = frozenset({49, 50})
_NOT_NOW: Final = frozenset({3, 51, 52, 80})
_LONGEST: Final = 10**10
_NEVER: Final = datetime.fromtimestamp(0, UTC)

# With the lock the policy deletes the failures that led to it, which nobody else may write; a lock
# that is replaced by nothing leaves them, and the next wrong password locks again.
_LIFT: Final[Changes] = {"pwdAccountLockedTime": [("delete", [])]}
_LIFTED: Final = frozenset({0, _NO_SUCH_VALUE})
"""The second where there was no lock."""


@dataclass(frozen=True)
class Scope:
    """base: below which people are looked for; default_policy: the entry with the rules of whoever
    has none of their own, as the server is configured; login_attribute: what people sign in with;
    protected_filter: who is left alone; is_password_administrator: the account has `manage` on
    passwords, so that the rules do not hold for its resets."""

    base: str
    default_policy: str = ""
    login_attribute: str = "uid"
    protected_filter: str = ""
    is_password_administrator: bool = False


class OpenLdapConnection:
    """dial: gives a connection to a server by name, on which nobody is signed in."""

    def __init__(
        self,
        link: LdapConnection,
        scope: Scope,
        now: Callable[[], datetime],
        dial: Callable[[str], AbstractContextManager[LdapConnection]],
    ) -> None:
        self._link = link
        self._scope = scope
        self._now = now
        self._dial = dial
        self._policies: dict[str, Found | None] = {}
        self._has_policy: bool | None = None

    @property
    def controller(self) -> str:
        return self._link.controller

    def find(self, anchor: str) -> Entry | None:
        """anchor: entryUUID. Whom an administrator locked out for good is not enabled: a reset
        would lift that lock, and it is not the person's to lift."""
        found = self._person(anchor, (*_OF_A_PERSON, self._scope.login_attribute))
        if found is None:
            return None
        policy = self._policy(self._policy_name(found))
        changed_at = time_read(found.text("pwdChangedTime"))
        max_age = _seconds(policy, "pwdMaxAge")
        return Entry(
            anchor=anchor.lower(),
            place=found.dn,
            login=found.text(self._scope.login_attribute),
            protected=self._is_protected(found),
            enabled=found.text("pwdAccountLockedTime") != LOCKED_FOR_GOOD,
            locked=self._is_locked(found, policy),
            must_change=_is_true(found, "pwdReset") and _asks_for_another(policy) is not False,
            changed_at=changed_at,
            password_ends=changed_at + max_age if changed_at and max_age else None,
            account_ends=time_read(found.text("pwdEndTime")),
        )

    def witness(self, entry: Entry) -> Witness:
        """version: as `version_read` makes it of the time and the entry's own change number."""
        found = self._person(entry.anchor, _OF_A_WITNESS)
        if found is None:
            raise Unreachable("configuration", "person")
        changed_at, created_at = found.text("pwdChangedTime"), found.text("createTimestamp")
        has_policy = bool(changed_at) or self._writes_times()
        version = version_read(changed_at, found.text("entryCSN"), has_policy=has_policy)
        moment = time_read(changed_at) or time_read(created_at) or _NEVER
        return Witness(self.controller, version, moment)

    def set_password(self, entry: Entry, new: str, *, unlock: bool, must_change: bool) -> Change:
        """A reset lifts the lock by itself; where that was asked for it is made sure of. Where the
        policy does not know `pwdMustChange` nothing is set.

        code: of a success, what could not be done after it.
        """
        if not is_sendable(new):
            return Change("password_rules", code="not a password")
        if not entry.enabled:
            return Change("refused", code="locked for good")
        if must_change and _asks_for_another(self._policy_of(entry)) is False:
            return Change("unsupported", code="pwdMustChange")
        done = self._modified(self._link, entry, new)
        if not done.done:
            return done
        unlocked = self._is_lifted(entry) if unlock else None
        return Change(unlocked=unlocked, code=self._asked(entry) if must_change else "")

    def change_password(self, entry: Entry, old: str, new: str) -> Change:
        """By the person, signed in with the old password, so that the rules for people hold and a
        wrong one counts. An expired one, which still has to be right, is changed by the account."""
        if not is_sendable(old):
            return Change("wrong_old_password", code="not a password")
        if not is_sendable(new):
            return Change("password_rules", code="not a password")
        with self._dial(self.controller) as person:
            answer = person.bind(entry.place, old, CONTROLS)
            policy = policy_read(answer.controls.get(PASSWORD_POLICY))
            said = answer_of_bind(answer.code, policy)
            if said not in PROVES_THE_PASSWORD:
                cause = cause_of_change(answer.code, policy)
                wrong = "wrong_old_password" if said == "wrong" else cause
                return Change(wrong, code=code_for_log(answer.code, policy))
            return self._modified(person if answer.code == 0 else self._link, entry, new, old)

    def unlock(self, entry: Entry) -> Change:
        if not entry.enabled:
            return Change("refused", unlocked=False, code="locked for good")
        answer = self._link.modify(entry.place, _LIFT, CONTROLS)
        if answer.code in _LIFTED:
            return Change(unlocked=True)
        return replace(self._done(answer, "unlock"), unlocked=False)

    def rules(self, entry: Entry | None) -> DirectoryRules:
        """Of this person's policy, or of the default one."""
        name = self._own_policy(entry)
        policy = self._policy(name or self._scope.default_policy)
        if policy is None:
            return DirectoryRules()
        checks = (policy.number("pwdCheckQuality") or 0) > 0
        lockout = _is_true(policy, "pwdLockout")
        history = policy.number("pwdInHistory") or None
        by_rules = not self._scope.is_password_administrator
        return DirectoryRules(
            min_length=(policy.number("pwdMinLength") or None) if checks else None,
            history=history,
            history_on_reset=history is not None and by_rules,
            complexity=checks and _has_module(policy),
            min_age=_seconds(policy, "pwdMinAge"),
            max_age=_seconds(policy, "pwdMaxAge"),
            lockout_threshold=(policy.number("pwdMaxFailure") or None) if lockout else None,
            lockout_duration=_seconds(policy, "pwdLockoutDuration") if lockout else None,
            fine_grained=bool(name),
        )

    def rights(self, entry: Entry) -> Rights:
        """OpenLDAP tells of rights only by refusing. So values are deleted that nobody has: what is
        allowed ends with "no such value", and nothing is ever changed."""
        found = self._person(entry.anchor, ("pwdReset",))
        other = b"TRUE" if found and found.text("pwdReset") == "FALSE" else b"FALSE"
        return Rights(
            reset=self._may_delete(entry, "userPassword", b"{x-none}"),
            unlock=self._may_delete(entry, "pwdAccountLockedTime", b"19000101000000Z"),
            must_change=self._may_delete(entry, "pwdReset", other),
        )

    def _may_delete(self, entry: Entry, attribute: str, value: bytes) -> bool:
        change: Changes = {attribute: [("delete", [value])]}
        try:
            answer = self._link.modify(entry.place, change)
        except Unanswered:
            raise Unreachable("unreachable", "rights") from None
        return answer.code in _LIFTED

    def _modified(
        self, link: LdapConnection, entry: Entry, new: str, old: str | None = None
    ) -> Change:
        value = password_modify(entry.place, new, old)
        return self._done(link.extended(PASSWORD_MODIFY, value, CONTROLS), "set")

    def _is_lifted(self, entry: Entry) -> bool:
        """Whatever becomes of it, the password is set."""
        try:
            if self._link.modify(entry.place, _LIFT).code in _LIFTED:
                return True
            found = self._person(entry.anchor, _OF_A_PERSON)
        except (Unreachable, Unanswered):
            return False
        return found is not None and not found.text("pwdAccountLockedTime")

    def _asked(self, entry: Entry) -> str:
        """Asks for another password; "" or what was in the way."""
        try:
            answer = self._link.modify(entry.place, {"pwdReset": [("replace", [b"TRUE"])]})
        except (Unreachable, Unanswered):
            return "pwdReset no answer"
        return "" if answer.code == 0 else f"pwdReset {answer.code}"

    def _done(self, answer: Answer, step: Step) -> Change:
        policy = policy_read(answer.controls.get(PASSWORD_POLICY))
        cause = cause_of_change(answer.code, policy, step)
        return Change(cause, code="" if cause == "" else code_for_log(answer.code, policy))

    def _person(self, anchor: str, attributes: Sequence[str]) -> Found | None:
        anchor = anchor.lower()
        if not _ANCHOR.match(anchor):
            return None
        wanted = equals("entryUUID", anchor.encode())
        answer = self._link.search(self._scope.base, wanted, attributes, limit=2)
        _check(answer)
        # Two entries with one permanent id are two directories in one: neither is the person.
        return answer.entries[0] if len(answer.entries) == 1 else None

    def _is_protected(self, found: Found) -> bool:
        if not self._scope.protected_filter:
            return False
        answer = self._link.search(found.dn, self._scope.protected_filter, ("1.1",), "BASE")
        _check(answer)
        return bool(answer.entries)

    def _is_locked(self, found: Found, policy: Found | None) -> bool:
        since = found.text("pwdAccountLockedTime")
        if not since or (policy is not None and not _is_true(policy, "pwdLockout")):
            return False
        lasts, begins = _seconds(policy, "pwdLockoutDuration"), time_read(since)
        return lasts is None or begins is None or self._now() < begins + lasts

    def _policy_of(self, entry: Entry) -> Found | None:
        return self._policy(self._own_policy(entry) or self._scope.default_policy)

    def _own_policy(self, entry: Entry | None) -> str:
        found = self._person(entry.anchor, ("pwdPolicySubentry",)) if entry else None
        return found.text("pwdPolicySubentry") if found else ""

    def _policy_name(self, found: Found) -> str:
        return found.text("pwdPolicySubentry") or self._scope.default_policy

    def _policy(self, name: str) -> Found | None:
        """Nothing where there is none, or none that the account may read."""
        if name and name not in self._policies:
            answer = self._link.search(name, _EVERYTHING, _OF_A_POLICY, "BASE")
            if answer.code not in {_GONE, *_NOT_SHOWN}:
                _check(answer)
            self._policies[name] = answer.entries[0] if answer.entries else None
        return self._policies.get(name)

    def _writes_times(self) -> bool:
        """Whether the server has a policy at all, and so writes when a password changed."""
        if self._has_policy is None:
            answer = self._link.search("", _EVERYTHING, ("supportedControl",), "BASE")
            _check(answer)
            offered = answer.entries[0].attributes if answer.entries else {}
            self._has_policy = PASSWORD_POLICY.encode() in offered.get("supportedcontrol", ())
        return self._has_policy


def _check(answer: Answer) -> None:
    """Raises Unreachable for a search that did not succeed."""
    if answer.code == 0:
        return
    if answer.code in _NOT_SHOWN:
        raise Unreachable("account", f"result {answer.code}")
    is_passing = answer.code in _NOT_NOW
    raise Unreachable("unreachable" if is_passing else "configuration", f"result {answer.code}")


def _is_true(found: Found, name: str) -> bool:
    return found.text(name) == "TRUE"


def _asks_for_another(policy: Found | None) -> bool | None:
    """Whether a password can be marked as one to be changed; nothing where that is not known."""
    return None if policy is None else _is_true(policy, "pwdMustChange")


def _has_module(policy: Found) -> bool:
    return bool(policy.text("pwdCheckModule")) or _is_true(policy, "pwdUseCheckModule")


def _seconds(policy: Found | None, name: str) -> timedelta | None:
    """Nothing for an age or a duration of none: the policy means "for good" by it."""
    number = policy.number(name) if policy is not None else None
    return timedelta(seconds=number) if number and number < _LONGEST else None
