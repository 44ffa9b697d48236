"""A directory that does what a test says at every point, and whose state can be looked at.

It is no model of a real one: it tells whether the rules of carrying out a job hold, whatever a
directory answers, and whether it answers.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from writeback.connectors.answers import SignIn
from writeback.connectors.base import (
    Change,
    DirectoryRules,
    Entry,
    Rights,
    Unanswered,
    Unreachable,
)
from writeback.outcomes import Witness

Point = Literal["connect", "find", "witness", "asked", "applied", "sign_in"]
"""asked: a change has arrived and nothing of it is done; applied: it is done, and not answered."""
Action = Callable[[], object]
RULES = DirectoryRules(min_length=10, history=5, complexity=True)
LONG_AGO = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass
class Person:
    """What the directory holds of somebody. `version` counts the passwords."""

    anchor: str = "0c5e0e5c-8f0d-4c39-8e8f-3f1d1f1c9b11"
    place: str = "CN=Alice,OU=Staff,DC=example,DC=com"
    password: str = "First-Kettle-1"
    version: int = 4
    changed_at: float = LONG_AGO.timestamp()
    locked: bool = False
    enabled: bool = True
    protected: bool = False
    must_change: bool = False
    account_ends: float | None = None

    def entry(self) -> Entry:
        ends = self.account_ends
        return Entry(
            anchor=self.anchor,
            place=self.place,
            login="alice",
            protected=self.protected,
            enabled=self.enabled,
            locked=self.locked,
            must_change=self.must_change,
            changed_at=datetime.fromtimestamp(self.changed_at, UTC),
            account_ends=None if ends is None else datetime.fromtimestamp(ends, UTC),
        )


def raises(error: BaseException) -> Action:
    def action() -> None:
        raise error

    return action


def cut(server: str = "dc1") -> Action:
    """The connection ends without an answer."""
    return raises(Unanswered(server))


def away() -> Action:
    """Nobody is there."""
    return raises(Unreachable("unreachable"))


def answers(change: Change) -> Action:
    """What the directory says in place of doing it."""
    return lambda: change


class Scripted:
    """One person in a directory of one server. plan: what happens at a point, one after the other;
    when nothing is left it works. gate: is called at every connection, for what lasts. state: a
    file that outlives the process."""

    kind = "scripted"

    def __init__(self, now: Callable[[], datetime], state: Path | None = None) -> None:
        self.now = now
        self.person = Person()
        self.plan: dict[Point, list[Action | None]] = {}
        self.seen: list[str] = []
        self.rights = Rights(reset=True, unlock=True, must_change=True)
        self.sign_in_says: SignIn | None = None
        self.gate: Action = lambda: None
        self._state = state
        if state is not None and state.exists():
            self.person = Person(**json.loads(state.read_text()))

    @property
    def sets(self) -> int:
        """How many passwords were set since the beginning."""
        return self.person.version - Person().version

    def reach(self, point: Point) -> object:
        self.seen.append(point)
        left = self.plan.get(point, [])
        action = left.pop(0) if left else None
        return action() if action else None

    def save(self) -> None:
        if self._state is not None:
            self._state.write_text(json.dumps(asdict(self.person)))

    @contextmanager
    def connect(self, controller: str = "") -> Iterator["ScriptedConnection"]:
        self.reach("connect")
        self.gate()
        if controller not in {"", "dc1"}:
            raise Unreachable("unreachable")
        yield ScriptedConnection(self)

    def sign_in(self, entry: Entry, password: str, controller: str = "") -> SignIn:
        self.reach("sign_in")
        if self.sign_in_says is not None:
            return self.sign_in_says
        if self.person.locked:
            return "locked"
        if password != self.person.password:
            return "wrong"
        return "must_change" if self.person.must_change else "right"


class ScriptedConnection:
    controller = "dc1"

    def __init__(self, directory: Scripted) -> None:
        self._directory = directory

    def find(self, anchor: str) -> Entry | None:
        self._directory.reach("find")
        person = self._directory.person
        return person.entry() if person.anchor == anchor else None

    def witness(self, entry: Entry) -> Witness:
        self._directory.reach("witness")
        person = self._directory.person
        changed_at = datetime.fromtimestamp(person.changed_at, UTC)
        return Witness(self.controller, person.version, changed_at)

    def set_password(self, entry: Entry, new: str, *, unlock: bool, must_change: bool) -> Change:
        def apply(person: Person) -> None:
            self._set(person, new)
            person.must_change = must_change
            person.locked = person.locked and not unlock

        return self._change(apply, Change(unlocked=True if unlock else None))

    def change_password(self, entry: Entry, old: str, new: str) -> Change:
        if old != self._directory.person.password:
            return self._change(lambda person: None, Change("wrong_old_password"))
        return self._change(lambda person: self._set(person, new), Change())

    def unlock(self, entry: Entry) -> Change:
        def apply(person: Person) -> None:
            person.locked = False

        return self._change(apply, Change(unlocked=True))

    def rules(self, entry: Entry | None) -> DirectoryRules:
        return RULES

    def rights(self, entry: Entry) -> Rights:
        return self._directory.rights

    def _set(self, person: Person, new: str) -> None:
        person.password = new
        person.version += 1
        person.changed_at = self._directory.now().timestamp()

    def _change(self, apply: Callable[[Person], None], done: Change) -> Change:
        said = self._directory.reach("asked")
        if isinstance(said, Change):
            return said
        apply(self._directory.person)
        self._directory.save()
        said = self._directory.reach("applied")
        return said if isinstance(said, Change) else done
