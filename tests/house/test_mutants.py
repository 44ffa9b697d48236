"""The mutation run: which faults are planted, and that they take effect in a running process."""

import ast
import sys
import types
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.mutants import share, table
from benchmarks.mutation.modules import MODULES
from benchmarks.mutation.mutants import Mutant, mutants_of, planted
from benchmarks.mutation.planting import NotImportable, NotPlantable, plant
from benchmarks.mutation.trial import following

ROOT = Path(__file__).resolve().parents[2]
SOURCE = '''"""A module."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from functools import cache

MOST = 3


class Kind(Enum):
    ONE = "one"


@dataclass(frozen=True)
class Pair:
    """Two."""

    left: int = 1
    right: str = ""

    @property
    def total(self) -> int:
        return self.left + len(self.right)


PAIRS = {"a": Pair(2)}
WAITS = {"a": (Pair(5), timedelta(7))}


@cache
def doubled(number: int) -> int:
    return number * 2


def answer(values: list[int], most: int = MOST) -> "int | None":
    """What is asked for."""
    if not values or len(values) > most:
        raise ValueError("too many")
    found = [value for value in values if value != 0]
    found.sort()
    return found[0] if found else None
'''


@pytest.fixture
def house() -> Iterator[types.ModuleType]:
    module = types.ModuleType("mutated_house")
    module.__file__, module.__package__ = "mutated_house.py", ""
    module.__spec__, module.__loader__ = None, None
    sys.modules[module.__name__] = module
    exec(compile(SOURCE, "mutated_house.py", "exec"), module.__dict__)  # noqa: S102 - our own
    yield module
    del sys.modules[module.__name__]


def the(after: str, line: str = "") -> Mutant:
    """The only fault that makes this of a place; where there are several, of the one in `line`."""
    lines = SOURCE.splitlines()
    found = [each for each in mutants_of(SOURCE) if each.after == after]
    [mutant] = [each for each in found if line in lines[each.line - 1]]
    return mutant


def put(house: types.ModuleType, mutant: Mutant) -> None:
    plant(house, compile(planted(SOURCE, mutant), "mutated_house.py", "exec"), mutant.scope)


def test_every_kind_of_fault_is_there_and_nothing_of_words_and_types() -> None:
    found = mutants_of(SOURCE)

    kinds = {each.kind for each in found}
    assert kinds == {
        "comparison", "boolean", "arithmetic", "constant", "return", "condition", "statement"
    }  # fmt: skip
    assert {(each.before, each.after) for each in found if each.kind == "comparison"} == {
        ("len(values) > most", "len(values) >= most"),
        ("len(values) > most", "len(values) <= most"),
        ("value != 0", "value == 0"),
    }
    assert not [each for each in found if "too many" in each.before and each.kind == "constant"]
    assert not [each for each in found if "What is asked" in each.before or "int |" in each.after]


def test_each_fault_changes_one_place_and_says_where_it_is() -> None:
    whole = ast.unparse(ast.parse(SOURCE)).splitlines()
    for mutant in mutants_of(SOURCE):
        changed = ast.unparse(planted(SOURCE, mutant)).splitlines()
        assert len(changed) == len(whole)
        assert sum(a != b for a, b in zip(changed, whole, strict=True)) == 1, mutant
        inside = SOURCE.splitlines()[mutant.line - 1].startswith("    ")
        assert bool(mutant.scope) <= inside


def test_a_fault_in_a_function_reaches_those_who_hold_it(house: types.ModuleType) -> None:
    held, total = house.answer, house.Pair(1, "ab")
    assert (held([3, 0, 1]), total.total, house.doubled(2)) == (1, 3, 4)

    put(house, the("value == 0"))
    assert held([3, 0, 1]) == 0
    put(house, the("self.left - len(self.right)"))
    assert total.total == -1
    put(house, the("number // 2"))
    assert house.doubled(2) == 1, "what was remembered is forgotten"


def test_a_fault_outside_functions_reaches_them_too(house: types.ModuleType) -> None:
    held, pair = house.answer, house.Pair
    other = types.ModuleType("mutated_neighbour")
    other.PAIRS = house.PAIRS  # type: ignore[attr-defined]
    sys.modules[other.__name__] = other
    try:
        put(house, the("4", "MOST = 3"))
        assert held([1, 2, 3, 4]) == 1
        put(house, the("3", "PAIRS ="))
    finally:
        del sys.modules[other.__name__]

    assert other.PAIRS["a"] == pair(3)
    put(house, the("2", "left: int = 1"))
    assert pair().left == 2
    put(house, the("8", "WAITS ="))
    assert house.WAITS["a"] == (pair(5), timedelta(8)), "what is imported stays what it is"


def test_a_module_that_a_fault_keeps_from_being_imported_says_so(house: types.ModuleType) -> None:
    with pytest.raises(NotImportable):
        plant(house, compile("missing", "mutated_house.py", "exec"), "")


def test_what_only_an_import_shows_is_not_planted(house: types.ModuleType) -> None:
    with pytest.raises(NotPlantable):
        put(house, the("'one~mutated'"))


@pytest.mark.parametrize("tests", [["a"], ["c"], ["b", "a"], ["a", "b", "c"]])
def test_after_each_test_comes_another_one_and_never_itself(tests: list[str]) -> None:
    after = following(tests, ["a", "b", "c"])

    assert after[:-1] == tests[1:]
    assert after[-1] in {"a", "b", "c"} - {tests[-1]}


def test_every_mutated_module_and_its_tests_are_there() -> None:
    for module, tests in MODULES.items():
        assert (ROOT / module).is_file()
        assert [test for test in tests if not (ROOT / test).is_file()] == []
        assert mutants_of((ROOT / module).read_text(encoding="utf-8"))


def test_the_table_counts_what_was_noticed() -> None:
    rows = [{"verdict": verdict} for verdict in ("killed", "killed", "timeout", "survived")]

    assert share(rows) == 0.75
    assert table({"a.py": rows}).splitlines()[2] == "| `a.py` | 4 | 3 | 1 | 1 | 75.0% |"
