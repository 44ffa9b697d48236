"""The plans a running server really got, functions and all, out of PostgreSQL's log."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from psycopg import sql

from tests.services.postgres import RUNTIME, PostgresCluster

SMALL = 2000
"""Rows of a table that may be read whole."""
WASTE = 1000
"""Rows that one step of a plan may read and throw away, where there are ten times as many."""
GATHERED = 5000
"""Entries of an index that it may gather before it looks at a row."""
_OPTIONS = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_nested_statements": "on",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_format": "json",
}
_BEGIN = re.compile(r"plan:\n")


@dataclass
class Plans:
    """How many plans were seen, and what is wrong with them."""

    seen: int = 0
    faults: dict[str, str] = field(default_factory=dict)


@contextmanager
def watched(cluster: PostgresCluster, database: str, *, kept: bool = False) -> Iterator[Plans]:
    """Every statement that the runtime role begins a new connection for meanwhile is judged; where
    `kept`, with the plan that serves all its values, as on a connection that has stood for long."""
    plans = Plans()
    begin = cluster.log.stat().st_size
    options = {**_OPTIONS, "plan_cache_mode": f"force_{'generic' if kept else 'custom'}_plan"}
    _set(cluster, database, options)
    try:
        yield plans
    finally:
        _set(cluster, database, dict.fromkeys(options, ""))
    with cluster.connect(database) as connection:
        rows: dict[str, float] = dict(
            connection.execute(
                "SELECT relname, reltuples FROM pg_class WHERE relkind = 'r'"
            ).fetchall()
        )
    with cluster.log.open(encoding="utf-8", errors="replace") as log:
        log.seek(begin)
        _judge(log.read(), rows, plans)


def _set(cluster: PostgresCluster, database: str, options: dict[str, str]) -> None:
    with cluster.connect() as connection:
        for name, value in options.items():
            change = sql.SQL("SET {} = {}") if value else sql.SQL("RESET {}")
            parts = [sql.SQL(name), sql.Literal(value)] if value else [sql.SQL(name)]
            connection.execute(
                sql.SQL("ALTER ROLE {} IN DATABASE {} {}").format(
                    sql.Identifier(RUNTIME), sql.Identifier(database), change.format(*parts)
                )
            )


def _judge(log: str, rows: dict[str, float], plans: Plans) -> None:
    decoder = json.JSONDecoder()
    for match in _BEGIN.finditer(log):
        text = log[match.end() : match.end() + 200_000].replace("\n\t", "\n").lstrip("\t")
        try:
            plan, _ = decoder.raw_decode(text)
        except ValueError:
            continue
        plans.seen += 1
        statement = " ".join(str(plan.get("Query Text", "")).split())
        for fault in faults_of(plan["Plan"], rows):
            plans.faults.setdefault(fault, statement[:600])


def faults_of(node: dict[str, Any], rows: dict[str, float]) -> Iterator[str]:
    """What a plan reads in vain; `rows` maps a table to how many rows it has."""
    relation = str(node.get("Relation Name", ""))
    wasted = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    if node["Node Type"] == "Seq Scan" and rows.get(relation, 0) > SMALL:
        yield f"{relation} is read whole"
    elif wasted > WASTE and rows.get(relation, 0) > 10 * WASTE:
        yield f"{wasted} rows of {relation} are read and thrown away"
    elif node["Node Type"] == "Bitmap Index Scan" and node.get("Actual Rows", 0) > GATHERED:
        yield f"{node['Actual Rows']} entries of {node['Index Name']} are gathered"
    for inner in node.get("Plans", ()):
        yield from faults_of(inner, rows)
