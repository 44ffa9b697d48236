"""What growth costs: the flow, look-ups and administration at 1 k, 100 k and 1 M people.

    .venv/bin/python -m benchmarks.growth [--people 1000,100000,1000000] [--events 10000000]

Each size is a database of its own: its people spread over a tenant for every hundred, and as many
again in one giant tenant; ten events for each person, half of them spread and half in the giant
tenant. The people who reset and are looked for are made by the product's own code; everything is
measured once from inside a small tenant and once from inside the giant one. Ratios are to the
smallest size, round by round (P8, P17–P21). The plans are those that the running server got.

Ten million events take about 20 GB of disk while they are there. --only sqlite measures the audit
pages of the embedded database alone.
"""

import argparse
from pathlib import Path
from typing import Any

from benchmarks.harness.stage import WARMING, stage


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", default="1000,100000,1000000")
    options.add_argument("--events", type=int, default=10_000_000, help="at the largest size")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--flows", type=int, default=20)
    options.add_argument("--warm", type=int, default=40, help=WARMING)
    options.add_argument("--times", type=int, default=30, help="each page, each round")
    options.add_argument("--only", choices=("postgresql", "sqlite"))
    options.add_argument("--quick", action="store_true", help="small sizes: does it run?")
    options.add_argument("--out", type=Path, help="folder of the results")
    chosen = options.parse_args()
    if chosen.quick:
        chosen.people, chosen.events, chosen.rounds = "1000,5000", 50_000, 1
        chosen.flows, chosen.warm, chosen.times = 3, 2, 5
    with stage() as found:
        from benchmarks.harness.output import circumstances, write_result
        from benchmarks.measured import embedded, sizes

        result: dict[str, Any] = {"run": circumstances(found.cluster, vars(chosen))}
        if chosen.only != "sqlite":
            result |= sizes.measure(found, chosen)
        if chosen.only != "postgresql":
            result["sqlite"] = embedded.measure(chosen)
        write_result("growth", result, chosen.out)


if __name__ == "__main__":
    main()
