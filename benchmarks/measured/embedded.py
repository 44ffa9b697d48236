"""The audit pages of the embedded database (P21 on SQLite)."""

import argparse
import sqlite3
import tempfile
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from benchmarks.harness.cluster import BASE_URL, KEYS, SHARED_HOST, run_python
from benchmarks.harness.output import as_json, say, table
from benchmarks.harness.people import Place, administrator_of
from benchmarks.harness.servers import Server
from benchmarks.harness.stats import ratios, spread
from benchmarks.harness.wire import Connection
from benchmarks.measured import desk

EVENTS = (1_000, 1_000_000)
SMALL_EVENTS = (1_000, 20_000)
GIANT = Place(UUID(int=0), "giant.example", "giant.bench.test")
"""The tenant that `benchmarks.sites.embedded_fill` makes, as far as a browser knows it."""


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    sizes = SMALL_EVENTS if chosen.quick else EVENTS
    found: dict[int, dict[str, list[float]]] = {size: defaultdict(list) for size in sizes}
    with tempfile.TemporaryDirectory(prefix="sspr-bench-") as folder:
        for size in sizes:
            env = _env(Path(folder), size)
            run_python(env, "manage.py", "migrate", "--verbosity", "0")
            run_python(env, "-m", "benchmarks.sites.embedded_fill", str(size))
            say(f"embedded database with {size} events filled")
        for _ in range(chosen.rounds):
            for size in sizes:
                for name, value in _costs(Path(folder), size, chosen.times).items():
                    found[size][name].append(value)
    first = found[sizes[0]]["audit, first page"]
    result = {
        name: {
            str(size): {"ms": as_json(spread(values)), "ratio": as_json(ratios(values, first))}
            for size in sizes
            if len(values := found[size][name]) == len(first)
        }
        for name in found[sizes[0]]
    }
    rows = [
        (
            name,
            *(
                f"{cell['ms']['middle']:.2f} ({cell['ratio']['middle']:.2f} ×)"
                for cell in row.values()
            ),
        )
        for name, row in result.items()
        if len(row) == len(sizes)
    ]
    heads = [f"{size} events" for size in sizes]
    table("SQLite: CPU ms, ratio to the first page of the smallest", ("page", *heads), rows)
    return result


def _env(folder: Path, size: int) -> dict[str, str]:
    return {
        "SSPR_ENV": "development",
        "DATABASE_URL": f"sqlite:///{folder / f'{size}.sqlite3'}",
        "DATABASE_OWNER_URL": "",
        "EMAIL_URL": "",
        "SSPR_BASE_URL": BASE_URL,
        "SSPR_ALLOWED_HOSTS": f"{SHARED_HOST},localhost,127.0.0.1",
        "SSPR_TRUSTED_PROXIES": "127.0.0.1",
        "DJANGO_SETTINGS_MODULE": "benchmarks.sites.product",
        **KEYS,
    }


def _costs(folder: Path, size: int, times: int) -> dict[str, float]:
    marks = desk.Marks("", "", _middle(folder / f"{size}.sqlite3"), "")
    pages = {name: path for name, path in desk.pages(marks).items() if name.startswith("audit")}
    pages.pop("audit, by reference")
    with Server(_env(folder, size)) as server, Connection(server.port) as connection:
        browser = desk.sign_in(connection, administrator_of(GIANT))
        return desk.costs(browser, pages, times, server.pid)


def _middle(path: Path) -> str:
    with sqlite3.connect(path) as connection:
        moment, row = connection.execute(
            "SELECT created_at, id FROM tenants_auditevent ORDER BY created_at, id"
            " LIMIT 1 OFFSET (SELECT count(*) / 2 FROM tenants_auditevent)"
        ).fetchone()
    when = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    return f"{int(when.timestamp()) * 1_000_000 + when.microsecond}~{row}"
