"""Passwords that are kept elsewhere: who is asked about them at a sign-in.

Whatever asks a directory stands above this app and registers itself here. What is stored here of
such a person is never compared instead, whatever the directory does not answer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tenants.secret import Secret

from ..models import User

BEAT = 0.5
"""Seconds between two moments at which a concealing tenant refuses: most directories answer
sooner."""


@dataclass(frozen=True)
class Judged:
    """What came of asking.

    kind: right; due (right, and another password has to be chosen before anything else); wrong;
    refused (the person is not let in there, whatever was typed); nobody (there is nobody to ask
    about this person); unanswered (nothing was said, so nothing was tried).
    cause: why, in the words of whoever was asked, for the trail alone.
    """

    kind: Literal["right", "due", "wrong", "refused", "nobody", "unanswered"]
    cause: str = ""

    @property
    def lets_in(self) -> bool:
        return self.kind in {"right", "due"}

    @property
    def reason(self) -> str:
        """For the trail, why somebody was not let in; "" where the password was just wrong."""
        return f"the directory: {self.cause.replace('_', ' ')}" if self.cause else ""


Judge = Callable[[User, Secret[str], datetime], Judged]
"""Asked while no tenant is in force and no transaction open, because it may take seconds."""

_judges: dict[str, Judge] = {}


def register_judge(source: str, judge: Judge) -> None:
    """From now on `judge` is asked about the passwords of people with this source."""
    _judges[source] = judge


def find_judge(user: User | None) -> Judge | None:
    """Who is asked about this person's password; nothing where it is compared here, or where
    nobody may sign in."""
    if user is None or not user.usable:
        return None
    return _judges.get(user.source)


def note_due(user: User, judged: Judged) -> None:
    """Whether another password has to be chosen is the directory's to say, each time anew. In the
    tenant's context."""
    due = judged.kind == "due"
    if user.must_change_password != due:
        user.must_change_password = due
        User.objects.filter(pk=user.pk).update(must_change_password=due)
