"""Writes the figures of `benchmarks/results/*.json` into docs/performance.md.

    .venv/bin/python -m benchmarks.report [--check]

Every table stands between `<!-- figures: NAME -->` and `<!-- end -->`; nothing there is written by
hand. --check ends with 1 when the document is not what the results say.
"""

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.goals import GOALS, OURS, Results

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
DOCUMENT = ROOT / "docs" / "performance.md"
_BLOCK = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
NOT_YET = "Not measured yet.\n"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true")
    chosen = options.parse_args()
    before = DOCUMENT.read_text(encoding="utf-8")
    after = rendered(before, read_results(RESULTS))
    if chosen.check:
        return int(before != after)
    DOCUMENT.write_text(after, encoding="utf-8")
    return 0


def read_results(folder: Path) -> Results:
    """Name of the benchmark → what it wrote."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.json"))
    }


def rendered(document: str, results: Results) -> str:
    """The document with every block as the results say it."""

    def block(match: re.Match[str]) -> str:
        return f"{match[1]}\n{_figures(match[2], results)}\n{match[3]}"

    return _BLOCK.sub(block, document)


def _figures(name: str, results: Results) -> str:
    try:
        return BLOCKS[name](results)
    except KeyError:
        if name not in BLOCKS:
            raise
        return NOT_YET


def markdown(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [list(head), ["---"] * len(head), *[[cell(value) for value in row] for row in rows]]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cell(value: object) -> str:
    if isinstance(value, dict):
        return f"{number(value['middle'])} [{number(value['least'])}–{number(value['most'])}]"
    return number(value) if isinstance(value, float) else str(value)


def number(value: float) -> str:
    if float(value).is_integer() and abs(value) < 10_000:
        return str(int(value))
    return (
        f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
    )


def goals(results: Results) -> str:
    rows = []
    for goal in GOALS:
        must = f"{'≥' if goal.at_least else '≤'} {number(goal.must)}"
        try:
            value = goal.read(results)
        except (KeyError, ValueError):
            rows.append((goal.key, goal.what, must, number(goal.aim), "–", "not measured"))
            continue
        verdict = goal.verdict(value)
        rows.append((goal.key, goal.what, must, number(goal.aim), number(value), verdict))
    return markdown(("", "Goal", "Must", "Aim", "Measured", ""), rows)


def circumstances(results: Results) -> str:
    rows = []
    for name, result in results.items():
        run = result["run"]
        noisy = result.get("noisy", result.get("closed", {}).get("noisy", False))
        versions = ", ".join(f"{package} {v}" for package, v in run["packages"].items())
        rows.append(
            (
                name,
                run["measured"],
                f"{run['cpus']} × {run['cpu']}",
                f"PostgreSQL {run['postgresql']}, Python {run['python']}, {versions}",
                f"{run['load_at_start']}{', **noisy**' if noisy else ''}",
            )
        )
    if not rows:
        return NOT_YET
    return markdown(("Benchmark", "Measured", "Processors", "Software", "Load at the start"), rows)


def flow(results: Results) -> str:
    head = ("CPU ms a reset", "server", "worker", "database", "total", "÷ Django, same hash",
            "÷ Django as shipped", "requests", "whole flow p50 / p95 ms")  # fmt: skip
    rows = [
        (
            name,
            found["server_ms"],
            found["worker_ms"],
            found["database_ms"],
            found["total_ms"],
            found["ratio_to"]["contrib.auth, argon2id"],
            found["ratio_to"]["contrib.auth, as shipped"],
            found["requests"],
            f"{found['wall_p50_ms']:.0f} / {found['wall_p95_ms']:.0f}",
        )
        for name, found in results["flow"]["flows"].items()
    ]
    idle = results["flow"]["idle_ms_a_second"]
    return markdown(head, rows) + (
        f"\nOne password hash: {cell(results['flow']['one_hash_ms'])} ms. One-query view: "
        f"{cell(results['flow']['one_query_view_ms'])} ms. With nothing to do, a second costs "
        f"{idle['server']} ms in the server, {idle['worker']} ms in the worker, "
        f"{idle['database']} ms in the database.\n"
    )


def counts(results: Results) -> str:
    head = ("Step", "statements", "of these: tenant told", "of these: connection alive",
            "commits", "hashes")  # fmt: skip
    fields = ("statements", "of_these_tenant", "of_these_alive", "commits_that_wrote", "hashes")
    found = results["flow"]["counts"][OURS]
    rows = [(row["step"], *(row[name] for name in fields)) for row in found]
    for title, own in (("all requests", True), ("the worker", False)):
        some = [row for row in found if (row["step"] != "worker") is own]
        rows.append((f"**{title}**", *(sum(row[name] for row in some) for name in fields)))
    return markdown(head, rows)


def anonymous(results: Results) -> str:
    kinds = results["flow"]["anonymous"]["kinds"]
    rows = [
        (
            kind,
            found["views"],
            found["later_views"],
            found["ms"],
            found["statements"],
            found["hashes"],
        )
        for kind, found in sorted(kinds.items(), key=lambda item: -item[1]["views"]["middle"])
    ]
    head = ("A stranger's request", "one-query views", "worker later, in views", "CPU ms",
            "statements", "hashes")  # fmt: skip
    return markdown(head, rows)


def timing(results: Results) -> str:
    rows = [
        (
            f"{step['one']} / {step['other']}",
            step["step"],
            step["pairs"],
            f"{step['auc']:.3f} ± {step['error']:.3f}",
            f"{step['ks']:.3f}",
            " / ".join(f"{value:.1f}" for value in step["p50_ms"]),
            " / ".join(map(str, step["statements"])),
            "yes" if step["same_statements"] and not step["unlike"] else "**no**",
        )
        for step in results["timing"]["steps"]
    ]
    messages = results["timing"]["messages"]
    head = ("Pair", "Step", "pairs", "AUC", "KS", "p50 ms", "statements", "alike")
    return markdown(head, rows) + (
        f"\nMessages to addresses not on file: {messages['to_addresses_not_on_file']}. "
        f"Mails that arrived: {_listed(messages['arrived'])}. "
        f"Rows of the outbox: {_listed(messages['rows'])}.\n"
    )


def _listed(found: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(found.items())) or "none"


def closed(results: Results) -> str:
    head = ("Six at once", "resets a CPU-second", "resets a second", "first page p95 ms",
            "flow p95 ms", "ours ÷ it, resets a CPU-second", "failed")  # fmt: skip
    rows = [
        (
            name,
            found["resets_a_cpu_second"],
            found["resets_a_second"],
            found["first_page_p95_ms"],
            found["flow_p95_ms"],
            found["ours_to_it"]["resets_a_cpu_second"],
            found["failed"],
        )
        for name, found in results["load"]["closed"]["variants"].items()
    ]
    return markdown(head, rows)


def figures_of(*path: str) -> Callable[[Results], str]:
    """A table of plain figures, by name."""

    def render(results: Results) -> str:
        found: Any = results
        for name in path:
            found = found[name]
        rows = [(name.replace("_", " "), _plain(value)) for name, value in found.items()]
        return markdown(("Figure", "Value"), rows)

    return render


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')}: {cell(x)}" for name, x in value.items())
    return cell(value)


def peers(results: Results) -> str:
    found = results["load"]["peers"]
    rows = [
        (step, row["prompt_p95_ms"], row["slow_p95_ms"], row["ratio"])
        for step, row in found["steps"].items()
    ]
    rows.append(("**all steps**", "", "", found["all_steps_ratio"]))
    return markdown(("Step", "prompt p95 ms", "slow p95 ms", "ratio"), rows)


def growth(results: Results) -> str:
    sizes = list(results["growth"]["sizes"])
    head = ("Work", *(f"{int(size):,} people" for size in sizes))
    parts = []
    for place, work in results["growth"]["work"].items():
        rows = [(name, *(_grown(row.get(size)) for size in sizes)) for name, row in work.items()]
        parts.append(f"From inside a {place}, CPU ms (× the smallest size):\n\n")
        parts.append(markdown(head, rows) + "\n")
    filled = [
        (f"{int(size):,}", f"{row['tenants']:,}", f"{row['events']:,}", row["gib"],
         row["filled_in_s"])
        for size, row in results["growth"]["sizes"].items()
    ]  # fmt: skip
    parts.append(
        markdown(
            ("People (and as many in the giant tenant)", "tenants", "events", "GiB", "filled in s"),
            filled,
        )
    )
    return "".join(parts)


def _grown(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "–"
    return f"{number(found['ms']['middle'])} ({found['ratio']['middle']:.2f} ×)"


def plans(results: Results) -> str:
    rows = [
        (key, found["seen"], "; ".join(found["faults"]) or "none")
        for key, found in results["growth"]["plans"].items()
    ]
    return markdown(("People, place", "plans seen", "tables read whole, rows read in vain"), rows)


def sqlite(results: Results) -> str:
    pages = results["growth"]["sqlite"]
    sizes = sorted({size for row in pages.values() for size in row}, key=int)
    rows = [(name, *(_grown(row.get(size)) for size in sizes)) for name, row in pages.items()]
    return markdown(("Page", *(f"{int(size):,} events" for size in sizes)), rows)


def path(results: Results) -> str:
    found = results["writeback"]["path"]
    row = (found["journeys"], found["p50_ms"], found["p95_ms"], found["most_ms"])
    return markdown(("journeys", "p50 ms", "p95 ms", "slowest ms"), [row])


def rate(results: Results) -> str:
    ways = [
        (f"{arrangement}: {name}", way)
        for arrangement, found in results["writeback"]["rate"].items()
        for name, way in found.items()
        if name != "noisy"
    ]
    parts = list(next(way["cpu_ms"] for _, way in ways if way["cpu_ms"]))
    head = ("", "resets a second", "÷ alone", *(f"{part}, CPU ms a reset" for part in parts))
    rows = [
        (name, way["a_second"], way["of_alone"], *(way["cpu_ms"].get(part, "–") for part in parts))
        for name, way in ways
    ]
    return markdown(head, rows)


BLOCKS: Mapping[str, Callable[[Results], str]] = {
    "goals": goals,
    "circumstances": circumstances,
    "flow": flow,
    "counts": counts,
    "anonymous": anonymous,
    "timing": timing,
    "closed": closed,
    "burst": figures_of("load", "burst"),
    "peers": peers,
    "memory": figures_of("load", "memory"),
    "path": path,
    "rate": rate,
    "growth": growth,
    "plans": plans,
    "sqlite": sqlite,
}

if __name__ == "__main__":
    sys.exit(main())
