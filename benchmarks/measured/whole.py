"""Whole resets: CPU by who spent it, statements, commits and hashes (P1–P8)."""

import argparse
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.harness.browser import Browser
from benchmarks.harness.counts import Counts, Tally
from benchmarks.harness.measure import MS, Meter, Sample, idle_load
from benchmarks.harness.output import as_json, say, table
from benchmarks.harness.stats import NOISY, is_noisy, percentile, ratios, spread
from benchmarks.harness.walks import reset_with_two_proofs
from benchmarks.harness.wire import Connection, Reply, Request
from benchmarks.measured.variants import (
    BASELINE,
    OURS,
    SHIPPED,
    VARIANTS,
    Ground,
    Running,
    Variant,
    running,
)

Samples = dict[str, list[Sample]]
AFTER_A_PAUSE = 2
"""Flows of a variant that has had no turn for a while."""


def measure(ground: Ground, chosen: argparse.Namespace) -> dict[str, Any]:
    """Tables on the way; everything as JSON in the end.

    All variants stand side by side and take turns, so that what is compared was measured within
    seconds; a worker that has no turn is stopped.
    """
    samples: Samples = {variant.name: [] for variant in VARIANTS}
    units: list[float] = []
    idle: list[list[float]] = []
    with ExitStack() as stack:
        runs = [stack.enter_context(running(ground, variant)) for variant in VARIANTS]
        for run in runs:
            warm(ground, run, chosen.warm)
            run.pause()
        for number in range(chosen.rounds):
            for run in runs:
                samples[run.variant.name].append(_turn(ground, run, chosen.flows))
                if run.variant.name == OURS:
                    idle.append(_idle(ground, run))
                run.pause()
                if run.variant.name == OURS:
                    units.append(one_query(ground, run))
            say(f"round {number + 1} of {chosen.rounds} done")
    hashes = [_hash_ms() for _ in range(chosen.rounds)]
    counted = {variant.name: count(ground, variant) for variant in VARIANTS}
    _show(samples, units)
    _show_counts(counted)
    return {
        "noisy": is_noisy([found.total for found in samples[BASELINE]]),
        "noise_limit": NOISY,
        "flows": {name: _flow_json(found, samples) for name, found in samples.items()},
        "one_query_view_ms": as_json(spread(units)),
        "one_hash_ms": as_json(spread(hashes)),
        "idle_ms_a_second": {
            name: round(sum(row[n] for row in idle) / len(idle) * MS, 2)
            for n, name in enumerate(("server", "worker", "database"))
        },
        "counts": {
            name: [{"step": step, **found.as_json()} for step, found in rows]
            for name, rows in counted.items()
        },
        "views_of_a_flow": as_json(ratios(_totals(samples, "ours, no hash"), units)),
    }


def _turn(ground: Ground, run: Running, flows: int) -> Sample:
    run.go_on()
    warm(ground, run, AFTER_A_PAUSE)
    one = sample(ground, run, flows)
    say(f"  {run.variant.name:28} {one.total:7.1f} ms CPU a flow")
    return one


def warm(ground: Ground, run: Running, flows: int) -> None:
    """Flows that are not counted."""
    with Connection(run.server.port) as connection:
        for _ in range(flows):
            walk(ground, run.variant, connection)
        settle(ground, run.variant)


def sample(ground: Ground, run: Running, flows: int) -> Sample:
    """One variant's flows in one round, one after the other on a kept connection."""
    with Connection(run.server.port) as connection:
        watching = [ground.watcher.pid]
        meter = Meter(*run.roots(), ground.cluster.postmaster, apart=watching)
        walls, steps = [], dict[str, list[float]]()
        for _ in range(flows):
            began = time.perf_counter()
            for step, seconds in walk(ground, run.variant, connection):
                steps.setdefault(step, []).append(seconds * MS)
            walls.append((time.perf_counter() - began) * MS)
        settle(ground, run.variant)
        spent = [seconds / flows * MS for seconds in meter.take()]
    worker = spent[1] if run.worker is not None else 0.0
    return Sample(spent[0], worker, spent[-1], walls, steps)


def walk(ground: Ground, variant: Variant, connection: Connection) -> list[tuple[str, float]]:
    """One reset of somebody who had none yet: seconds of each request."""
    found: list[tuple[str, float]] = []

    def seen(step: str, reply: Reply) -> None:
        found.append((step, reply.seconds))

    person = ground.next_person(variant)
    browser = Browser(connection, person.place.host, ground.next_address(), seen)
    variant.walk(browser, person, ground.post)
    return found


def settle(ground: Ground, variant: Variant) -> None:
    """Until the worker has nothing left to do."""
    if variant.is_ours:
        ground.watcher.wait()


