"""Whether time tells who exists: at every step, in a tenant that conceals (P10).

    .venv/bin/python -m benchmarks.timing [--pairs 500] [--seed 1] [--gate]

Two people walk side by side, one able to reset and one not; at each step their requests follow
each other in an order drawn from the seed. AUC 0.5 means that nobody can tell them apart; its
standard error at 500 pairs is 0.018, so with this many steps one in a few runs has a step at 2.8
of them: --pairs 1000 settles it. --gate ends with 1 when an AUC is outside 0.45–0.55, two answers
differ, or a message went to an address that is not on file.

Limits stay as they are. Everybody has an address of their own behind the trusted proxy, and a
tenant has few enough people that its own limit on failed proofs is not reached.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.harness.stage import stage


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pairs", type=int, default=500, help="of each contrast")
    options.add_argument("--pairs-a-tenant", type=int, default=16)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--at-once", type=int, default=4, help="pairs on their way together")
    options.add_argument("--wrong-contact", action="store_true", help="the visitor guesses it")
    options.add_argument("--quick", action="store_true", help="20 pairs: does it run?")
    options.add_argument("--gate", action="store_true")
    options.add_argument("--out", type=Path, help="folder of the results")
    chosen = options.parse_args()
    if chosen.quick:
        chosen.pairs = 20
    with stage() as found:
        from benchmarks.harness.output import circumstances, write_result
        from benchmarks.measured import existence

        result = {"run": circumstances(found.cluster, vars(chosen))}
        result |= existence.measure(found, chosen)
        write_result("timing", result, chosen.out)
    return 1 if chosen.gate and not result["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
