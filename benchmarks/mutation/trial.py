"""Pytest plugin: one process runs the tests once, then lets a child of its own try each fault.

A child is a copy of the process with everything imported and the database at hand; the fault is
planted into it, the tests that reach its line run until one fails, and the child is gone. The job
is the file that SSPR_MUTANTS names; the verdicts are written beside it.
"""

import ast
import gc
import importlib
import json
import os
import resource
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import pytest
from django.db import connections

from benchmarks.mutation.modules import MODULES
from benchmarks.mutation.mutants import Mutant, mutants_of, planted
from benchmarks.mutation.planting import NotImportable, NotPlantable, forget_caches, plant
from tests.services import session as database

SURVIVED, KILLED, TIMEOUT, COLD = "survived", "killed", "timeout", "cold"
_EXITS = {0: SURVIVED, 1: KILLED, 3: COLD}
_BROKEN = 4
_MEMORY = 4 * 2**30


class Watch:
    """Which lines of the mutated modules each test reaches, and how long it takes."""

    def __init__(self, files: dict[str, str]) -> None:
        self._files = files
        self.lines: dict[tuple[str, int], set[str]] = defaultdict(set)
        self.seconds: dict[str, float] = {}
        self._test = ""

    def run(self, item: pytest.Item, after: pytest.Item) -> None:
        self._test, began = item.nodeid, time.monotonic()
        threading.settrace(self._entered)
        sys.settrace(self._entered)
        try:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        finally:
            sys.settrace(None)
            threading.settrace(None)  # type: ignore[arg-type]
        self.seconds[item.nodeid] = time.monotonic() - began

    def _entered(self, frame: FrameType, event: str, argument: object) -> Any:
        module = self._files.get(frame.f_code.co_filename)
        if module is None:
            return None

        def passed(frame: FrameType, event: str, argument: object) -> Any:
            self.lines[module, frame.f_lineno].add(self._test)
            return passed

        return passed(frame, event, argument)


class Trial:
    """All faults of some modules, one after the other."""

    def __init__(self, session: pytest.Session, root: Path, chosen: list[str]) -> None:
        self._session, self._root, self._chosen = session, root, chosen
        self._failed = False
        self._watch = Watch({str(root / module): module for module in chosen})
        self._items = {item.nodeid: item for item in session.items}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._failed = self._failed or report.failed

    def warm_up(self) -> None:
        """Raises pytest.UsageError where a test fails without any fault."""
        items = self._session.items
        for number, item in enumerate(items):
            for module in self._chosen:
                forget_caches(imported(module))
            self._watch.run(item, items[(number + 1) % len(items)])
            if self._failed:
                raise pytest.UsageError(f"{item.nodeid} fails without any fault")
        # What is there stays as it is: a child that looked through it would have to copy it.
        gc.collect()
        gc.freeze()

    def verdicts(self, module: str) -> list[dict[str, Any]]:
        source = (self._root / module).read_text(encoding="utf-8")
        everything = [name for name in self._items if name.partition("::")[0] in MODULES[module]]
        verdict, _ = self._try(module, ast.parse(source), "", everything)
        if verdict != SURVIVED:
            raise pytest.UsageError(f"{module} put in its own place: {verdict}")
        rows = []
        for mutant in mutants_of(source):
            tests = self._tests_of(module, source, mutant)
            verdict, seconds = SURVIVED, 0.0
            if tests:
                verdict, seconds = self._try(module, planted(source, mutant), mutant.scope, tests)
            row = {**vars(mutant), "verdict": verdict, "tests": len(tests), "seconds": seconds}
            rows.append(row)
        # What one fault left in the database would fail the tests of every fault after it.
        verdict, _ = self._try(module, ast.parse(source), "", everything)
        if verdict != SURVIVED:
            raise pytest.UsageError(f"{module} without any fault, after all of them: {verdict}")
        return rows

    def _tests_of(self, module: str, source: str, mutant: Mutant) -> list[str]:
        """The module's tests that reach the fault, quickest first."""
        own = [name for name in self._items if name.partition("::")[0] in MODULES[module]]
        if mutant.scope:
            lines = reached_with(planted(source, mutant), mutant.line)
            reached = {name for line in lines for name in self._watch.lines[module, line]}
            own = [name for name in own if name in reached]
        return sorted(own, key=lambda name: self._watch.seconds[name])

    def _try(
        self, module: str, tree: ast.Module, scope: str, tests: list[str]
    ) -> tuple[str, float]:
        connections.close_all()
        began = time.monotonic()
        child = os.fork()
        if child == 0:
            self._in_child(module, tree, scope, tests)
        patience = 20 + 5 * sum(self._watch.seconds[name] for name in tests)
        verdict = _awaited(child, began + patience)
        if verdict == TIMEOUT:
            _tidy_up()
        return verdict, round(time.monotonic() - began, 2)

    def _in_child(self, module: str, tree: ast.Module, scope: str, tests: list[str]) -> None:
        """Never returns: 0 nobody noticed, 1 a test failed, 3 only a fresh import can tell."""
        code = _BROKEN
        gc.disable()
        try:
            self._be_apart()
            plant(imported(module), compile(tree, str(self._root / module), "exec"), scope)
            code = 1
            code = 1 if self._is_noticed(tests) else 0
        except NotImportable:
            code = 1
        except NotPlantable:
            code = 3
        finally:
            os._exit(code)

    def _be_apart(self) -> None:
        """Nothing that the parent holds is used: neither its output nor its connections."""
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        self._session.config.pluginmanager.unregister(name="terminalreporter")
        if database._kept:
            database._kept.append(database.shared_cluster().connect(database.database()))

    def _is_noticed(self, tests: list[str]) -> bool:
        self._failed = False
        for name, after in zip(tests, following(tests, list(self._items)), strict=True):
            item = self._items[name]
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=self._items[after])
            if self._failed:
                return True
        return False