def one_query(ground: Ground, run: Running, times: int = 400) -> float:
    """ms of CPU of one request that asks the database one thing, while no worker runs."""
    request = Request("/pingdb/", ground.places[0].host, {"X-Forwarded-For": "10.0.0.1"})
    with Connection(run.server.port) as connection:
        for _ in range(50):
            connection.ask(request)
        meter = Meter(run.server.pid, ground.cluster.postmaster)
        for _ in range(times):
            connection.ask(request)
        return sum(meter.take()) / times * MS


def _idle(ground: Ground, run: Running) -> list[float]:
    worker = run.worker.pid if run.worker is not None else run.server.pid
    return idle_load(run.server.pid, worker, ground.cluster.postmaster)


def _hash_ms(times: int = 20) -> float:
    """ms of CPU of one password hash of the product, in this process."""
    from django.contrib.auth.hashers import make_password

    began = time.process_time()
    for _ in range(times):
        make_password("Quiet-Harbour 7 Lanterns")
    return (time.process_time() - began) / times * MS


def count(ground: Ground, variant: Variant) -> list[tuple[str, Counts]]:
    """Statements, commits and hashes of one flow by request; our worker's work apart."""
    from sspr_project.worker import ASKED, run_once

    work_once = partial(run_once, ASKED)
    with tempfile.TemporaryDirectory(prefix="sspr-bench-") as folder:
        hashes = Path(folder) / "hashes"
        with running(ground, variant, work=False, counter=str(hashes)) as run:
            connection = Connection(run.server.port)
            for _ in range(6):
                # The first ones fill caches; here the worker is this process.
                _counted(ground, variant, connection, work_once, lambda _: None)
            found: list[tuple[str, Counts]] = []
            with Tally(ground.cluster, ground.database_of(variant), hashes) as tally:

                def took(step: str) -> None:
                    found.append((step, tally.take()))

                _counted(ground, variant, connection, work_once, took)
            connection.close()
            return found


def _counted(
    ground: Ground, variant: Variant, connection: Connection, work: Any, took: Any
) -> None:
    person = ground.next_person(variant)
    browser = Browser(
        connection, person.place.host, ground.next_address(), lambda step, _: took(step)
    )

    def work_and_take() -> None:
        work()
        took("worker")

    if variant.is_ours:
        reset_with_two_proofs(browser, person, ground.post, wait=work_and_take)
        work_and_take()
    else:
        variant.walk(browser, person, ground.post)


def _totals(samples: Samples, name: str) -> list[float]:
    return [found.total for found in samples[name]]


def _flow_json(found: Sequence[Sample], samples: Samples) -> dict[str, Any]:
    walls = [wall for one in found for wall in one.flows]
    steps: dict[str, list[float]] = {}
    for one in found:
        for step, times in one.steps.items():
            steps.setdefault(step, []).extend(times)
    totals = [one.total for one in found]
    return {
        "server_ms": as_json(spread([one.server for one in found])),
        "worker_ms": as_json(spread([one.worker for one in found])),
        "database_ms": as_json(spread([one.database for one in found])),
        "total_ms": as_json(spread(totals)),
        "flows_a_cpu_second": round(1000 / spread(totals).middle, 2),
        "requests": sum(len(times) for times in found[0].steps.values()) / len(found[0].flows),
        "wall_p50_ms": round(percentile(walls, 0.5), 1),
        "wall_p95_ms": round(percentile(walls, 0.95), 1),
        "step_p50_ms": {step: round(percentile(times, 0.5), 2) for step, times in steps.items()},
        "ratio_to": {
            name: as_json(ratios(totals, _totals(samples, name)))
            for name in (BASELINE, SHIPPED, "allauth by code, argon2id", "contrib.auth, no hash")
        },
    }


def _show(samples: Samples, units: Sequence[float]) -> None:
    rows = [
        (
            name,
            spread([one.server for one in found]),
            spread([one.worker for one in found]),
            spread([one.database for one in found]),
            spread([one.total for one in found]),
            ratios([one.total for one in found], _totals(samples, BASELINE)),
            ratios([one.total for one in found], _totals(samples, SHIPPED)),
        )
        for name, found in samples.items()
    ]
    head = ("CPU ms a flow", "server", "worker", "database", "total", "÷ same hash", "÷ shipped")
    table("Whole resets", head, rows)
    say(f"one-query view: {spread(units).middle:.2f} ms")
    baseline = _totals(samples, BASELINE)
    if is_noisy(baseline):
        say(f"noisy: {BASELINE} moved by {max(baseline) / min(baseline):.2f} × between rounds")


def _show_counts(counted: dict[str, list[tuple[str, Counts]]]) -> None:
    for name, found in counted.items():
        if not name.endswith("argon2id"):
            continue
        rows = [(step, *counts.as_json().values()) for step, counts in found]
        web = [counts for step, counts in found if step != "worker"]
        rows.append(("all requests", *sum(web, Counts()).as_json().values()))
        table(f"Counted: {name}", ("step", *Counts().as_json()), rows)
