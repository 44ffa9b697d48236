"""Whether a slow mail server makes anybody wait (P12)."""

import argparse
from collections import defaultdict
from typing import Any

from benchmarks.harness.browser import Browser
from benchmarks.harness.measure import MS
from benchmarks.harness.output import say, table
from benchmarks.harness.people import NEW_PASSWORD, Person
from benchmarks.harness.servers import wait_for_quiet
from benchmarks.harness.stage import DATABASE, Stage
from benchmarks.harness.stats import percentile
from benchmarks.harness.walks import start
from benchmarks.harness.wire import Connection, Reply
from benchmarks.measured.variants import OUR_VARIANT, Ground, running
from notifications.models import Message
from tenants.context import tenant_context
from tenants.keys import tenant_keys

WARM = 5


def measure(found: Stage, chosen: argparse.Namespace) -> dict[str, Any]:
    """Rounds with a prompt and a slow peer in turn, on one server and one worker."""
    ground = Ground(found.cluster, found.post)
    ground.prepare(
        2 * chosen.rounds * chosen.journeys + WARM, chosen.tenants, stock=False, prefix="peers"
    )
    times: dict[float, dict[str, list[float]]] = {0.0: {}, chosen.delay: {}}
    with running(ground, OUR_VARIANT) as run, Connection(run.server.port) as connection:
        for _ in range(WARM):
            _walk(ground, connection, ground.next_person(OUR_VARIANT))
        for _ in range(chosen.rounds):
            for delay, steps in times.items():
                found.post.delay = delay
                for _ in range(chosen.journeys):
                    for step, seconds in _walk(ground, connection, ground.next_person(OUR_VARIANT)):
                        steps.setdefault(step, []).append(seconds * MS)
                found.post.delay = 0.0
                wait_for_quiet(found.cluster, DATABASE, seconds=600)
    return _report(times[0.0], times[chosen.delay], chosen)


def _walk(ground: Ground, connection: Connection, person: Person) -> list[tuple[str, float]]:
    """A whole reset that never waits for its mail: the code is read from the outbox's row."""
    times: list[tuple[str, float]] = []

    def seen(step: str, reply: Reply) -> None:
        times.append((step, reply.seconds))

    browser = Browser(connection, person.place.host, ground.next_address(), seen)
    start(browser, person.user_id)
    browser.submit("verify app", {"code": person.app_code()}, follow="page contact")
    browser.submit("choose mail", {"contact": person.mailbox}, follow="page code")
    flow = browser.path.split("/")[2]
    browser.submit("verify mail", {"code": code_of(person, flow)}, follow="page password")
    browser.submit("submit", {"new_password": NEW_PASSWORD}, follow="page done")
    browser.expect('data-state="done"')
    return times


def code_of(person: Person, flow: str) -> str:
    with tenant_context(person.place.tenant):
        message = Message.objects.get(correlation_id=flow, kind="code")
        nonce, bound_to = bytes(message.code_nonce), bytes(message.code_binding)
        return tenant_keys().code(nonce, bound_to).reveal()


def _report(
    prompt: dict[str, list[float]], slow: dict[str, list[float]], chosen: argparse.Namespace
) -> dict[str, Any]:
    p95 = defaultdict[str, tuple[float, float]](lambda: (0.0, 0.0))
    for step, times in prompt.items():
        p95[step] = percentile(times, 0.95), percentile(slow[step], 0.95)
    everything = [[t for times in steps.values() for t in times] for steps in (prompt, slow)]
    total = percentile(everything[1], 0.95) / percentile(everything[0], 0.95)
    rows = [(step, a, b, b / a) for step, (a, b) in p95.items()]
    table(
        f"Steps with a peer that takes {chosen.delay:.0f} s",
        ("step", "prompt p95 ms", "slow p95 ms", "ratio"),
        rows,
    )
    say(f"all steps together: {total:.2f}")
    return {
        "delay_s": chosen.delay,
        "all_steps_ratio": round(total, 3),
        "steps": {
            step: {
                "prompt_p95_ms": round(a, 2),
                "slow_p95_ms": round(b, 2),
                "ratio": round(b / a, 3),
            }
            for step, (a, b) in p95.items()
        },
    }