def following(tests: Sequence[str], every: Sequence[str]) -> list[str]:
    """What pytest is told comes after each of these tests. Never the end of the session, whose
    things belong to the parent, and never the test itself: nothing of it would be taken down."""
    last = next(name for name in every if name != tests[-1])
    return [*tests[1:], last]


def reached_with(tree: Any, line: int) -> set[int]:
    """Lines by which one sees that a statement was reached: its own, from first to last."""
    found = {line}
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and not isinstance(node, ast.FunctionDef | ast.ClassDef):
            last = node.end_lineno or node.lineno
            if isinstance(node, ast.If | ast.For | ast.While | ast.With | ast.Try):
                last = node.body[0].lineno - 1
            if node.lineno <= line <= last:
                found.update(range(node.lineno, last + 1))
    return found


def imported(module: str) -> ModuleType:
    return importlib.import_module(module.removesuffix(".py").replace("/", "."))


def _awaited(child: int, end: float) -> str:
    while time.monotonic() < end:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            code = os.waitstatus_to_exitcode(status)
            if code == _BROKEN:
                raise RuntimeError("a child could not begin")
            return _EXITS.get(code, KILLED)
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return TIMEOUT


def _tidy_up() -> None:
    """What a child left in the database that was ended in the middle of a test."""
    from django.test import TransactionTestCase

    restore: Any = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]
    restore(None)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    job = Path(os.environ["SSPR_MUTANTS"])
    chosen: list[str] = json.loads(job.read_text(encoding="utf-8"))
    trial = Trial(session, Path(str(session.config.rootpath)), chosen)
    session.config.pluginmanager.register(trial)
    trial.warm_up()
    for module in chosen:
        rows = trial.verdicts(module)
        name = module.replace("/", ".") + ".verdicts"
        job.with_name(name).write_text(json.dumps(rows), encoding="utf-8")
        sys.__stdout__.write(f"{module}: {len(rows)} faults tried\n")  # type: ignore[union-attr]
        sys.__stdout__.flush()  # type: ignore[union-attr]
    return True
