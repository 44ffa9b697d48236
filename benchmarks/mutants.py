"""Small faults planted into the rules, one at a time: how many of them do the tests notice?

    .venv/bin/python -m benchmarks.mutants [MODULE …] [--out FOLDER]

Works on a copy of the tree, as the least urgent process of the machine. Every fault is tried in a
copy of one warm process, with the tests that reach its line, until the first one fails. What only
an import can show is tried once more in a process of its own. docs/mutation.md tells of those that
no test notices.
"""

import argparse
import ast
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.mutation.modules import GOAL, MODULES
from benchmarks.mutation.mutants import Mutant, planted

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
NOTICED = ("killed", "timeout")
_PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist")
_TRIAL = ("-p", "benchmarks.mutation.trial")
_PATIENCE = 600


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("modules", nargs="*", help="all of them, when none is named")
    options.add_argument("--warm", action="store_true", help="no second try; quick, and too strict")
    options.add_argument("--out", type=Path, default=RESULTS, help="folder of the result")
    chosen = options.parse_args()
    unknown = set(chosen.modules) - set(MODULES)
    if unknown:
        options.error(f"no tests are named for {', '.join(sorted(unknown))}")
    os.nice(19)
    # A run that is told to stop takes its copy along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with copied() as tree:
        verdicts = tried(tree, chosen.modules or list(MODULES), warm=chosen.warm)
    chosen.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(verdicts, indent=1, sort_keys=True)
    (chosen.out / "mutants.json").write_text(text + "\n", encoding="utf-8")
    say(table(verdicts))
    for module, rows in verdicts.items():
        for row in rows:
            if row["verdict"] not in NOTICED:
                say(f"{module}:{row['line']}: {row['before']!r} → {row['after']!r}")
    return 0 if all(share(rows) >= GOAL for rows in verdicts.values()) else 1


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of what git knows or would add, gone afterwards."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    with tempfile.TemporaryDirectory(prefix="sspr-mutants-") as folder:
        tree = Path(folder) / "tree"
        for name in filter(None, listing.split("\0")):
            if (ROOT / name).is_file():
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, tree / name)
        yield tree


def tried(tree: Path, modules: Sequence[str], *, warm: bool) -> dict[str, list[dict[str, Any]]]:
    """The verdict on each fault of each module. Raises RuntimeError with what pytest wrote."""
    job = tree.parent / "job"
    job.write_text(json.dumps(modules), encoding="utf-8")
    tests = sorted({test for module in modules for test in MODULES[module]})
    # A test has to fail, not to explain itself.
    command = [*_PYTEST, "--assert=plain", "--tb=native", *_TRIAL, *tests]
    env = {**os.environ, "SSPR_MUTANTS": str(job)}
    done = subprocess.run(
        command, cwd=tree, env=env, stderr=subprocess.PIPE, text=True, check=False
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for module in modules:
        verdicts = job.with_name(module.replace("/", ".") + ".verdicts")
        if not verdicts.exists():
            raise RuntimeError(f"pytest ended with {done.returncode}\n{done.stderr[-4000:]}")
        rows = json.loads(verdicts.read_text(encoding="utf-8"))
        found[module] = rows if warm else [_once_more(tree, module, row) for row in rows]
    return found


def _once_more(tree: Path, module: str, row: dict[str, Any]) -> dict[str, Any]:
    """A fault outside any function may be noticed only where the module is imported with it."""
    if row["scope"] or row["verdict"] in NOTICED:
        return row
    mutant = Mutant(**{name: row[name] for name in Mutant.__annotations__})
    path, began = tree / module, time.monotonic()
    source = path.read_text(encoding="utf-8")
    path.write_text(ast.unparse(planted(source, mutant)), encoding="utf-8")
    try:
        done = subprocess.run(
            [*_PYTEST, "-x", *MODULES[module]],
            cwd=tree,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
        verdict = "killed" if done.returncode else "survived"
    except subprocess.TimeoutExpired:
        verdict = "timeout"
    finally:
        path.write_text(source, encoding="utf-8")
    say(f"  {module}:{row['line']} {row['after']}: {verdict} by a process of its own")
    return {**row, "verdict": verdict, "seconds": round(time.monotonic() - began, 2)}


def share(rows: Sequence[dict[str, Any]]) -> float:
    """How many of the faults were noticed, 0 to 1."""
    return sum(row["verdict"] in NOTICED for row in rows) / len(rows)


def table(verdicts: dict[str, list[dict[str, Any]]]) -> str:
    """Module by module, as Markdown."""
    lines = ["| Module | faults | noticed | of them by time | not noticed | share |"]
    lines.append("|---|--:|--:|--:|--:|--:|")
    every = [row for rows in verdicts.values() for row in rows]
    for name, rows in [*((f"`{key}`", rows) for key, rows in verdicts.items()), ("all", every)]:
        count = Counter(row["verdict"] for row in rows)
        noticed = sum(count[verdict] for verdict in NOTICED)
        cells = (len(rows), noticed, count["timeout"], len(rows) - noticed)
        lines.append(f"| {name} | {' | '.join(map(str, cells))} | {share(rows):.1%} |")
    return "\n".join(lines)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
