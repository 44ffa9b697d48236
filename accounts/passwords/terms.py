"""PURE. Comparing a password with lists of banned terms.

Entra, password rules: lower case, then 0→o, 1→l, $→s, @→a; fuzzy at edit distance 1; one point
for each banned term and one for each remaining character.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

MAX_TERMS = 1000
TERM_LENGTHS = range(4, 17)

_SUBSTITUTIONS = str.maketrans("01$@", "olsa")


@dataclass(frozen=True)
class TermProblem:
    """A term that a tenant may not ban. `index` counts from 0 in the list as it was given."""

    index: int
    reason: Literal["too_short", "too_long", "duplicate", "too_many"]


def banned_term_problems(terms: Sequence[str]) -> tuple[TermProblem, ...]:
    """What is wrong with a tenant's own list: at most 1000 terms, each 4 to 16 characters, each
    once whatever its case (Entra, custom banned password list). Surrounding blanks don't count.

    Terms above the limit are reported once, at the first of them, and not looked at further.
    """
    problems = []
    seen: set[str] = set()
    for index, term in enumerate(terms[:MAX_TERMS]):
        key = term.strip().casefold()
        if len(term.strip()) < TERM_LENGTHS[0]:
            problems.append(TermProblem(index, "too_short"))
        elif len(term.strip()) > TERM_LENGTHS[-1]:
            problems.append(TermProblem(index, "too_long"))
        elif key in seen:
            problems.append(TermProblem(index, "duplicate"))
        seen.add(key)
    if len(terms) > MAX_TERMS:
        problems.append(TermProblem(MAX_TERMS, "too_many"))
    return tuple(problems)


def normalise(text: str) -> str:
    """The form in which passwords, names and banned terms are compared. Idempotent.

    Outside ASCII, where Entra has no rule, accents and compatibility forms are dropped first, so
    that the surname Müller is found in `muller`.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).casefold()
        text = unicodedata.normalize("NFKD", text)
        text = "".join(mark for mark in text if not unicodedata.combining(mark)).casefold()
        text = unicodedata.normalize("NFC", text)
    return text.lower().translate(_SUBSTITUTIONS)


def within_one_edit(left: str, right: str) -> bool:
    """Whether at most one character inserted, removed or replaced turns one into the other."""
    shorter, longer = sorted((left, right), key=len)
    same = 0
    while same < len(shorter) and shorter[same] == longer[same]:
        same += 1
    rest = same + (len(shorter) == len(longer))
    return shorter[rest:] == longer[same + 1 :]


class TermSet:
    """Normalised terms, ready to be compared with many passwords.

    All methods take normalised text. Terms that normalise to nothing are left out.
    """

    def __init__(self, terms: Iterable[str]) -> None:
        self.terms = frozenset(filter(None, map(normalise, terms)))
        self.lengths = tuple(sorted({len(term) for term in self.terms}))
        self._halves: dict[tuple[int, bool, str], list[str]] | None = None

    def __contains__(self, text: str) -> bool:
        return text in self.terms

    def is_near(self, text: str) -> bool:
        """Whether the whole text is a term, or one edit away from one."""
        return text in self.terms or any(within_one_edit(text, t) for t in self._candidates(text))

    def _candidates(self, text: str) -> Iterable[str]:
        """The terms worth comparing: a single edit leaves the first or the second half as it was,
        and so thousands of terms need only a handful of look-ups."""
        if self._halves is None:
            self._halves = self._index()
        for length in range(len(text) - 1, len(text) + 2):
            half = length // 2
            yield from self._halves.get((length, True, text[:half]), ())
            tail = text[len(text) - (length - half) :]
            yield from self._halves.get((length, False, tail), ())

    def _index(self) -> dict[tuple[int, bool, str], list[str]]:
        halves: dict[tuple[int, bool, str], list[str]] = {}
        for term in self.terms:
            half = len(term) // 2
            halves.setdefault((len(term), True, term[:half]), []).append(term)
            halves.setdefault((len(term), False, term[half:]), []).append(term)
        return halves


@lru_cache(maxsize=128)
def term_set(terms: tuple[str, ...]) -> TermSet:
    """The set for a tenant's list, built once for each list."""
    return TermSet(terms)


def score(text: str, sets: Sequence[TermSet]) -> int:
    """Points of a normalised password; Entra accepts 5 and more.

    Each banned term inside counts 1 and each character outside of a term counts 1. Where terms
    overlap, the reading with the fewest points counts. A password that as a whole is a term, or
    one edit away from one, is that term and has 1 point. Terms *inside* a longer password must
    match exactly: with fuzzy ones the documented `ContoS0Bl@nkf9!` would lose its f (`blankf` is
    one edit from `blank`) and with it the fifth point that it is documented to have.
    """
    if any(terms.is_near(text) for terms in sets):
        return min(1, len(text))
    fewest = [0] * (len(text) + 1)
    for end in range(1, len(text) + 1):
        before = fewest[end - 1]
        for chosen in sets:
            for length in chosen.lengths:
                if length <= end and text[end - length : end] in chosen.terms:
                    before = min(before, fewest[end - length])
        fewest[end] = before + 1
    return fewest[-1]
