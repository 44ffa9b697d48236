"""`security_questions`: as many as the policy wants, each once, each with an answer of its own."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import make_password
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from tenants.context import tenant_context
from tenants.fields import BadForm, read_fields
from tenants.limits import MAX_ANSWER
from tenants.pages import address_of

from ...answers import is_given_away, is_long_enough, normalise_answer, repeated
from ...methods.base import MethodContext
from ...methods.words import LABELS
from ...models import ContactPoint, QuestionAnswer, User
from ...people import Belongings
from ...questions import PREDEFINED, question_text
from ...services import party_of
from ...signin.person import SignedIn
from .. import words
from ..changes import MethodChange, note_change
from ..pages import info_page, refusal_page, see_other
from ..registrable import Entry
from ..standing import terms_in_force
from ..undo import snapshot, undo_of

ENTRY = "questions"


class QuestionsRegistrable:
    """Registered and removed as a whole; never changed, because nobody can read them back."""

    key = "security_questions"
    most = 1
    changes = False
    removes = True
    in_wizard = True

    def entries(self, own: Belongings, context: MethodContext) -> Sequence[Entry]:
        if not own.answers:
            return ()
        first = min(row.created_at for row in own.answers)
        name = str(LABELS[self.key])
        return (Entry(ENTRY, name, detail=str(len(own.answers)), registered_at=first),)

    def add(self, request: HttpRequest, person: SignedIn, done_url: str) -> HttpResponse:
        with tenant_context(person.tenant.pk):
            rules = terms_in_force().rules
        count, choices = rules.questions_to_register, (*PREDEFINED, *rules.custom_questions)
        if request.method != "POST":
            return _page(request, person, count, choices, {}, {})
        values = read_fields(request, _names(count))
        if any(len(values[f"answer_{number}"]) > MAX_ANSWER * 4 for number in _numbers(count)):
            raise BadForm("far longer than any answer")
        errors = _problems(values, count, choices, person.user.user_id)
        if errors:
            return _page(request, person, count, choices, values, errors)
        return self._save(request, person, values, count, done_url)

    def change(
        self, request: HttpRequest, person: SignedIn, entry: str, done_url: str
    ) -> HttpResponse:
        """Questions are not changed: they are removed and registered anew."""
        return see_other(done_url)

    def remove(self, own: Belongings, entry: str, now: datetime) -> str | None:
        if entry != ENTRY or not own.answers:
            return None
        for row in own.answers:
            row.delete()
        return str(LABELS[self.key])

    @sensitive_variables()
    def _save(
        self,
        request: HttpRequest,
        person: SignedIn,
        values: Mapping[str, str],
        count: int,
        done_url: str,
    ) -> HttpResponse:
        now = timezone.now()
        # Hashing takes its time; no row waits for it.
        hashed = {
            values[f"question_{number}"]: make_password(
                normalise_answer(values[f"answer_{number}"])
            )
            for number in _numbers(count)
        }
        with tenant_context(person.tenant.pk):
            user = User.objects.select_for_update(no_key=True).get(pk=person.user.pk)
            if QuestionAnswer.objects.filter(user=user).exists():
                return refusal_page(request, person, "full", method=self.key, status=409)
            before, state = list(ContactPoint.objects.filter(user=user)), snapshot(user)
            for question, answer_hash in hashed.items():
                QuestionAnswer.objects.create(user=user, question=question, answer_hash=answer_hash)
            change = MethodChange(
                what="registered",
                method=self.key,
                name=str(LABELS[self.key]),
                before=before,
                address=address_of(request),
                undo=undo_of(state, snapshot(user)),
            )
            note_change(user, change, by=party_of(user), now=now)
        return see_other(done_url)


def _numbers(count: int) -> range:
    return range(1, count + 1)


def _names(count: int) -> list[str]:
    return [f"{kind}_{number}" for number in _numbers(count) for kind in ("question", "answer")]


def _problems(
    values: Mapping[str, str], count: int, choices: Sequence[str], user_id: str
) -> dict[str, Any]:
    """Field → what is wrong with it."""
    errors: dict[str, Any] = {}
    seen: set[str] = set()
    for number in _numbers(count):
        question, answer = values[f"question_{number}"], values[f"answer_{number}"]
        if question not in choices:
            errors[f"question_{number}"] = words.CHOOSE_QUESTION
        elif question in seen:
            errors[f"question_{number}"] = words.SAME_QUESTION
        seen.add(question)
        problem = _answer_problem(answer, question, user_id)
        if problem:
            errors[f"answer_{number}"] = problem
    for place in repeated(values[f"answer_{number}"] for number in _numbers(count)):
        errors.setdefault(f"answer_{place + 1}", words.SAME_ANSWER)
    return errors


def _answer_problem(answer: str, question: str, user_id: str) -> Any:
    if not answer.strip():
        return words.TYPE_ANSWER
    if not is_long_enough(answer):
        return words.ANSWER_LENGTH
    if is_given_away(answer, (question_text(question), user_id)):
        return words.GIVEN_AWAY
    return ""


def _page(
    request: HttpRequest,
    person: SignedIn,
    count: int,
    choices: Sequence[str],
    values: Mapping[str, str],
    errors: Mapping[str, Any],
) -> HttpResponse:
    """The answers are not sent back: they are typed again."""
    rows = [
        {
            "number": number,
            "chosen": values.get(f"question_{number}", ""),
            "question_error": errors.get(f"question_{number}", ""),
            "answer_error": errors.get(f"answer_{number}", ""),
        }
        for number in _numbers(count)
    ]
    return info_page(
        request,
        person,
        "questions",
        errors=errors,
        rows=rows,
        choices=[(key, question_text(key)) for key in choices],
    )
