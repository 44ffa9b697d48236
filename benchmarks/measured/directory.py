"""Passwords on their way to a directory: how long one takes, and how many a domain takes."""

import argparse
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

from benchmarks.harness.browser import Browser, WentWrong
from benchmarks.harness.cluster import product_env
from benchmarks.harness.directory import Domain, Keys, Signer, agent, connect, domain, link
from benchmarks.harness.measure import MS, Meter
from benchmarks.harness.output import as_json, say, table
from benchmarks.harness.people import NEW_PASSWORD, Person, make_people, make_place
from benchmarks.harness.servers import Server, Worker
from benchmarks.harness.stage import DATABASE, Stage
from benchmarks.harness.stats import is_noisy, percentile, ratios, spread
from benchmarks.harness.walks import address_of, start
from benchmarks.harness.wire import Connection
from benchmarks.measured.peers import code_of
from tenants.context import tenant_context
from tests.lab.seeds import Seed
from writeback.models import WritebackJob

WORKERS, THREADS = 2, 8
POLLS_EVERY = 0.4
"""Seconds, as the script of the page that waits does."""
ENDS_WITHIN = 60.0
WARM = 3


class Hybrid:
    """A hybrid tenant with all its processes, and people who have not reset yet."""

    def __init__(self, found: Stage, stack: ExitStack, people: int) -> None:
        keys = Keys.make()
        env = product_env(found.cluster, DATABASE, found.post.url)
        env["SSPR_SIGNER_PUBLIC_KEYS"] = keys.public
        self.domain: Domain = stack.enter_context(domain())
        place = make_place("hybrid")
        self.tenant = place.tenant
        connector = connect(place)
        self.server = stack.enter_context(Server(env, workers=WORKERS, threads=THREADS))
        worker = stack.enter_context(Worker(env))
        signer = stack.enter_context(Signer({**env, "SSPR_SIGNER_KEY": keys.private}))
        made = make_people(place, "able", people)
        link(self.domain, connector, made, self.domain.add_people(people))
        running = stack.enter_context(agent(self.server, self.domain, connector))
        self.roots = {
            "server": self.server.pid,
            "signer": signer.pid,
            "agent": running.pid,
            "worker": worker.pid,
            "database": found.cluster.postmaster,
            "domain": self.domain.controller.pid,
            "clients": os.getpid(),
        }
        self._people: Iterator[Person] = iter(made)
        self._addresses = iter(range(1, 2**24))
        self._stack = stack

    def ready(self) -> Browser:
        """A browser of its own connection, at the page that asks for a new password."""
        person = next(self._people)
        connection = self._stack.enter_context(Connection(self.server.port))
        browser = Browser(connection, person.place.host, address_of(next(self._addresses)))
        start(browser, person.user_id)
        browser.submit("verify app", {"code": person.app_code()}, follow="page contact")
        browser.submit("choose mail", {"contact": person.mailbox}, follow="page code")
        flow = browser.path.split("/")[2]
        code = {"code": code_of(person, flow)}
        browser.submit("verify mail", code, follow="page password")
        browser.expect('data-state="choosing"')
        return browser

    def submitted(self, browser: Browser) -> float:
        """Like the function; what went wrong says what became of the job."""
        flow = browser.path.split("/")[2]
        try:
            return submitted(browser)
        except WentWrong as problem:
            with tenant_context(self.tenant):
                rows = list(WritebackJob.objects.filter(origin=flow))
            ends = [f"{row.purpose} {row.state} {row.outcome} {row.cause}" for row in rows]
            raise WentWrong(f"{problem}: {ends}") from None


def submitted(browser: Browser) -> float:
    """Sends the new password and waits as the page does, until it is done; seconds."""
    began = time.perf_counter()
    browser.submit("submit", {"new_password": NEW_PASSWORD}, follow="page after")
    page = browser.path
    is_writing = 'data-state="writing"' in browser.shown.text
    while is_writing:
        if time.perf_counter() - began > ENDS_WITHIN:
            raise WentWrong("nobody told what became of it")
        time.sleep(POLLS_EVERY)
        is_writing = '"writing"' in browser.get("status", f"{page}status/").text
    if browser.path != page:
        browser.get("page done", page)
    browser.expect('data-state="done"')
    return time.perf_counter() - began


