"""PURE. What every directory connector offers, and how its failures are told apart.

A connector knows one kind of directory and nothing of jobs, journals or agents. Whoever uses it
(`writeback.execution`) needs to know one thing above all: whether a change may have reached the
directory. So there are two exceptions and no third.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from ..outcomes import Witness
from .answers import Cause, SignIn

Trouble = Literal["unreachable", "untrusted", "account", "configuration"]
"""unreachable: no answer at all; untrusted: the certificate is not to be believed; account: the
connector's own account was refused; configuration: what was set up can't be right."""


class Unreachable(Exception):
    """Nothing was changed, because nothing that changes was sent. `trouble` says why."""

    def __init__(self, trouble: Trouble, detail: str = "") -> None:
        super().__init__(f"{trouble}: {detail}" if detail else trouble)
        self.trouble = trouble
        self.detail = detail


class Unanswered(Exception):
    """A change was sent to `controller` and the answer is missing: it may have been done."""

    def __init__(self, controller: str) -> None:
        super().__init__(controller)
        self.controller = controller


@dataclass(frozen=True)
class Entry:
    """A person as the directory has them.

    anchor: the permanent id (Active Directory: objectGUID as text); place: the distinguished name,
    or the path where there is none; protected: adminCount 1 or what the directory has for it.
    """

    anchor: str
    place: str
    login: str
    protected: bool = False
    enabled: bool = True
    locked: bool = False
    must_change: bool = False
    changed_at: datetime | None = None
    password_ends: datetime | None = None
    account_ends: datetime | None = None


@dataclass(frozen=True)
class DirectoryRules:
    """The password rules that the directory itself enforces; nothing where it does not say.

    history: how many earlier passwords are refused; on_reset: whether it holds for resets too;
    fine_grained: the rules are of this person's own policy.
    """

    min_length: int | None = None
    history: int | None = None
    history_on_reset: bool = False
    complexity: bool = False
    min_age: timedelta | None = None
    max_age: timedelta | None = None
    lockout_threshold: int | None = None
    lockout_duration: timedelta | None = None
    fine_grained: bool = False


def strictest(rules: Sequence[DirectoryRules]) -> DirectoryRules:
    """What one password has to keep in several directories. At least one."""

    def most(name: str) -> Any:
        found = [getattr(each, name) for each in rules]
        return max((value for value in found if value is not None), default=None)

    def any_of(name: str) -> bool:
        return any(getattr(each, name) for each in rules)

    return DirectoryRules(
        min_length=most("min_length"),
        history=most("history"),
        history_on_reset=any_of("history_on_reset"),
        complexity=any_of("complexity"),
        min_age=most("min_age"),
        max_age=min((each.max_age for each in rules if each.max_age is not None), default=None),
        lockout_threshold=min(
            (each.lockout_threshold for each in rules if each.lockout_threshold), default=None
        ),
        lockout_duration=most("lockout_duration"),
        fine_grained=any_of("fine_grained"),
    )


@dataclass(frozen=True)
class Rights:
    """What the connector's account may do to a person."""

    reset: bool
    unlock: bool
    must_change: bool


@dataclass(frozen=True)
class Change:
    """The directory's own answer to a change. cause: "" when it was done.

    unlocked: nothing where nothing was to be unlocked; code: the directory's code for the log.
    """

    cause: Cause = ""
    unlocked: bool | None = None
    code: str = ""

    @property
    def done(self) -> bool:
        return self.cause == ""


class Connection(Protocol):
    """One server of a directory, held for one job. Reading raises Unreachable, changing raises
    Unanswered once the request has left."""

    @property
    def controller(self) -> str: ...

    def find(self, anchor: str) -> Entry | None:
        """The one object with this permanent id; nothing for a text that can't be one."""

    def witness(self, entry: Entry) -> Witness: ...

    def set_password(self, entry: Entry, new: str, *, unlock: bool, must_change: bool) -> Change:
        """An administrator's reset, with what belongs to it in the same request."""

    def change_password(self, entry: Entry, old: str, new: str) -> Change:
        """The person's own change."""

    def unlock(self, entry: Entry) -> Change: ...

    def rules(self, entry: Entry | None) -> DirectoryRules: ...

    def rights(self, entry: Entry) -> Rights: ...


class Directory(Protocol):
    """One directory as it was configured."""

    @property
    def kind(self) -> str: ...

    def connect(self, controller: str = "") -> AbstractContextManager[Connection]:
        """A connection to the first server that answers, or to this one alone. Raises
        Unreachable."""

    def sign_in(self, entry: Entry, password: str, controller: str = "") -> SignIn:
        """What the directory says to a sign-in of this person. Raises Unreachable."""


class Reaching(Directory, Protocol):
    """A directory that says where it is."""

    @property
    def addresses(self) -> Sequence[tuple[str, int]]:
        """Host and port of everything that is ever connected to."""
