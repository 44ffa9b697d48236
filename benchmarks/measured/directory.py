"""Passwords on their way to a directory: how long one takes, and how many a domain takes."""

import argparse
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from django import db

from benchmarks.harness.browser import Browser, WentWrong
from benchmarks.harness.cluster import product_env
from benchmarks.harness.cpu import keep_on
from benchmarks.harness.directory import Domain, Keys, Signer, agent, connect, domain, link
from benchmarks.harness.measure import MS, Meter
from benchmarks.harness.output import as_json, say, table
from benchmarks.harness.people import NEW_PASSWORD, Person, make_people, make_place
from benchmarks.harness.servers import PATIENCE, Server, Worker
from benchmarks.harness.stage import DATABASE, Stage
from benchmarks.harness.stats import is_noisy, percentile, ratios, spread
from benchmarks.harness.walks import address_of, start
from benchmarks.harness.wire import Connection
from benchmarks.measured.peers import code_of
from tenants.context import tenant_context
from tests.services.ports import wait_until
from writeback.connectors.base import Connection as DirectoryConnection
from writeback.models import WritebackJob

WORKERS, THREADS = 2, 8
ALONE, WAITING, WHOLE = "the domain alone", "jobs that wait", "from form to done"
APART, TOGETHER = "apart", "together"
POLLS_EVERY = 0.4
"""Seconds, as the script of the page that waits does."""
_IS_IN = (
    "SELECT EXISTS (SELECT FROM writeback_writebackjob"
    " WHERE origin = ANY(%s::uuid[]) AND purpose = 'reset' AND state = ANY(%s))"
)
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

    @contextmanager
    def arranged(self, name: str) -> Iterator[None]:
        """`apart`: the domain has a processor of its own, as it has a machine of its own, and all
        the others are for the product and whoever uses it. `together`: everybody has all."""
        everything = os.sched_getaffinity(0)
        first, *others = sorted(everything)
        if name == APART:
            for root in (os.getpid(), *self.roots.values()):
                keep_on(root, others)
            keep_on(self.domain.controller.pid, [first])
        yield
        for root in (os.getpid(), *self.roots.values()):
            keep_on(root, everything)

    def meter(self) -> Meter:
        return Meter(*self.roots.values())

    def wait_while(self, flows: Sequence[str], *states: str) -> None:
        """Until none of these journeys' jobs is in one of these states. Asks with one statement in
        one transaction: whoever looks often takes little from what is looked at."""
        with tenant_context(self.tenant), db.connection.cursor() as cursor:

            def is_over() -> bool:
                cursor.execute(_IS_IN, [list(flows), list(states)])
                return not cursor.fetchone()[0]

            wait_until(is_over, f"no job to be {' or '.join(states)}", PATIENCE)

    def succeeded(self, flows: Sequence[str]) -> int:
        with tenant_context(self.tenant):
            rows = WritebackJob.objects.filter(origin__in=flows, purpose="reset")
            return int(rows.filter(outcome="succeeded", reconciled=False).count())

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


def sent(browser: Browser) -> None:
    """Sends the new password and is shown that it is on its way."""
    browser.submit("submit", {"new_password": NEW_PASSWORD}, follow="page after")


def submitted(browser: Browser) -> float:
    """Sends the new password and waits as the page does, until it is done; seconds."""
    began = time.perf_counter()
    sent(browser)
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
    with ExitStack() as stack:
        arrangements = [APART, TOGETHER] if len(os.sched_getaffinity(0)) > 1 else [TOGETHER]
        measured = len(arrangements) * chosen.rounds * chosen.resets
        hybrid = Hybrid(found, stack, WARM + chosen.journeys + 2 * measured)
        path = _path(hybrid, chosen.journeys)
        rate = {}
        for name in arrangements:
            with hybrid.arranged(name):
                rate[name] = _rate(hybrid, chosen, name)
        return {"path": path, "rate": rate}


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


