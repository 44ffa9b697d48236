"""How hard a password is to guess, in one word. Advice for the person, never a reason to refuse."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from zxcvbn import zxcvbn

MAX_CHARACTERS = 72
MAX_INPUTS = 20

Word = Literal["very_weak", "weak", "fair", "good", "strong"]
_WORDS: tuple[Word, ...] = ("very_weak", "weak", "fair", "good", "strong")

# zxcvbn keeps the user's own words in one dictionary of the whole process.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Strength:
    """score: 0 guessed at once … 4 strong; word: the key of its name."""

    score: int
    word: Word


def strength(password: str, user_inputs: Iterable[str]) -> Strength:
    """Estimates the first 72 characters, a few milliseconds.

    user_inputs: names of the person and the organisation, which make a password weaker; the
    first 20 that are not empty count.
    """
    if not password:
        return Strength(0, _WORDS[0])
    inputs = [text[:MAX_CHARACTERS] for text in islice(filter(None, user_inputs), MAX_INPUTS)]
    with _one_at_a_time:
        score = int(zxcvbn(password[:MAX_CHARACTERS], user_inputs=inputs)["score"])
    return Strength(score, _WORDS[score])
