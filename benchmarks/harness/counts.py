"""What is counted exactly: statements by kind, commits that wrote, hashes."""

import re
import subprocess
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psycopg

from tests.services.ports import NotReady, wait_until
from tests.services.postgres import server_programs

from .cluster import BenchCluster

_CALLS = """
SELECT s.query, s.calls FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
WHERE d.datname = %s AND s.userid <> 10
"""
NO_RECORD = "could not find a valid record"
_LOG_PATIENCE = 2.0
"""Seconds until the log is on disk; PostgreSQL writes it five times a second."""
_CHECK_OF_REFERENCE = re.compile(r"SELECT \S+ FROM ONLY ")
_CONTROL = {
    "BEGIN": "begin",
    "COMMIT": "commit",
    "ROLLBACK": "rollback",
}


def kind_of(query: str) -> str:
    """begin, commit, rollback; `reference` for PostgreSQL's own check of a foreign key; else
    `statement`, of which `tenant` tells the tenant in force and `alive` asks for a connection."""
    text = " ".join(query.split())
    if text in _CONTROL:
        return _CONTROL[text]
    if _CHECK_OF_REFERENCE.match(text):
        return "reference"
    if text.startswith("SELECT set_config("):
        return "tenant"
    return "alive" if text in {"SELECT $1", "SELECT 1"} else "statement"


STATEMENTS = ("statement", "tenant", "alive")


@dataclass(frozen=True)
class Counts:
    """Calls by normalised text of a stretch of work, its commits that wrote, and its hashes."""

    calls: Mapping[str, int] = field(default_factory=dict)
    written: int = 0
    hashes: str = ""

    def of(self, *kinds: str) -> int:
        return sum(calls for text, calls in self.calls.items() if kind_of(text) in kinds)

    @property
    def statements(self) -> int:
        return self.of(*STATEMENTS)

    @property
    def commits(self) -> int:
        return self.of("commit")

    def __add__(self, other: "Counts") -> "Counts":
        calls = Counter(self.calls) + Counter(other.calls)
        return Counts(calls, self.written + other.written, self.hashes + other.hashes)

    def as_json(self) -> dict[str, int]:
        return {
            "statements": self.statements,
            "of_these_tenant": self.of("tenant"),
            "of_these_alive": self.of("alive"),
            "commits": self.commits,
            "commits_that_wrote": self.written,
            "rollbacks": self.of("rollback"),
            "hashes": len(self.hashes),
        }


class Tally:
    """Counts everything between one `take` and the next, in one database of the cluster."""

    def __init__(self, cluster: BenchCluster, database: str, hashes: Path | None = None) -> None:
        self._cluster, self._database, self._file = cluster, database, hashes
        self._connection: psycopg.Connection = cluster.connect()
        self._last = self._read()

    def __enter__(self) -> Self:
        """Nobody cleans up meanwhile: that would count as commits."""
        self._clean(by_itself=False)
        self._last = self._read()
        return self

    def __exit__(self, *_: object) -> None:
        self._clean(by_itself=True)
        self._connection.close()

    def _clean(self, *, by_itself: bool) -> None:
        self._connection.execute(f"ALTER SYSTEM SET autovacuum = {'on' if by_itself else 'off'}")
        self._connection.execute("SELECT pg_reload_conf()")
        self._connection.execute("SELECT pg_sleep(0.2)")

    def take(self) -> Counts:
        """What was done since the last time."""
        before, self._last = self._last, self._read()
        calls, lsn, hashes = self._last
        fresh = Counter(calls)
        fresh.subtract(before[0])
        return Counts(
            {text: count for text, count in fresh.items() if count > 0},
            self._commits_between(before[1], lsn),
            hashes[len(before[2]) :],
        )

    def _read(self) -> tuple[dict[str, int], str, str]:
        calls: Counter[str] = Counter()
        for text, count in self._connection.execute(_CALLS, [self._database]):
            calls[text] += count
        marks = self._file.read_text() if self._file is not None and self._file.exists() else ""
        return dict(calls), self._written_log(), marks

    def _written_log(self) -> str:
        """Where the next record of the log begins, once everything before it is on disk: what is
        written by the page ends in the middle of a record, and no reader could start there."""
        row = self._connection.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()
        place = str(row[0]) if row else "0/0"
        # One that ends with its page leaves the end of the log before the place of the next.
        with suppress(NotReady):
            wait_until(lambda: self._is_written(place), "the log on disk", _LOG_PATIENCE)
        return place

    def _is_written(self, place: str) -> bool:
        row = self._connection.execute(
            "SELECT pg_current_wal_flush_lsn() >= %s::pg_lsn", [place]
        ).fetchone()
        return row is not None and bool(row[0])

    def _commits_between(self, begin: str, end: str) -> int:
        """Commit records in the log: transactions that had something to write."""
        if begin == end:
            return 0
        done = subprocess.run(
            [
                server_programs() / "pg_waldump",
                "--path",
                self._cluster.data / "pg_wal",
                "--rmgr=Transaction",
                f"--start={begin}",
                f"--end={end}",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        # Where the log only went on to its next page there is nothing to be found.
        if done.returncode and not done.stdout and NO_RECORD not in done.stderr:
            raise RuntimeError(done.stderr)
        return done.stdout.count("desc: COMMIT")
