"""Six people at once, again and again (P5, P6, P11)."""

import argparse
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.harness.browser import Browser, WentWrong
from benchmarks.harness.captcha import solved
from benchmarks.harness.measure import MS, Meter
from benchmarks.harness.output import as_json, say, table
from benchmarks.harness.people import Person
from benchmarks.harness.post import MailSink, NoMail
from benchmarks.harness.servers import wait_for_quiet
from benchmarks.harness.stage import Stage
from benchmarks.harness.stats import is_noisy, percentile, ratios, spread
from benchmarks.harness.walks import reset_with_two_proofs
from benchmarks.harness.wire import Connection, Reply
from benchmarks.measured.variants import BASELINE, OURS, SHIPPED, VARIANTS, Ground, Running, running

ALLAUTH = "allauth by code, argon2id"
ALLAUTH_SHIPPED = "allauth by code, as shipped"
COMPARED = (BASELINE, OURS, SHIPPED, ALLAUTH, ALLAUTH_SHIPPED)
FIRST_PAGES = frozenset({"get start", "get form"})
WORKERS, THREADS = 2, 2


@dataclass
class Load:
    """What some seconds of load gave."""

    resets: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    client: float = 0.0
    first_page: list[float] = field(default_factory=list)
    flows: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def a_cpu_second(self) -> float:
        return self.resets / self.cpu

    @property
    def page_p95(self) -> float:
        return percentile(self.first_page, 0.95)


Loads = dict[str, list[Load]]


def measure(found: Stage, chosen: argparse.Namespace) -> dict[str, Any]:
    ground = Ground(found.cluster, found.post)
    people = int(chosen.rounds * (chosen.seconds * 60 + 20) * 2)
    ground.prepare(people, chosen.tenants)
    loads: Loads = defaultdict(list)
    variants = [variant for variant in VARIANTS if variant.name in COMPARED]
    for number in range(chosen.rounds):
        for variant in variants:
            with running(ground, variant, workers=WORKERS, threads=THREADS) as run:
                loads[variant.name].append(_load(ground, run, chosen))
        say(f"closed loop, round {number + 1} of {chosen.rounds} done")
    _show(loads)
    return _json(loads)


def _load(ground: Ground, run: Running, chosen: argparse.Namespace) -> Load:
    load, lock = Load(), threading.Lock()
    stop = time.monotonic() + 2

    def walk_until(counting: bool) -> None:
        with Connection(run.server.port) as connection:
            while time.monotonic() < stop:
                _one(ground, run, connection, load if counting else Load(), lock)

    _together(chosen.clients, lambda: walk_until(False))
    _settle(ground, run)
    meter = Meter(*run.roots(), ground.cluster.postmaster)
    began, client = time.monotonic(), time.process_time()
    stop = began + chosen.seconds
    _together(chosen.clients, lambda: walk_until(True))
    load.seconds, load.client = time.monotonic() - began, time.process_time() - client
    _settle(ground, run)
    load.cpu = sum(meter.take())
    return load


def _together(clients: int, walk: Any) -> None:
    threads = [threading.Thread(target=walk) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _one(
    ground: Ground, run: Running, connection: Connection, load: Load, lock: threading.Lock
) -> None:
    """One whole reset. One that fails is told, and counts as none."""
    with lock:
        person, address = ground.next_person(run.variant), ground.next_address()
    pages: list[float] = []

    def seen(step: str, reply: Reply) -> None:
        if step in FIRST_PAGES:
            pages.append(reply.seconds * MS)

    browser = Browser(connection, person.place.host, address, seen)
    began = time.perf_counter()
    try:
        _walk(run, browser, person, ground.post)
    except (WentWrong, NoMail, KeyError) as problem:
        with lock:
            load.failed.append(f"{type(problem).__name__}: {problem}")
        return
    with lock:
        load.resets += 1
        load.flows.append((time.perf_counter() - began) * MS)
        load.first_page += pages


def _walk(run: Running, browser: Browser, person: Person, post: MailSink) -> None:
    if not run.variant.is_ours:
        run.variant.walk(browser, person, post)
        return
    captcha = solved(person.place.host)
    reset_with_two_proofs(browser, person, post, captcha=lambda _: captcha)


def _settle(ground: Ground, run: Running) -> None:
    if run.variant.is_ours:
        wait_for_quiet(ground.cluster, ground.database)


def _rates(loads: Sequence[Load]) -> list[float]:
    return [load.a_cpu_second for load in loads]


def _pages(loads: Sequence[Load]) -> list[float]:
    return [load.page_p95 for load in loads]


def _show(loads: Loads) -> None:
    rows = [
        (
            name,
            spread(_rates(found)),
            spread([load.resets / load.seconds for load in found]),
            spread(_pages(found)),
            percentile([wall for load in found for wall in load.flows], 0.95),
            spread([load.client / load.seconds for load in found]),
            sum(len(load.failed) for load in found),
        )
        for name, found in loads.items()
    ]
    head = ("Six at once", "resets / CPU-s", "resets / s", "first page p95 ms", "flow p95 ms")
    table("Closed loop", (*head, "client busy", "failed"), rows)
    for found in loads.values():
        for load in found:
            for text in load.failed[:2]:
                say(f"  failed: {text}")


def _json(loads: Loads) -> dict[str, Any]:
    return {
        "noisy": is_noisy(_rates(loads[BASELINE])),
        "variants": {
            name: {
                "resets_a_cpu_second": as_json(spread(_rates(found))),
                "resets_a_second": as_json(spread([load.resets / load.seconds for load in found])),
                "first_page_p95_ms": as_json(spread(_pages(found))),
                "flow_p95_ms": round(
                    percentile([wall for load in found for wall in load.flows], 0.95), 1
                ),
                "failed": sum(len(load.failed) for load in found),
                "client_busy": as_json(spread([load.client / load.seconds for load in found])),
                "ours_to_it": {
                    "resets_a_cpu_second": as_json(ratios(_rates(loads[OURS]), _rates(found))),
                    "first_page_p95": as_json(ratios(_pages(loads[OURS]), _pages(found))),
                },
            }
            for name, found in loads.items()
        },
    }
