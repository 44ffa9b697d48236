"""PURE but for one reading of shipped data: the passwords everybody tries first."""

import gzip
import string
from collections.abc import Iterable
from functools import lru_cache
from importlib import resources
from itertools import islice

from .terms import TermSet, normalise, term_set
from .words import GUESSED_FIRST

GLOBAL_TERM_COUNT = 1000
GLOBAL_TERM_LENGTHS = range(5, 17)
MAX_PADDING = 6

_PADDING = string.digits + string.punctuation + " "


class KnownPasswords:
    """A list of well-known passwords, the most frequent first.

    `global_terms` is the global banned list of the scoring. Entra's own is not published; ours
    is the 1000 most frequent entries of 5 to 16 letters and nothing else, and the words of
    `words.GUESSED_FIRST`. Entries of mixed kind (`abc123xyz`) are refused as a whole password,
    yet take no points: they would hardly be found inside another one.
    """

    def __init__(self, ranked: Iterable[str]) -> None:
        entries = tuple(ranked)
        words = (e for e in entries if e.isalpha() and len(e) in GLOBAL_TERM_LENGTHS)
        self.entries = TermSet(entries)
        self.global_terms = tuple(
            dict.fromkeys(map(normalise, (*islice(words, GLOBAL_TERM_COUNT), *GUESSED_FIRST)))
        )
        self.global_set = term_set(self.global_terms)

    def __contains__(self, password: str) -> bool:
        """Whether the whole password, as it is compared, is one of the list."""
        return normalise(password) in self.entries


@lru_cache(maxsize=1)
def shipped_passwords() -> KnownPasswords:
    """The list of some 20,000 common passwords that Django ships, read once, at the first call.

    Raises OSError if the installed Django lacks it.
    """
    data = resources.files("django") / "contrib" / "auth" / "common-passwords.txt.gz"
    return KnownPasswords(gzip.decompress(data.read_bytes()).decode().splitlines())


def derives_from(password: str, terms: TermSet) -> bool:
    """Whether the password is a term, one edit from a term, or a term between up to six digits,
    signs and blanks (`Welcome2026!`): the derivatives that NIST wants refused with the word.

    Terms inside a longer phrase don't count: NIST compares whole passwords.
    """
    core = password.strip(_PADDING)
    if len(password) - len(core) <= MAX_PADDING and normalise(core) in terms:
        return True
    return terms.is_near(normalise(password))
