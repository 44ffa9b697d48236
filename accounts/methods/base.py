"""What a verification method is. Adding one is a module, a line in the registry and a template.

A method never moves a flow and never decides whether it is enough; it says what a person has
registered and whether an answer is right. A wrong answer is a return value, never an exception.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from tenants.secret import Secret

from ..people import Belongings

Asks = Literal["code", "answers"]
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
    """All a method gets to know about the moment. `domains` are the tenant's own."""

    now: datetime
    domains: frozenset[str]
    questions_to_reset: int
    custom_questions: tuple[str, ...]


@dataclass(frozen=True)
class Asked:
    """The challenge as the method needs it: where a code is derived from, which questions."""

    nonce: bytes
    bound_to: bytes
    questions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What was typed: a code, or the answers in the order of the questions."""

    code: Secret[str] = field(default_factory=lambda: Secret(""))
    answers: Sequence[Secret[str]] = ()


@dataclass(frozen=True)
class Verdict:
    """Whether it was right, and with which evidence."""

    right: bool
    evidence: str = ""


WRONG = Verdict(right=False)


class Method(Protocol):
    """One way to prove who one is.

    sends: whether a message carries a code. contact: what is typed in full before it is sent.
    """

    key: str
    asks: Asks
    sends: bool
    contact: Literal["", "email", "phone"]

    def registrations(self, own: Belongings, context: MethodContext) -> Sequence[Registration]:
        """What this person has registered for this method; empty when nothing."""

    def verify(
        self, own: Belongings | None, asked: Asked, answer: Answer, context: MethodContext
    ) -> Verdict:
        """Whether the answer is right. Without belongings (a decoy) never, for the same work."""


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
