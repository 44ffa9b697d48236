"""How it stands under load: six people at once, a Monday morning, slow peers, memory.

    .venv/bin/python -m benchmarks.load [--only closed|burst|peers|memory] [--quick]

closed  six clients reset again and again: resets a CPU-second, and the 95th percentile of the
        cheapest page, beside Django's own and allauth's (P5, P6, P11)
burst   100 starts a second for 60 s over 5,000 people (F-35)
peers   every step with a mail server that takes 2 s for each mail, beside a prompt one (P12)
memory  of an idle worker, and with 50 new passwords at once (P22); connections opened (P23)

The client runs on the same processors. It keeps its connections, brings its captchas solved, and
tells how busy it was itself; its own time is not in any figure of CPU.
"""

import argparse
from pathlib import Path
from typing import Any

from benchmarks.harness.stage import stage

PARTS = ("closed", "burst", "peers", "memory")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=float, default=8, help="of each closed round")
    options.add_argument("--clients", type=int, default=6)
    options.add_argument("--rate", type=float, default=100, help="starts a second in the burst")
    options.add_argument("--burst-seconds", type=float, default=60)
    options.add_argument("--people", type=int, default=5000)
    options.add_argument("--tenants", type=int, default=20)
    options.add_argument("--delay", type=float, default=2, help="seconds a slow peer takes")
    options.add_argument("--journeys", type=int, default=40, help="with prompt and slow peers")
    options.add_argument("--only", choices=PARTS)
    options.add_argument("--quick", action="store_true", help="small sizes: does it run?")
    options.add_argument("--out", type=Path, help="folder of the results")
    chosen = options.parse_args()
    if chosen.quick:
        chosen.rounds, chosen.seconds, chosen.burst_seconds = 1, 3, 5
        chosen.people, chosen.rate, chosen.journeys, chosen.tenants = 200, 20, 5, 4
    with stage() as found:
        from benchmarks.harness.output import circumstances, write_result
        from benchmarks.measured import burst, closed, memory, peers

        parts: dict[str, Any] = {
            "closed": closed.measure,
            "burst": burst.measure,
            "peers": peers.measure,
            "memory": memory.measure,
        }
        result: dict[str, Any] = {"run": circumstances(found.cluster, vars(chosen))}
        for name in (chosen.only,) if chosen.only else PARTS:
            result[name] = parts[name](found, chosen)
        write_result("load", result, chosen.out)


if __name__ == "__main__":
    main()
