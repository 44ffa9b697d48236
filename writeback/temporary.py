"""PURE. Temporary passwords: drawn, never chosen by anybody (ASVS 6.4.6), to be read out once.

Without vowels, so that no word and hardly a name comes of it, and without characters that are
misread. Sixteen of 47 characters make 88 bits.
"""

from collections.abc import Callable

LOWER, UPPER, DIGITS = "bcdfghjkmnpqrstvwxz", "BCDFGHJKLMNPQRSTVWXZ", "23456789"
ALPHABET = LOWER + UPPER + DIGITS
GROUP, GROUPS = 4, 4
LONGEST = 120


def temporary_password(choose: Callable[[str], str], at_least: int = 0) -> str:
    """Groups such as `kX7m-R2pd-…`, at least that long, with small and capital letters, digits and
    dashes. choose: draws one character of a text at random."""
    groups = GROUPS
    while groups * (GROUP + 1) - 1 < min(at_least, LONGEST):
        groups += 1
    while True:
        drawn = "".join(choose(ALPHABET) for _ in range(groups * GROUP))
        if all(set(drawn) & set(kind) for kind in (LOWER, UPPER, DIGITS)):
            return "-".join(drawn[at : at + GROUP] for at in range(0, len(drawn), GROUP))
