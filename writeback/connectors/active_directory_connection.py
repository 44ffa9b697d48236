"""One domain controller, held for one job."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from ..outcomes import Witness
from .access import may_reset
from .active_directory_entries import (
    DOMAIN_RULES,
    OWN_RULES,
    PERSON,
    Person,
    domain_rules,
    entry_of,
    own_rules,
    person_of,
)
from .active_directory_values import (
    ENFORCE_HISTORY,
    NEVER,
    POLICY_HINTS,
    Stamp,
    guid_bytes,
    moment,
    quoted,
    stamp_of_texts,
    stamp_of_vector,
)
from .answers import cause_of_change
from .base import Change, DirectoryRules, Entry, Rights, Unreachable
from .ldap import Answer, Changes, Control, Edit, Found, LdapConnection, equals

PAGE: Final = 500
_ANYTHING: Final = "(objectClass=*)"
_PEOPLE: Final = "(&(objectCategory=person)(objectClass=user){})"
_STAMPS: Final = ("msDS-ReplAttributeMetaData", "replPropertyMetaData", "pwdLastSet")
_ACCESS_LIST_ONLY: Final[Control] = ("1.2.840.113556.1.4.801", True, b"\x30\x03\x02\x01\x04")
_NO_SUCH_OBJECT: Final = 32
_UNSUPPORTED: Final = 12
_HEX: Final = re.compile(r"\s*([0-9A-Fa-f]{8}):")

Step = tuple[Edit, list[bytes]]
_ZERO: Final[Step] = ("replace", [b"0"])


@dataclass(frozen=True)
class ServerFacts:
    """What a controller says of itself. hints: the name of the control that has history hold for
    resets, "" where the server knows none: it is never sent on the off-chance, because a server
    that ignores it would accept an old password and call that a success."""

    domain: str
    hints: str


class ActiveDirectoryConnection:
    """See `base.Connection`. facts: of each server by its name, shared and kept by the caller;
    failed: told the name of a server that has no time for a change."""

    def __init__(
        self,
        link: LdapConnection,
        base: str,
        facts: dict[str, ServerFacts],
        failed: Callable[[str], None],
    ) -> None:
        self._link = link
        self._base = base
        self._kept = facts
        self._failed = failed

    @property
    def controller(self) -> str:
        return self._link.controller

    def facts(self) -> ServerFacts:
        """Asked once of each server."""
        if self.controller not in self._kept:
            own = self._read("", ("defaultNamingContext", "supportedControl"))
            if own is None:
                raise Unreachable("configuration", "the server says nothing of itself")
            known = {value.decode(errors="replace") for value in _controls(own)}
            hints = next((name for name in POLICY_HINTS if name in known), "")
            self._kept[self.controller] = ServerFacts(own.text("defaultNamingContext"), hints)
        return self._kept[self.controller]

    def find(self, anchor: str) -> Entry | None:
        guid = guid_bytes(anchor)
        if guid is None:
            return None
        found = self._search(_PEOPLE.format(equals("objectGUID", guid)), PERSON)
        return entry_of(found[0]) if len(found) == 1 else None

    def witness(self, entry: Entry) -> Witness:
        """Raises Unreachable where the account may not read what a change leaves behind: without
        it nobody could tell what became of one."""
        found = self._read(entry.place, _STAMPS)
        last_set = moment(found.number("pwdLastSet")) if found else None
        try:
            stamp = _stamp(found) if found else None
        except ValueError as error:
            raise Unreachable("account", f"version of the password: {error}") from None
        if stamp is None and (found is None or last_set):
            raise Unreachable("account", "version of the password: not readable")
        stamp = stamp or NEVER
        return Witness(self.controller, stamp.version, last_set or stamp.changed_at)

    def set_password(self, entry: Entry, new: str, *, unlock: bool, must_change: bool) -> Change:
        """One request. Only where the account may not write the lock, which no part of a password
        depends on, the rest is sent without it, and `unlocked` tells."""
        value = _value(new)
        if value is None:
            return Change("password_rules")
        edits: dict[str, list[Step]] = {"unicodePwd": [("replace", [value])]}
        if must_change:
            edits["pwdLastSet"] = [_ZERO]
        answer = self._set(entry, {**edits, "lockoutTime": [_ZERO]} if unlock else edits)
        change = self._change(answer, unlocked=True if unlock else None)
        if unlock and change.cause == "no_right_to_unlock":
            answer = self._set(entry, edits)
            change = self._change(answer, unlocked=False if entry.locked else None)
        # What is missing now is the right to write pwdLastSet, which is part of a reset.
        if change.cause == "no_right_to_unlock":
            return Change("no_right_to_reset", code=change.code)
        return change

    def change_password(self, entry: Entry, old: str, new: str) -> Change:
        """The server compares the old password itself and counts a wrong one."""
        before, after = _value(old), _value(new)
        if before is None or after is None:
            return Change("wrong_old_password" if before is None else "password_rules")
        steps: list[Step] = [("delete", [before]), ("add", [after])]
        return self._change(self._link.modify(entry.place, {"unicodePwd": steps}))

    def unlock(self, entry: Entry) -> Change:
        answer = self._link.modify(entry.place, {"lockoutTime": [_ZERO]})
        change = self._change(answer, unlocked=True)
        if change.cause == "no_right_to_reset":
            return Change("no_right_to_unlock", unlocked=False, code=change.code)
        return change

    def rules(self, entry: Entry | None) -> DirectoryRules:
        facts = self.facts()
        history_on_reset = bool(facts.hints)
        person = self._read(entry.place, ("msDS-ResultantPSO",)) if entry else None
        policy = person.text("msDS-ResultantPSO") if person else ""
        if policy:
            return own_rules(self._read(policy, OWN_RULES), history_on_reset=history_on_reset)
        head = self._read(facts.domain, DOMAIN_RULES)
        if head is None:
            raise Unreachable("configuration", "the domain's own entry is not readable")
        return domain_rules(head, history_on_reset=history_on_reset)

    def rights(self, entry: Entry) -> Rights:
        """What the account may write, the server lists; whether it may reset is read from the
        entry's access list and the account's groups. What is not readable counts as no right."""
        names = ("allowedAttributesEffective", "nTSecurityDescriptor")
        person = self._read(entry.place, names, _ACCESS_LIST_ONLY)
        own = self._read("", ("tokenGroups",))
        if person is None or own is None:
            return Rights(reset=False, unlock=False, must_change=False)
        writable = {name.lower() for name in person.attributes.get(names[0].lower(), ())}
        descriptor = person.first("nTSecurityDescriptor") or b""
        return Rights(
            reset=may_reset(descriptor, own.attributes.get("tokengroups", ())),
            unlock=b"lockouttime" in writable,
            must_change=b"pwdlastset" in writable,
        )

    def people(self, page: int = PAGE) -> Iterator[Person]:
        """Everybody below the base, a page at a time, while this connection is held."""
        cookie = b""
        while True:
            answer = self._link.search(
                self._base,
                _PEOPLE.format(""),
                (*PERSON, "mail", "manager"),
                page=(page, cookie),
            )
            yield from map(person_of, _entries(answer))
            cookie = answer.cookie
            if not cookie:
                return

    def _set(self, entry: Entry, edits: Changes) -> Answer:
        hints = self.facts().hints
        controls: list[Control] = [(hints, True, ENFORCE_HISTORY)] if hints else []
        answer = self._link.modify(entry.place, edits, controls)
        if answer.code == _UNSUPPORTED:
            self._kept.pop(self.controller, None)
        return answer

    def _change(self, answer: Answer, unlocked: bool | None = None) -> Change:
        cause = cause_of_change(answer.code, answer.message)
        if cause == "busy":
            self._failed(self.controller)
        if cause:
            return Change(cause, unlocked=None if unlocked is None else False, code=_code(answer))
        return Change(unlocked=unlocked)

    def _read(self, place: str, attributes: tuple[str, ...], *controls: Control) -> Found | None:
        """One entry, nothing where it is not there or not to be seen."""
        answer = self._link.search(place, _ANYTHING, attributes, "BASE", controls=controls)
        if answer.code == _NO_SUCH_OBJECT:
            return None
        return next(iter(_entries(answer)), None)

    def _search(self, filter_text: str, attributes: tuple[str, ...]) -> tuple[Found, ...]:
        return _entries(self._link.search(self._base, filter_text, attributes, limit=2))


def _entries(answer: Answer) -> tuple[Found, ...]:
    """Raises Unreachable for a search that failed: that is no finding that nobody is there."""
    if answer.code:
        missing = answer.code == _NO_SUCH_OBJECT
        raise Unreachable("configuration" if missing else "unreachable", f"search: {_code(answer)}")
    return answer.entries


def _controls(own: Found) -> tuple[bytes, ...]:
    return own.attributes.get("supportedcontrol", ())


def _stamp(found: Found) -> Stamp | None:
    texts = found.attributes.get("msds-replattributemetadata", ())
    if texts:
        return stamp_of_texts(texts)
    vector = found.first("replPropertyMetaData")
    return stamp_of_vector(vector) if vector is not None else None


def _value(password: str) -> bytes | None:
    try:
        return quoted(password)
    except UnicodeEncodeError:
        return None


def _code(answer: Answer) -> str:
    found = _HEX.match(answer.message)
    return found[1].upper() if found else str(answer.code)
