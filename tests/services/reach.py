"""Which lines and branches of the product the tests reach; written where SSPR_REACH says.

SlipCover writes its notes into the product's code while it is imported, and takes them out again
where they were read often. That costs a third of what a function does that Python calls for every
line. What is set up in pyproject.toml as `tool.slipcover` says what counts.
"""

import json
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
import slipcover

from tests.services.session import ROOT, is_controller


class Reach:
    """Notes in this process; in the controlling one of a run with workers, what they noted."""

    def __init__(self, report: Path) -> None:
        self._report = report
        options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        chosen = options["tool"]["slipcover"]
        source, omit = chosen["source"], chosen["omit"]
        # Files that nobody imports count too, with nothing reached; only once, by the controller.
        whole = source if is_controller() else None
        self._notes = slipcover.Slipcover(
            branch=True, source=whole, omit=omit, exclude_also=chosen["exclude-also"]
        )
        files = slipcover.FileMatcher(sources=source, omit=omit)
        slipcover.ImportManager(self._notes, files).__enter__()
        self._of_workers: list[dict[str, Any]] = []

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if not is_controller():
            output: dict[str, str] = session.config.workeroutput  # type: ignore[attr-defined]  # xdist's
            output["reach"] = json.dumps(self._notes.get_coverage())
            return
        found = self._notes.get_coverage()
        for each in self._of_workers:
            slipcover.merge_coverage(found, each)
        self._report.write_text(json.dumps(found), encoding="utf-8")

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker that crashed has noted nothing; its tests run again in the next one."""
        if "reach" in getattr(node, "workeroutput", {}):
            self._of_workers.append(json.loads(node.workeroutput["reach"]))


def begin() -> Reach | None:
    """Begins to note, before the product is imported; nothing where nobody asked."""
    report = os.environ.get("SSPR_REACH")
    return Reach(ROOT / report) if report else None
