"""Moving a limit's clock and counting what a case can't wait for."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from tenants.counters import Count, count_up
from tenants.limits import LIMITS
from tests.cast import Organisation
from tests.security.lab.client import Answer, Browser
from tests.security.lab.observers import superuser

TICKS = 100  # of the clock in /proc, a second


def age_counters(span: timedelta) -> None:
    """Every counter as if its counting had begun earlier by `span`."""
    with superuser() as connection:
        for table in ("tenants_counter", "tenants_sharedcounter"):
            connection.execute(
                f"UPDATE {table} SET window_ends = window_ends - %(by)s,"  # noqa: S608 - our own names
                " block_ends = block_ends - %(by)s, ends_at = ends_at - %(by)s",
                {"by": span},
            )


def fail_in_tenant(organisation: Organisation, times: int) -> None:
    """So many failed proofs in the tenant, by the product's own counting."""
    count = Count(LIMITS["failed_in_tenant"], "all")
    with organisation.inside():
        for _ in range(times):
            count_up([count], timezone.now())


def count_of(organisation: Organisation, limit: str) -> int:
    """The tries of a limit, all its subjects together."""
    with superuser() as connection:
        row = connection.execute(
            "SELECT coalesce(sum(count), 0) FROM tenants_counter"
            ' WHERE tenant_id = %s AND "limit" = %s',
            [organisation.id, limit],
        ).fetchone()
    assert row is not None
    return int(row[0])


def statuses(answers: Sequence[Answer]) -> list[int]:
    return [answer.status for answer in answers]


def from_many_addresses(browser: Browser, number: int) -> Browser:
    """The same form protection at another network address: no page has to be loaded again."""
    other = browser.twin()
    other.address = f"203.0.{113 + number // 250}.{number % 250 + 1}"
    return other


def cpu_seconds(pids: Sequence[int]) -> float:
    """Time of the processor that these processes and their threads used so far."""
    used = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])
    return used / TICKS


def children_of(pid: int) -> list[int]:
    """The processes that this one started, as they are now."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(found) for found in text.split()]
