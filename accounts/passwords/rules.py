"""PURE. Which passwords are accepted, and every reason why one is not."""

import string
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from .breached import BreachedList
from .common import KnownPasswords, derives_from
from .names import PasswordContext, names_in
from .terms import TermSet, normalise, score, term_set

SHORTEST = 8
LONGEST = 256
CLASSES_NEEDED = 3
POINTS_NEEDED = 5

Code = Literal[
    "too_short",
    "too_long",
    "character_not_allowed",
    "too_few_classes",
    "contains_name",
    "banned",
    "too_common",
    "breached",
    "reused",
]

_SYMBOLS = frozenset("@#$%^&*-_!+=[]{}|\\:',.?/`~\"(); <>")
_CLASSES = (
    frozenset(string.ascii_lowercase),
    frozenset(string.ascii_uppercase),
    frozenset(string.digits),
    _SYMBOLS,
)
ALLOWED: frozenset[str] = frozenset().union(*_CLASSES)
"""The characters of a cloud password (Entra, password rules): printable ASCII with the blank."""


@dataclass(frozen=True)
class PasswordRules:
    """The rules that hold for one person's cloud password.

    rules: `entra` (3 of 4 classes, ASCII, banned-term points) or `nist` (any characters, no
    composition, blocklist). Lengths are code points; below 8 and above 256 they have no effect.
    custom_banned: the plan lets the tenant's own `banned_terms` count. global_banned: likewise
    the global list. Neither switches off the list of common passwords, which is the floor.
    """

    rules: Literal["entra", "nist"] = "entra"
    min_length: int = SHORTEST
    max_length: int = LONGEST
    banned_terms: tuple[str, ...] = ()
    check_breached: bool = True
    custom_banned: bool = True
    global_banned: bool = True

    @property
    def shortest(self) -> int:
        return max(self.min_length, SHORTEST)

    @property
    def longest(self) -> int:
        return min(self.max_length, LONGEST)


@dataclass(frozen=True)
class Violation:
    """One reason to refuse. `params` fill the message and never hold any of the password:
    too_short{min,length} too_long{max} character_not_allowed{allowed} too_few_classes{needed,found}
    contains_name{which} banned{source} and with points banned{source,score,needed}; the others {}.
    """

    code: Code
    params: Mapping[str, int | str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "params", MappingProxyType(dict(self.params)))


def check(
    password: str,
    rules: PasswordRules,
    context: PasswordContext,
    known: KnownPasswords,
    breached: BreachedList | None,
) -> tuple[Violation, ...]:
    """Every reason to refuse the password, in the order of `Code`; empty means accepted.

    A password above the longest length is only `too_long`: nothing else looks at it, so a
    megabyte costs nothing. `breached` may be None when the operator supplies no list. Raises
    BreachedListError when the list there is can't be read.
    """
    if len(password) > rules.longest:
        return (Violation("too_long", {"max": rules.longest}),)
    return tuple(_violations(password, rules, context, known, breached))


def banned_score(password: str, rules: PasswordRules, known: KnownPasswords) -> int:
    """Points of the password against the banned terms that hold; `entra` needs 5.

    0 for a password above the longest length, which is not looked at.
    """
    if len(password) > rules.longest:
        return 0
    return score(_compared(password), _banned_sets(rules, known))


def normalise_for_hashing(password: str, rules: PasswordRules) -> str:
    """The form that is hashed and later verified: NFKC under `nist`, else as typed.

    For cloud passwords alone; what goes to a directory is what was typed. Above the longest
    length it is returned unchanged: no such password was ever set.
    """
    if rules.rules == "entra" or len(password) > rules.longest:
        return password
    return unicodedata.normalize("NFKC", password)


def _violations(
    password: str,
    rules: PasswordRules,
    context: PasswordContext,
    known: KnownPasswords,
    breached: BreachedList | None,
) -> Iterator[Violation]:
    judged = normalise_for_hashing(password, rules)
    # A ligature that NFKC writes out in full is still one character typed.
    length = min(len(password), len(judged))
    if length < rules.shortest:
        yield Violation("too_short", {"min": rules.shortest, "length": length})
    entra = rules.rules == "entra"
    yield from (_entra_characters if entra else _nist_characters)(judged)
    for which in names_in(judged, context):
        yield Violation("contains_name", {"which": which})
    yield from (_points if entra else _blocklist)(judged, rules, known)
    if rules.check_breached and breached is not None and breached.contains(password):
        yield Violation("breached")


def _entra_characters(password: str) -> Iterator[Violation]:
    used = frozenset(password)
    if not used <= ALLOWED:
        yield Violation("character_not_allowed", {"allowed": "ascii"})
    found = sum(not used.isdisjoint(members) for members in _CLASSES)
    if found < CLASSES_NEEDED:
        yield Violation("too_few_classes", {"needed": CLASSES_NEEDED, "found": found})


def _nist_characters(password: str) -> Iterator[Violation]:
    """Control characters can't be seen, and half a surrogate pair can't be hashed."""
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in password):
        yield Violation("character_not_allowed", {"allowed": "printable"})


def _compared(password: str) -> str:
    """Normalised; some characters outside ASCII come out many times as long, and are cut off."""
    return normalise(password)[:LONGEST]


def _banned_sets(rules: PasswordRules, known: KnownPasswords) -> list[TermSet]:
    sets = [known.global_set] if rules.global_banned else []
    return [*sets, term_set(rules.banned_terms)] if rules.custom_banned else sets


def _points(password: str, rules: PasswordRules, known: KnownPasswords) -> Iterator[Violation]:
    text = _compared(password)
    points = score(text, _banned_sets(rules, known))
    # Too short to have the points is not the same as built on a banned term.
    if points < min(POINTS_NEEDED, len(text)):
        only_global = score(text, [known.global_set] if rules.global_banned else [])
        source = "global" if only_global < POINTS_NEEDED else "custom"
        yield Violation("banned", {"source": source, "score": points, "needed": POINTS_NEEDED})
    if text in known.entries:
        yield Violation("too_common")


def _blocklist(password: str, rules: PasswordRules, known: KnownPasswords) -> Iterator[Violation]:
    if rules.custom_banned and derives_from(password, term_set(rules.banned_terms)):
        yield Violation("banned", {"source": "custom"})
    elif rules.global_banned and derives_from(password, known.global_set):
        yield Violation("banned", {"source": "global"})
    if derives_from(password, known.entries):
        yield Violation("too_common")
