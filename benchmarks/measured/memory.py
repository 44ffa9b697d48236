"""Memory of a worker process at rest and at its worst, and connections to the database."""

import argparse
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.harness.browser import Browser
from benchmarks.harness.cpu import pss_bytes, rss_bytes, tree
from benchmarks.harness.output import table
from benchmarks.harness.people import NEW_PASSWORD
from benchmarks.harness.stage import DATABASE, Stage
from benchmarks.harness.walks import start
from benchmarks.harness.wire import Connection, Request
from benchmarks.measured.peers import code_of
from benchmarks.measured.variants import (
    BASELINE,
    OURS,
    STOCK_DATABASE,
    VARIANTS,
    Ground,
    Running,
    running,
)

THREADS = 8
AT_ONCE = 50
WARM = 5
REQUESTS = 1000
MIB = 2**20
HASH_MIB = 19


def measure(found: Stage, chosen: argparse.Namespace) -> dict[str, Any]:
    ground = Ground(found.cluster, found.post)
    ground.prepare(AT_ONCE + 2 * WARM + 10, chosen.tenants, prefix="memory")
    variants = {variant.name: variant for variant in VARIANTS}
    result: dict[str, Any] = {"threads": THREADS}
    for name in (BASELINE, OURS):
        # Without the worker, whose own connection is not for requests.
        with running(ground, variants[name], threads=THREADS, work=False) as run:
            opened = _connections(ground, run, DATABASE if run.variant.is_ours else STOCK_DATABASE)
        with running(ground, variants[name], threads=THREADS) as run:
            with Connection(run.server.port) as connection:
                for _ in range(WARM):
                    person = ground.next_person(run.variant)
                    browser = Browser(connection, person.place.host, ground.next_address())
                    run.variant.walk(browser, person, ground.post)
            idle = pss_bytes(_worker(run)) / MIB
            result[name] = {"pss_mib": round(idle, 1), "connections_a_1000": opened}
            if run.variant.is_ours:
                result[name] |= _passwords_at_once(ground, run)
    result["pss_ratio"] = round(result[OURS]["pss_mib"] / result[BASELINE]["pss_mib"], 3)
    rows = [(k, *(str(result[n].get(k, "")) for n in (BASELINE, OURS))) for k in result[OURS]]
    table("Memory of one worker process", ("figure", BASELINE, OURS), rows)
    return result


def _worker(run: Running) -> int:
    """gunicorn's one child."""
    return next(process for process in tree(run.server.pid) if process != run.server.pid)


def _connections(ground: Ground, run: Running, database: str) -> int:
    """Sessions opened for 1,000 requests that come over all threads."""
    before = _sessions(ground, database)

    def ask() -> None:
        with Connection(run.server.port) as connection:
            for number in range(REQUESTS // (2 * THREADS)):
                host = ground.places[0].host
                connection.ask(Request("/pingdb/", host, {"X-Forwarded-For": f"10.9.0.{number}"}))

    _together([ask] * (2 * THREADS))
    return _sessions(ground, database) - before


def _sessions(ground: Ground, database: str) -> int:
    """Once the database's statistics have come to rest."""
    last = -1
    with ground.cluster.connect() as connection:
        for _ in range(20):
            row = connection.execute(
                "SELECT sessions FROM pg_stat_database WHERE datname = %s", [database]
            ).fetchone()
            found = int(row[0]) if row else 0
            if found == last:
                return found
            last = found
            time.sleep(1.2)
    return last


def _passwords_at_once(ground: Ground, run: Running) -> dict[str, float]:
    """The process's highest memory while fifty people send their new password together."""
    browsers = [_ready(ground, run) for _ in range(AT_ONCE)]
    worker = _worker(run)
    base = rss_bytes(worker) / MIB
    (Path("/proc") / str(worker) / "clear_refs").write_text("5")
    answers: list[str] = []

    def submit(browser: Browser) -> None:
        answers.append(browser.submit("", {"new_password": NEW_PASSWORD}).text)

    _together([lambda b=browser: submit(b) for browser in browsers])
    peak = _highest(worker) / MIB
    return {
        "rss_before_mib": round(base, 1),
        "rss_peak_mib": round(peak, 1),
        "allowed_mib": round(base + THREADS * HASH_MIB, 1),
        "accepted": sum('data-state="done"' in answer for answer in answers),
    }


def _ready(ground: Ground, run: Running) -> Browser:
    """Somebody with both proofs given, on a connection of their own."""
    person = ground.next_person(run.variant)
    browser = Browser(Connection(run.server.port), person.place.host, ground.next_address())
    start(browser, person.user_id)
    browser.submit("", {"code": person.app_code()}, follow="contact")
    browser.submit("", {"contact": person.mailbox}, follow="code")
    code = code_of(person, browser.path.split("/")[2])
    browser.submit("", {"code": code}, follow="password")
    browser.expect('data-state="choosing"')
    return browser


def _highest(process: int) -> int:
    text = (Path("/proc") / str(process) / "status").read_text(encoding="ascii")
    line = next(line for line in text.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def _together(work: list[Any]) -> None:
    threads = [threading.Thread(target=one) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