def _rate(hybrid: Hybrid, chosen: argparse.Namespace, arrangement: str) -> dict[str, Any]:
    """Rounds of three in turn: the domain alone, the same domain behind the product while jobs wait
    for it, and with everything from the form to the page that says so beside it."""
    rates: dict[str, list[float]] = {ALONE: [], WAITING: [], WHOLE: []}
    spent: dict[str, list[list[float]]] = {WAITING: [], WHOLE: []}
    for number in range(chosen.rounds):
        rates[ALONE].append(_alone(hybrid.domain, chosen))
        for name, measured in ((WAITING, _waiting), (WHOLE, _whole)):
            browsers = [hybrid.ready() for _ in range(chosen.resets)]
            rate, cpu = measured(hybrid, browsers, chosen.clients)
            rates[name].append(rate)
            spent[name].append([seconds * MS / len(browsers) for seconds in cpu])
        say(f"rate {arrangement}, round {number + 1} of {chosen.rounds} done")
    say(f"\nThe domain and the product {arrangement}")
    return _report(hybrid, rates, spent)


def _report(
    hybrid: Hybrid, rates: dict[str, list[float]], spent: dict[str, list[list[float]]]
) -> dict[str, Any]:
    found: dict[str, Any] = {"noisy": is_noisy(rates[ALONE])}
    for name, values in rates.items():
        found[name] = {
            "a_second": as_json(spread(values)),
            "of_alone": as_json(ratios(values, rates[ALONE])),
            "cpu_ms": {
                root: round(median(each), 1)
                for root, each in zip(
                    hybrid.roots, zip(*spent.get(name, []), strict=True), strict=False
                )
            },
        }
    rows = [
        (name, spread(values), ratios(values, rates[ALONE]), *found[name]["cpu_ms"].values())
        for name, values in rates.items()
        if name in spent
    ]
    table(ALONE, ("resets a second",), [(spread(rates[ALONE]),)])
    head = ("behind the product", "a second", "of the domain alone")
    table("CPU ms a reset", (*head, *hybrid.roots), rows)
    return found


Measured = tuple[float, list[float]]


def _whole(hybrid: Hybrid, browsers: Sequence[Browser], clients: int) -> Measured:
    meter = hybrid.meter()
    rate = _a_second(_together(browsers, clients, hybrid.submitted))
    return rate, meter.take()


def _waiting(hybrid: Hybrid, browsers: Sequence[Browser], clients: int) -> Measured:
    """As on the morning after a holiday: more people at once than the domain can take. The agent
    sleeps until their jobs are signed, and is measured from then on."""
    os.kill(hybrid.roots["agent"], signal.SIGSTOP)
    try:
        _a_second(_together(browsers, clients, sent))
        flows = [browser.path.split("/")[2] for browser in browsers]
        hybrid.wait_while(flows, "unsigned")
        meter, began = hybrid.meter(), time.perf_counter()
    finally:
        os.kill(hybrid.roots["agent"], signal.SIGCONT)
    hybrid.wait_while(flows, "ready", "taken")
    seconds = time.perf_counter() - began
    failed = len(flows) - hybrid.succeeded(flows)
    if failed:
        raise WentWrong(f"{failed} of {len(flows)} jobs did not succeed")
    return len(flows) / seconds, meter.take()


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


def _together(browsers: Sequence[Browser], clients: int, act: Callable[[Browser], object]) -> Work:
    left = iter(browsers)
    lock = threading.Lock()

    def walk() -> None:
        while True:
            with lock:
                browser = next(left, None)
            if browser is None:
                return
            act(browser)

    return Work([walk] * clients, len(browsers))


def _alone(domain: Domain, chosen: argparse.Namespace) -> float:
    """The fastest way there is: connections that stay open, accounts that were looked up before,
    and nothing but the change that the product makes, on as many accounts as it does."""
    anchors = [domain.administrator.anchor(seed) for seed in domain.add_people(chosen.resets)]
    with ExitStack() as stack:
        lines = [
            _Line(
                stack.enter_context(domain.connector().connect()), anchors[first :: chosen.clients]
            )
            for first in range(chosen.clients)
        ]
        return _a_second(Work([line.set_all for line in lines], len(anchors)))


class _Line:
    """Changes on one connection, one after the other."""

    def __init__(self, connection: DirectoryConnection, anchors: Sequence[str]) -> None:
        self._connection = connection
        self._entries = [connection.find(anchor) for anchor in anchors]

    def set_all(self) -> None:
        for entry in self._entries:
            if entry is None:
                raise WentWrong("nobody there")
            done = self._connection.set_password(
                entry, NEW_PASSWORD, unlock=True, must_change=False
            )
            if not done.done:
                raise WentWrong(done.cause)
