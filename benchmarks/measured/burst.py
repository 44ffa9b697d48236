"""Monday morning: many starts a second, whether the server keeps up or not (F-35)."""

import argparse
import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from benchmarks.harness.browser import form_of
from benchmarks.harness.captcha import solved
from benchmarks.harness.measure import MS, Meter
from benchmarks.harness.output import say, table
from benchmarks.harness.people import Person
from benchmarks.harness.servers import wait_for_quiet
from benchmarks.harness.stage import DATABASE, Stage
from benchmarks.harness.stats import percentile
from benchmarks.harness.walks import address_of
from benchmarks.harness.wire import AsyncConnection, Connection, Reply, Request
from benchmarks.measured.variants import OUR_VARIANT, Ground, running

WORKERS, THREADS = 2, 8
LIMIT_MS = 1000.0
FIRST_ADDRESS = 2**22


@dataclass
class Burst:
    """Answers by status, time of the answer from the moment the start was due, and how late the
    client itself was."""

    answers: list[float] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    broken: int = 0
    late: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """What is sent, prepared: the posted start of each person."""

    requests: list[Request]
    rate: float
    port: int


def measure(found: Stage, chosen: argparse.Namespace) -> dict[str, Any]:
    ground = Ground(found.cluster, found.post)
    ground.prepare(chosen.people, chosen.tenants, stock=False, prefix="burst")
    with running(ground, OUR_VARIANT, workers=WORKERS, threads=THREADS) as run:
        people = [ground.next_person(OUR_VARIANT) for _ in range(chosen.people)]
        _warm(run.server.port, people)
        # Captchas live two minutes, so they are made at the last moment.
        plan = Plan(
            _prepare(run.server.port, people, int(chosen.rate * chosen.burst_seconds)),
            chosen.rate,
            run.server.port,
        )
        meter = Meter(*run.roots(), found.cluster.postmaster)
        client = time.process_time()
        burst = asyncio.run(_send(plan))
        cpu = [seconds / chosen.burst_seconds for seconds in meter.take()]
        client = (time.process_time() - client) / chosen.burst_seconds
        wait_for_quiet(found.cluster, DATABASE, seconds=600)
    return _report(burst, chosen, cpu, client)


def _warm(port: int, people: list[Person]) -> None:
    """Every tenant's keys in every process, as on a server that has been up for a while."""
    hosts = sorted({person.place.host for person in people})
    for _ in range(4 * WORKERS):
        for host in hosts:
            with Connection(port) as connection:
                connection.ask(Request("/reset/", host, {"X-Forwarded-For": "10.255.0.1"}))


def _prepare(port: int, people: list[Person], count: int) -> list[Request]:
    """A start for each, everybody from an address of their own; who comes again is the same."""
    tokens: dict[str, tuple[str, str]] = {}
    with Connection(port) as connection:
        for host in {person.place.host for person in people}:
            reply = connection.ask(Request("/reset/", host, {"X-Forwarded-For": "10.255.0.2"}))
            cookie = "; ".join(f"{name}={value}" for name, value in reply.cookies.items())
            tokens[host] = cookie, form_of(reply.text)[1]["csrfmiddlewaretoken"]
    requests = []
    for number in range(count):
        person = people[number % len(people)]
        host = person.place.host
        cookie, token = tokens[host]
        address = address_of(FIRST_ADDRESS + number % len(people))
        fields = {"csrfmiddlewaretoken": token, "user_id": person.user_id, "ticket": ""}
        headers = {"X-Forwarded-For": address, "Cookie": cookie, "Accept-Language": "en"}
        requests.append(Request("/reset/", host, headers, {**fields, "altcha": solved(host)}))
    return requests


async def _send(plan: Plan) -> Burst:
    """Each start when it is due, never waiting for the one before."""
    burst = Burst()
    free: list[AsyncConnection] = []
    began = time.perf_counter() + 0.2
    tasks = []
    for number, request in enumerate(plan.requests):
        due = began + number / plan.rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        burst.late.append((time.perf_counter() - due) * MS)
        tasks.append(asyncio.create_task(_one(plan, request, due, burst, free)))
    await asyncio.gather(*tasks)
    for connection in free:
        connection.close()
    return burst


async def _one(
    plan: Plan, request: Request, due: float, burst: Burst, free: list[AsyncConnection]
) -> None:
    connection = free.pop() if free else AsyncConnection(plan.port)
    try:
        reply = await connection.ask(request)
        burst.statuses[reply.status] += 1
        burst.answers.append((time.perf_counter() - due) * MS)
        if reply.status == 303:
            page = await connection.ask(_following(request, reply))
            burst.statuses[page.status] += 1
            burst.pages.append(page.seconds * MS)
    except (OSError, asyncio.IncompleteReadError):
        burst.broken += 1
        return
    free.append(connection)


def _following(request: Request, reply: Reply) -> Request:
    cookie = "; ".join(f"{name}={value}" for name, value in reply.cookies.items())
    headers = {**request.headers, "Cookie": f"{request.headers['Cookie']}; {cookie}"}
    return Request(urlsplit(reply.headers["location"]).path, request.host, headers)


def _report(
    burst: Burst, chosen: argparse.Namespace, cpu: list[float], client: float
) -> dict[str, Any]:
    found = {
        "starts": len(burst.answers),
        "rate": chosen.rate,
        "people": chosen.people,
        "start_p50_ms": round(percentile(burst.answers, 0.5), 1),
        "start_p95_ms": round(percentile(burst.answers, 0.95), 1),
        "page_p95_ms": round(percentile(burst.pages or [0.0], 0.95), 1),
        "statuses": {str(status): count for status, count in sorted(burst.statuses.items())},
        "server_errors": sum(count for status, count in burst.statuses.items() if status >= 500),
        "limited": burst.statuses[429],
        "broken": burst.broken,
        "client_late_p95_ms": round(percentile(burst.late, 0.95), 2),
        "client_cpus": round(client, 2),
        "cpus": dict(
            zip(("server", "worker", "database"), (round(x, 2) for x in cpu), strict=True)
        ),
    }
    found["passed"] = (
        percentile(burst.answers, 0.95) < LIMIT_MS
        and not burst.broken
        and not found["server_errors"]
        and not burst.statuses[429]
    )
    table("Burst of starts", ("figure", "value"), [(k, str(v)) for k, v in found.items()])
    if found["client_late_p95_ms"] > 50:
        say("the client was late itself: this is the machine's limit, not the server's")
    return found
