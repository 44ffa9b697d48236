"""What a whole reset costs, ours beside Django's own and allauth's, and what a stranger can cause.

    .venv/bin/python -m benchmarks.flow [--rounds 6] [--flows 20] [--quick]

CPU is user and system time of the server's processes, of the worker and of PostgreSQL (the whole
postmaster's tree; nothing else runs in that cluster). The client, which also is the mail server,
is never counted. All variants stand side by side and take turns in every round.
"""

import argparse
from pathlib import Path

from benchmarks.harness.stage import WARMING, stage

ONLY = "the other half stays as it was measured before"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=6)
    options.add_argument("--flows", type=int, default=20)
    options.add_argument("--warm", type=int, default=40, help=WARMING)
    options.add_argument("--requests", type=int, default=100, help="of each anonymous kind")
    options.add_argument("--tenants", type=int, default=10)
    options.add_argument("--quick", action="store_true", help="two small rounds: does it run?")
    options.add_argument("--only", choices=("flows", "anonymous"), default="", help=ONLY)
    options.add_argument("--out", type=Path, help="folder of the results")
    chosen = options.parse_args()
    if chosen.quick:
        chosen.rounds, chosen.warm, chosen.flows, chosen.requests = 2, 5, 5, 20
    with stage() as found:
        from benchmarks.harness.output import circumstances, earlier, write_result
        from benchmarks.measured import anonymous, whole
        from benchmarks.measured.variants import Ground

        run = circumstances(found.cluster, vars(chosen))
        result = {**earlier("flow", chosen.out), "run": run} if chosen.only else {"run": run}
        ground = Ground(found.cluster, found.post)
        each = chosen.rounds * (chosen.flows + whole.AFTER_A_PAUSE) + chosen.warm
        ground.prepare(each * 5 + 60, chosen.tenants)
        if chosen.only != "anonymous":
            result |= whole.measure(ground, chosen)
        if chosen.only != "flows":
            result |= anonymous.measure(ground, chosen)
        write_result("flow", result, chosen.out)


if __name__ == "__main__":
    main()
