"""Passwords that go to a directory: a real domain controller behind a real agent.

    .venv/bin/python -m benchmarks.writeback [--quick]

path  from sending the new password to the page that says it is done, one after the other (p95)
rate  resets a second through one controller, in turn: the domain alone, on connections that stay
      open; behind the product while jobs wait for it; and with the whole way beside it, from the
      form to the page that says it is done

The rates are taken twice. Apart: the domain has one processor to itself, as a controller has a
machine to itself; product, database, clients and mail server share the others. Together: everything
on all of them, so that what the product needs for itself is taken from the domain's share. The CPU
of each process stands beside the rates.
"""

import argparse
from pathlib import Path

from benchmarks.harness.stage import stage


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--journeys", type=int, default=100, help="one after the other")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--resets", type=int, default=60, help="of each kind in a round")
    options.add_argument("--clients", type=int, default=8)
    options.add_argument("--quick", action="store_true", help="small sizes: does it run?")
    options.add_argument("--out", type=Path, help="folder of the results")
    chosen = options.parse_args()
    if chosen.quick:
        chosen.journeys, chosen.rounds, chosen.resets = 5, 1, 16
    with stage() as found:
        from benchmarks.harness.output import circumstances, write_result
        from benchmarks.measured import directory

        run = circumstances(found.cluster, vars(chosen))
        write_result("writeback", {"run": run, **directory.measure(found, chosen)}, chosen.out)


if __name__ == "__main__":
    main()
