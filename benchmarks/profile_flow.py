"""Where the time of one reset goes: cProfile over the WSGI application, in this process.

.venv/bin/python -m benchmarks.profile_flow [--flows 20] [--top 40]
"""

import argparse
import cProfile
import os
import pstats
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from benchmarks.harness.cluster import cluster, migrate_product, product_env

WARM = 8
"""PostgreSQL plans the first five of each statement by itself before it keeps a plan."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--flows", type=int, default=20)
    options.add_argument("--top", type=int, default=40)
    options.add_argument("--sort", default="tottime")
    options.add_argument("--no-profile", action="store_true", help="CPU by step only")
    chosen = options.parse_args()
    from benchmarks.harness.post import MailSink

    with cluster() as found, MailSink() as post:
        migrate_product(found, "bench")
        os.environ.update(product_env(found, "bench", post.url))
        import django

        django.setup()
        profile_flows(chosen, post, found.postmaster)


def profile_flows(chosen: argparse.Namespace, post: Any, postmaster: int) -> None:
    from benchmarks.harness.browser import Browser
    from benchmarks.harness.cpu import cpu_seconds
    from benchmarks.harness.people import make_people, make_place
    from benchmarks.harness.walks import address_of, reset_with_two_proofs
    from benchmarks.harness.wire import InProcess
    from sspr_project.worker import run_once
    from sspr_project.wsgi import application

    people = make_people(make_place("acme"), "able", chosen.flows + WARM)
    web, worker = _Part(chosen), _Part(chosen)
    transport = InProcess(application, web.run)
    for number, person in enumerate(people):
        if number == WARM:
            web.start()
            worker.start()
            before = cpu_seconds([postmaster])
        browser = Browser(transport, person.place.host, address_of(number), seen=web.name)
        reset_with_two_proofs(browser, person, post, wait=lambda: worker.run(run_once))
        worker.run(run_once)
    spent = cpu_seconds([postmaster]) - before
    sys.stdout.write(f"\n== PostgreSQL: {spent / chosen.flows * 1000:.1f} ms CPU a flow\n")
    for title, part in (("web", web), ("worker", worker)):
        part.tell(title, chosen.flows)


class _Part:
    """Process CPU and, when asked, a profile of what runs through it."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        self._chosen = chosen
        self._profile = cProfile.Profile()
        self._steps: dict[str, float] = defaultdict(float)
        self._last = 0.0
        self._total = 0.0

    def start(self) -> None:
        self._profile = cProfile.Profile()
        self._steps.clear()
        self._total = 0.0

    def run(self, call: Callable[[], Any]) -> Any:
        began = time.process_time()
        result = call() if self._chosen.no_profile else self._profile.runcall(call)
        self._last = time.process_time() - began
        self._total += self._last
        return result

    def name(self, step: str, _: object) -> None:
        self._steps[step] += self._last

    def tell(self, title: str, flows: int) -> None:
        sys.stdout.write(f"\n== {title}: {self._total / flows * 1000:.1f} ms CPU a flow\n")
        for step, seconds in self._steps.items():
            sys.stdout.write(f"  {step:16} {seconds / flows * 1000:7.2f} ms\n")
        if not self._chosen.no_profile:
            stats = pstats.Stats(self._profile, stream=sys.stdout)
            stats.sort_stats(self._chosen.sort).print_stats(self._chosen.top)


if __name__ == "__main__":
    main()
