"""What a verification method is. Adding one is a module, a line in the registry and a template.

A method never moves a flow and never decides whether it is enough; it says what a person has
registered and whether an answer is right. A wrong answer is a return value, never an exception.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol
from uuid import UUID

from tenants.keys import CODE_DIGITS
from tenants.secret import Secret
from tenants.together import Changes

from ..people import Belongings

Asks = Literal["code", "answers", "assertion", "approval", "redirect"]
"""What the page asks for: something typed, answers to questions, what a passkey signs, somebody's
decision elsewhere, or a sign-in at another service."""
Problem = Literal["", "missing", "malformed"]
MAX_TYPED = 64


@dataclass(frozen=True)
class Registration:
    """One registered proof of a person.

    anchor: what it hangs on, as a keyed hash. evidence: names every version of it that a gate may
    have been passed with; a gate whose evidence is no longer here is void (R-12).
    """

    method: str
    anchor: bytes
    evidence: tuple[str, ...]
    channels: tuple[str, ...] = ()
    hint: str = ""
    in_own_domain: bool = False


@dataclass(frozen=True)
class MethodContext:
    """All a method gets to know about the moment. `domains` are the tenant's own; `site` is the web
    origin the person is on, "" where it does not matter (what would happen, an administrator).
    concealed: whether pages may not show what is registered."""

    now: datetime
    domains: frozenset[str]
    questions_to_reset: int
    custom_questions: tuple[str, ...]
    site: str = ""
    concealed: bool = False


@dataclass(frozen=True)
class Asked:
    """The challenge as the method needs it: where a code is derived from, which questions.

    challenge: its ID, for rows of the method's own. reference: what the person sees on the page.
    purpose: reset or sign_in, for whoever has to approve it. expires_at: when it can't be answered
    any more, where whoever asks knows.
    """

    nonce: bytes
    bound_to: bytes
    questions: tuple[str, ...] = ()
    challenge: UUID | None = None
    reference: str = ""
    address: str = ""
    purpose: str = "reset"
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Answer:
    """What was typed: a code, or the answers in the order of the questions; or what a passkey
    signed, as the browser's JSON. told: what a service outside said of it (`Method.consult`)."""

    code: Secret[str] = field(default_factory=lambda: Secret(""))
    answers: Sequence[Secret[str]] = ()
    assertion: Secret[str] = field(default_factory=lambda: Secret(""))
    told: str = ""


@dataclass(frozen=True)
class Verdict:
    """Whether it was right, and with which evidence.

    cause: why it was wrong, a word for the audit trail. ends: whether the journey is over with it,
    because the person said that it is not theirs. excused: nothing could be compared, because a
    service outside did not answer; it is not held against the person.
    """

    right: bool
    evidence: str = ""
    cause: str = "wrong"
    ends: bool = False
    excused: bool = False


WRONG = Verdict(right=False)


class Method(Protocol):
    """One way to prove who one is.

    sends: whether a message carries a code. contact: what is typed in full before it is sent.
    reaches_out: whether asking for it does something outside, which nobody should do unasked.
    limits: names of the person's limits that asking for it is counted on.
    """

    key: str
    asks: Asks
    sends: bool
    contact: Literal["", "email", "phone"]
    reaches_out: bool
    limits: tuple[str, ...]

    def registrations(self, own: Belongings, context: MethodContext) -> Sequence[Registration]:
        """What this person has registered for this method; empty when nothing."""

    def verify(
        self,
        own: Belongings | None,
        asked: Asked,
        answer: Answer,
        context: MethodContext,
        changes: Changes | None = None,
    ) -> Verdict:
        """Whether the answer is right. Without belongings (a decoy) never, for the same work.

        changes: the step's, which what the answer uses up can be written with; else it is written
        at once.
        """

    def problem(self, answer: Answer) -> Problem:
        """Why an answer can't be right whatever was asked; nothing is compared or counted then."""

    def consult(self, tenant: UUID, answer: Answer) -> Answer:
        """The answer with what a service outside says of it, asked in no transaction, before it is
        judged and whoever it came from. The same object where nobody was asked."""

    def begin(
        self, own: Belongings | None, asked: Asked, context: MethodContext, changes: Changes
    ) -> None:
        """What has to happen when the proof is asked for, written with the step's changes. For
        nobody (a decoy) it costs the same and reaches no one."""

    def is_waiting(self, asked: Asked, context: MethodContext) -> bool:
        """Whether the answer has to come from somewhere else and is not there yet."""

    def prompt(
        self, own: Belongings | None, asked: Asked, context: MethodContext
    ) -> Mapping[str, Any]:
        """What the page of the challenge shows; a decoy's looks the same."""


class Typed:
    """What the methods have in common whose answer is typed and that need nothing else."""

    reaches_out = False
    limits: tuple[str, ...] = ()

    def problem(self, answer: Answer) -> Problem:
        """Six digits, as most codes are."""
        if not answer.code.reveal().strip():
            return "missing"
        return "" if len(typed_code(answer.code.reveal())) == CODE_DIGITS else "malformed"

    def consult(self, tenant: UUID, answer: Answer) -> Answer:
        """Nobody outside has to be asked."""
        return answer

    def begin(
        self, own: Belongings | None, asked: Asked, context: MethodContext, changes: Changes
    ) -> None:
        """Nothing has to happen."""

    def is_waiting(self, asked: Asked, context: MethodContext) -> bool:
        return False

    def prompt(
        self, own: Belongings | None, asked: Asked, context: MethodContext
    ) -> Mapping[str, Any]:
        return {}


def typed_code(text: str) -> str:
    """The digits of what was typed: spaces and dashes left out, any script's digits as ASCII.

    Anything else makes it a code that is never right.
    """
    digits = []
    for char in text if len(text) <= MAX_TYPED else "":
        if char in " -\u00a0\u202f":
            continue
        value = unicodedata.decimal(char, None)
        if value is None:
            return ""
        digits.append(str(value))
    return "".join(digits)
