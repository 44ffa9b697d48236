"""Tables for people, JSON for `report.py`, and what the machine was."""

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.utils import timezone

from .cluster import ROOT, BenchCluster
from .stats import Spread

RESULTS = ROOT / "benchmarks" / "results"
HASHERS = {
    "argon2id": "argon2id, 19 MiB, t=2, p=1",
    "shipped": "PBKDF2-SHA256, 1,000,000 iterations (Django's default)",
    "md5": "MD5 (no hash: the code alone)",
}
_PACKAGES = ("django", "psycopg", "gunicorn", "argon2-cffi", "django-allauth")


def say(text: str = "") -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints rows in columns; numbers to the right."""
    texts = [[_text(cell) for cell in row] for row in rows]
    widths = [max(len(row[n]) for row in [list(head), *texts]) for n in range(len(head))]
    say(f"\n{title}")
    say("  ".join(name.ljust(width) for name, width in zip(head, widths, strict=True)))
    for row, cells in zip(texts, rows, strict=True):
        parts = zip(row, cells, widths, strict=True)
        say("  ".join(_placed(text, cell, width) for text, cell, width in parts))


def _placed(text: str, cell: object, width: int) -> str:
    return text.ljust(width) if isinstance(cell, str) else text.rjust(width)


def _text(cell: object) -> str:
    if isinstance(cell, Spread):
        return f"{number(cell.middle)} [{number(cell.least)}–{number(cell.most)}]"
    return number(cell) if isinstance(cell, float) else str(cell)


def number(value: float) -> str:
    """Three figures are what the machine gives."""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def as_json(found: Spread) -> dict[str, float]:
    names = ("middle", "least", "most")
    return {name: round(value, 4) for name, value in zip(names, found, strict=True)}


def write_result(name: str, content: Mapping[str, Any], folder: Path | None) -> Path:
    """`<folder>/<name>.json`, with the same layout every time."""
    folder = folder or RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    say(f"\nwritten: {path}")
    return path


def earlier(name: str, folder: Path | None) -> dict[str, Any]:
    """What was measured before, if anything was."""
    path = (folder or RESULTS) / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def circumstances(cluster: BenchCluster | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """When, on what and with which options a run was made."""
    return {
        "measured": timezone.now().strftime("%Y-%m-%d %H:%M UTC"),
        "cpus": os.cpu_count(),
        "cpu": _cpu_model(),
        "load_at_start": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "postgresql": _postgresql(cluster),
        "packages": {name: version(name) for name in _PACKAGES},
        "hashers": HASHERS,
        "options": {
            k: v if isinstance(v, int | float | bool) else str(v)
            for k, v in options.items()
            if k != "out"  # a folder of this machine
        },
    }


def _cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((x.partition(": ")[2] for x in lines if x.startswith("model name")), "unknown")


def _postgresql(cluster: BenchCluster | None) -> str:
    if cluster is None:
        return ""
    with cluster.connect() as connection:
        row = connection.execute("SHOW server_version").fetchone()
    return str(row[0]) if row else ""
