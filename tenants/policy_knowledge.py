"""What the apps above know about policies. Each says so when it starts, as it adds its sections to
policy as code; this app asks without importing them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass


def _no_problems(terms: Sequence[str]) -> Iterable[str]:
    return ()


def _never() -> bool:
    return False


@dataclass
class Knowledge:
    """verifiable: methods this installation can verify. term_problems: what is wrong with a list
    of banned terms, as sentences. is_synchronised: whether the tenant in force has a directory of
    its own, or anybody's password is kept in one."""

    verifiable: frozenset[str] = frozenset()
    term_problems: Callable[[Sequence[str]], Iterable[str]] = _no_problems
    is_synchronised: Callable[[], bool] = _never


KNOWN = Knowledge()
