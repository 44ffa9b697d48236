"""What this app knows about policies: which methods can be verified, which terms can be banned."""

from collections.abc import Iterable, Sequence

from tenants.policy_knowledge import KNOWN

from .config_checks import TERM_FIXES
from .methods.registry import METHODS
from .passwords.terms import banned_term_problems

MOST_TOLD = 5


def term_problems(terms: Sequence[str]) -> Iterable[str]:
    """One sentence a problem, naming the line it stands on; the first few are told."""
    for problem in banned_term_problems(terms)[:MOST_TOLD]:
        yield f"Line {problem.index + 1}: {TERM_FIXES[problem.reason]}"


KNOWN.verifiable = frozenset(METHODS)
KNOWN.term_problems = term_problems
