"""PURE. A change that can't be, told at the fields it concerns."""

from collections.abc import Iterable

from .policy import Problem


class Invalid(ValueError):
    """A service refused; nothing was changed. Each problem names a field and what to do."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{each.field}: {each.fix}" for each in self.problems))


def refusal(field: str, code: str, fix: str) -> Invalid:
    """The refusal of a single problem; an empty field stands for the whole."""
    return Invalid([Problem(field, code, fix)])
