"""PURE. Answers to security questions, in the form in which they are hashed and compared."""

import unicodedata
from collections.abc import Iterable

ANSWER_LENGTH = range(3, 41)
"""Characters of an answer, blanks around it left out (Entra, security questions)."""


def normalise_answer(text: str) -> str:
    """Width, case and blanks don't matter: ` Fluffy   the CAT ` is `fluffy the cat`. Idempotent."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(folded.split())


def is_long_enough(text: str) -> bool:
    """Whether an answer has 3 to 40 characters, however they are padded."""
    return len(text.strip()) in ANSWER_LENGTH and len(normalise_answer(text)) >= ANSWER_LENGTH[0]


def is_given_away(answer: str, known: Iterable[str]) -> bool:
    """Whether the answer is what everybody can read: the question itself, or the user ID."""
    said = normalise_answer(answer).strip("?. ")
    shown = [normalise_answer(text).strip("?. ") for text in known]
    names = [text.partition("@")[0] for text in shown if "@" in text]
    return bool(said) and said in {*shown, *names}


def repeated(answers: Iterable[str]) -> list[int]:
    """Places of the answers that an earlier one already gave."""
    seen: set[str] = set()
    found = []
    for place, answer in enumerate(answers):
        form = normalise_answer(answer)
        if form in seen:
            found.append(place)
        seen.add(form)
    return found
