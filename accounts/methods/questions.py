"""`security_questions`: a random subset of what was registered, drawn anew after a wrong try."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Literal

from django.contrib.auth.hashers import check_password, make_password

from tenants.keys import tenant_keys
from tenants.together import Changes

from ..answers import normalise_answer
from ..models import QuestionAnswer
from ..people import Belongings
from ..questions import PREDEFINED
from .base import WRONG, Answer, Asked, Asks, MethodContext, Registration, Typed, Verdict

MAX_ANSWER = 40


def draw(
    own: Sequence[str], count: int, sample: Callable[[Sequence[str], int], list[str]]
) -> list[str]:
    """`count` different questions at random; fewer when there are not so many."""
    return sample(own, min(count, len(own)))


def usable_questions(own: Belongings, context: MethodContext) -> list[str]:
    """Registered questions the tenant still asks: a predefined one, or one of its own now."""
    return [row.question for row in _usable_answers(own, context)]


def _usable_answers(own: Belongings, context: MethodContext) -> list[QuestionAnswer]:
    return [
        row
        for row in own.answers
        if row.question in PREDEFINED or row.question in context.custom_questions
    ]


class SecurityQuestions(Typed):
    """Knowledge: weak, off by default, never alone and never for administrators."""

    key = "security_questions"
    asks: Asks = "answers"
    sends = False
    contact: Literal["", "email", "phone"] = ""

    def registrations(self, own: Belongings, context: MethodContext) -> Sequence[Registration]:
        usable = _usable_answers(own, context)
        if len(usable) < context.questions_to_reset:
            return ()
        versions = sorted(f"{row.question}\x1f{row.answer_hash}" for row in usable)
        digest = hashlib.sha256("\x1e".join(versions).encode()).hexdigest()[:32]
        return (
            Registration(
                method=self.key,
                anchor=tenant_keys().mac("anchor", "knowledge", own.user.pk),
                evidence=(f"questions:{digest}",),
            ),
        )

    def verify(
        self,
        own: Belongings | None,
        asked: Asked,
        answer: Answer,
        context: MethodContext,
        changes: Changes | None = None,
    ) -> Verdict:
        hashes = {row.question: row.answer_hash for row in own.answers} if own is not None else {}
        right = len(asked.questions) > 0 and len(answer.answers) == len(asked.questions)
        # Every answer is compared, right or wrong, so that time does not tell which one was.
        for index, question in enumerate(asked.questions):
            given = answer.answers[index].reveal() if index < len(answer.answers) else ""
            right = _same(given, hashes.get(question)) and right
        if (
            own is None
            or not right
            or not set(asked.questions) <= set(usable_questions(own, context))
        ):
            return WRONG
        registered = self.registrations(own, context)
        return Verdict(right=True, evidence=registered[0].evidence[0]) if registered else WRONG


def _same(given: str, answer_hash: str | None) -> bool:
    # Half a character can be neither hashed nor registered.
    whole = given[:MAX_ANSWER].encode(errors="replace").decode()
    text = normalise_answer(whole)
    if answer_hash is None:
        make_password(text)
        return False
    return check_password(text, answer_hash)