def measure(found: Stage, chosen: argparse.Namespace) -> dict[str, Any]:
    each = chosen.resets
    with ExitStack() as stack:
        hybrid = Hybrid(found, stack, WARM + chosen.journeys + chosen.rounds * each)
        return {
            "path": _path(hybrid, chosen.journeys),
            "rate": _rate(hybrid, chosen),
        }


def _path(hybrid: Hybrid, journeys: int) -> dict[str, Any]:
    """One after the other, from the moment the password is sent to the page that says so."""
    for _ in range(WARM):
        hybrid.submitted(hybrid.ready())
    times = [hybrid.submitted(hybrid.ready()) * MS for _ in range(journeys)]
    p50, p95 = percentile(times, 0.5), percentile(times, 0.95)
    table("From the new password to done", ("journeys", "p50 ms", "p95 ms", "most ms"),
          [(journeys, p50, p95, max(times))])  # fmt: skip
    return {"journeys": journeys, "p50_ms": round(p50, 1), "p95_ms": round(p95, 1),
            "most_ms": round(max(times), 1)}  # fmt: skip


def _rate(hybrid: Hybrid, chosen: argparse.Namespace) -> dict[str, Any]:
    """Rounds of both in turn: the domain alone, and the same domain behind the product."""
    bare = hybrid.domain.add_people(chosen.clients)
    alone, through, spent = [], [], []
    for number in range(chosen.rounds):
        browsers = [hybrid.ready() for _ in range(chosen.resets)]
        alone.append(_a_second(_bare(hybrid.domain, bare, chosen)))
        meter = Meter(*hybrid.roots.values())
        through.append(_a_second(_product(hybrid, browsers, chosen.clients)))
        spent.append([seconds * MS / chosen.resets for seconds in meter.take()])
        say(f"rate, round {number + 1} of {chosen.rounds} done")
    slowed = ratios(through, alone)
    table(
        f"Resets a second through one controller, {chosen.clients} at once",
        ("", "a second"),
        [("the domain alone", spread(alone)), ("through the product", spread(through)),
         ("of the domain's own rate", slowed)],
    )  # fmt: skip
    cpu = {
        name: round(median(values), 1)
        for name, values in zip(hybrid.roots, zip(*spent, strict=True), strict=True)
    }
    table("Of that, CPU ms a reset", tuple(cpu), [tuple(cpu.values())])
    return {
        "noisy": is_noisy(alone),
        "cpu_ms": cpu,
        "clients": chosen.clients,
        "alone_a_second": as_json(spread(alone)),
        "through_a_second": as_json(spread(through)),
        "ratio": as_json(slowed),
    }


@dataclass(frozen=True)
class Work:
    """Something to do at once by several, and how many resets that is."""

    each: Sequence[Callable[[], None]]
    resets: int


def _a_second(work: Work) -> float:
    failed: list[str] = []

    def guarded(job: Callable[[], None]) -> None:
        try:
            job()
        except Exception as problem:
            failed.append(f"{type(problem).__name__}: {problem}")

    threads = [threading.Thread(target=guarded, args=(job,)) for job in work.each]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    if failed:
        raise WentWrong(f"{len(failed)} of {len(threads)} failed: {failed[0]}")
    return work.resets / seconds


def _product(hybrid: Hybrid, browsers: Sequence[Browser], clients: int) -> Work:
    left = iter(browsers)
    lock = threading.Lock()

    def walk() -> None:
        while True:
            with lock:
                browser = next(left, None)
            if browser is None:
                return
            hybrid.submitted(browser)

    return Work([walk] * clients, len(browsers))


def _bare(domain: Domain, people: Sequence[Seed], chosen: argparse.Namespace) -> Work:
    """The fastest way there is: connections that stay open, accounts that are known, nothing but
    the change itself."""
    each = -(-chosen.resets // chosen.clients)

    def set_again(seed: Seed) -> None:
        anchor = domain.administrator.anchor(seed)
        with domain.connector().connect() as connection:
            entry = connection.find(anchor)
            if entry is None:
                raise WentWrong("nobody there")
            for number in range(each):
                done = connection.set_password(
                    entry, f"Quiet-Harbour {number} Lanterns", unlock=False, must_change=False
                )
                if not done.done:
                    raise WentWrong(done.cause)

    return Work([partial(set_again, seed) for seed in people], each * len(people))
