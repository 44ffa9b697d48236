"""Security questions: how answers are read, which are asked, what stops counting."""

from dataclasses import replace

import pytest
from django.contrib.auth.hashers import make_password

from accounts.answers import normalise_answer
from accounts.methods import questions
from accounts.methods.base import WRONG
from accounts.methods.registry import get_method
from accounts.models import QuestionAnswer
from tests.accounts.methods.conftest import (
    ASKED,
    CONTEXT,
    QUESTION_KEYS,
    answers,
    belongings,
    right,
)
from tests.cast import QUESTIONS, Acme, give_questions, hashed, make_person

METHOD = get_method("security_questions")
GOOD = tuple(QUESTIONS[key] for key in QUESTION_KEYS)


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        str.lower,
        lambda text: f"  {text} ",
        lambda text: text.replace(" ", "   "),
        lambda text: text.replace(" ", "\u00a0"),
        lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    ],
    ids=["upper", "lower", "blanks around", "blanks inside", "no-break", "full width"],
)
def test_case_width_and_blanks_do_not_matter(acme: Acme, change: object) -> None:
    typed = answers(*(change(text) for text in GOOD))  # type: ignore[operator]  # one of the above
    with acme.inside():
        assert METHOD.verify(belongings(acme.alice), ASKED, typed, CONTEXT).right


@pytest.mark.parametrize(
    "given",
    [
        (),
        GOOD[:2],
        (*GOOD, GOOD[0]),
        (GOOD[1], GOOD[0], GOOD[2]),
        ("", "", ""),
        (GOOD[0], GOOD[1], "wrong"),
        (GOOD[0], GOOD[1], GOOD[2] + "s"),
    ],
    ids=["none", "fewer", "more", "swapped", "empty", "one wrong", "one longer"],
)
def test_every_answer_has_to_be_right(acme: Acme, given: tuple[str, ...]) -> None:
    with acme.inside():
        assert METHOD.verify(belongings(acme.alice), ASKED, answers(*given), CONTEXT) == WRONG


def test_nothing_asked_is_nothing_proved(acme: Acme) -> None:
    asked = replace(ASKED, questions=())
    with acme.inside():
        assert METHOD.verify(belongings(acme.alice), asked, answers(), CONTEXT) == WRONG


@pytest.mark.parametrize("registered", [2, 3, 5])
def test_fewer_answers_than_are_asked_are_no_registration(acme: Acme, registered: int) -> None:
    with acme.inside():
        who = make_person("few", acme.domain)
        give_questions(who, dict(list(QUESTIONS.items())[:registered]))

        assert bool(METHOD.registrations(belongings(who), CONTEXT)) is (registered >= 3)


def test_an_own_question_counts_while_the_policy_has_it(acme: Acme) -> None:
    own = "What is the name of the cantina?"
    with acme.inside():
        who = make_person("own", acme.domain)
        give_questions(who, {**dict(list(QUESTIONS.items())[:2]), own: "Tre Stelle"})
        asked = replace(ASKED, questions=(*QUESTION_KEYS[:2], own))
        typed = answers(*GOOD[:2], "tre stelle")
        with_it = replace(CONTEXT, custom_questions=(own,))

        assert METHOD.verify(belongings(who), asked, typed, with_it).right
        assert METHOD.registrations(belongings(who), CONTEXT) == ()
        assert METHOD.verify(belongings(who), asked, typed, CONTEXT) == WRONG


def test_a_question_that_was_removed_after_it_was_asked_proves_nothing(acme: Acme) -> None:
    own = "What is the name of the cantina?"
    with acme.inside():
        QuestionAnswer.objects.create(
            user=acme.alice, question=own, answer_hash=hashed(normalise_answer("Tre Stelle"))
        )
        asked = replace(ASKED, questions=(*QUESTION_KEYS[:2], own))
        typed = answers(*GOOD[:2], "tre stelle")

        assert METHOD.verify(belongings(acme.alice), asked, typed, CONTEXT) == WRONG


def test_an_answer_that_changed_is_other_evidence(acme: Acme) -> None:
    with acme.inside():
        [before] = METHOD.registrations(belongings(acme.alice), CONTEXT)
        QuestionAnswer.objects.filter(user=acme.alice, question="first_pet").update(
            answer_hash=make_password("rex")
        )
        [after] = METHOD.registrations(belongings(acme.alice), CONTEXT)

    assert (before.anchor, before.evidence) != (after.anchor, after.evidence)
    assert before.anchor == after.anchor


@pytest.mark.parametrize("who", ["right", "wrong", "decoy", "unregistered"])
def test_as_many_answers_are_hashed_whoever_is_asked(
    acme: Acme, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    hashes: list[str] = []

    def check(text: str, _: str) -> bool:
        hashes.append(text)
        return who == "right"

    monkeypatch.setattr(questions, "make_password", hashes.append)
    monkeypatch.setattr(questions, "check_password", check)
    with acme.inside():
        own = {
            "decoy": None,
            "unregistered": belongings(acme.eve),
        }.get(who, belongings(acme.alice))
        given = answers("wrong", *GOOD[1:]) if who == "wrong" else right(METHOD.key, acme.alice)

        verdict = METHOD.verify(own, ASKED, given, CONTEXT)

    assert verdict.right is (who == "right")
    assert len(hashes) == 3


def test_a_draw_has_no_question_twice_and_every_question_comes_up() -> None:
    import secrets

    sample = secrets.SystemRandom().sample
    drawn = [questions.draw(list(QUESTIONS), 3, sample) for _ in range(200)]

    assert all(len(set(some)) == 3 for some in drawn)
    assert {key for some in drawn for key in some} == set(QUESTIONS)
    assert len({tuple(sorted(some)) for some in drawn}) > 1
    assert questions.draw(["first_pet"], 3, sample) == ["first_pet"]
