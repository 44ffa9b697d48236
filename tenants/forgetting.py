"""Removing counters whose time is over: they count nothing any more, and there are many of them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from .context import get_current_tenant, tenant_context
from .lookup import tenants_with_ended_counters
from .models import Counter, SharedCounter
from .statements import is_embedded, run
from .together import stored

KEPT_FOR = timedelta(hours=1)
"""Clocks of machines differ: what has ended here may still hold there."""
BATCH = 500
MOST = 10_000
"""Rows of one turn; what is left has the next one."""


def forget_ended(now: datetime) -> int:
    """Removes counters that ended an hour ago or earlier, in every tenant and those that tenants
    share; how many. Needs no tenant in force."""
    before = now - KEPT_FOR
    done = _in_batches(partial(_remove, SharedCounter, before), MOST)
    for tenant in tenants_with_ended_counters(before):
        if done >= MOST:
            break
        with tenant_context(tenant):
            done += _in_batches(partial(_remove, Counter, before), MOST - done)
    return done


def _in_batches(remove: Callable[[int], int], most: int) -> int:
    """Removes until nothing is left or `most` are gone, a batch at a time; how many."""
    done = 0
    while done < most:
        wanted = min(BATCH, most - done)
        removed = remove(wanted)
        done += removed
        if removed < wanted:
            break
    return done


def _remove(model: Any, before: datetime, most: int) -> int:
    """Removes the oldest. A row that somebody counts with just now is left alone: it may have
    begun again."""
    table = model._meta.db_table
    shared = model is SharedCounter
    own, values = ("", []) if shared else ("tenant_id = %s AND ", [stored(get_current_tenant())])
    ended = f"SELECT id FROM {table} WHERE {own}ends_at <= %s ORDER BY ends_at LIMIT %s"  # noqa: S608 - names of ours
    # An array is made once and looked up by the key; a plan may ask a set twice, and get others.
    found = f"IN ({ended})" if is_embedded() else f"= ANY (ARRAY({ended} FOR UPDATE SKIP LOCKED))"
    text = f"DELETE FROM {table} WHERE {own}id {found}"  # noqa: S608 - names of ours
    with run(text, [*values, *values, stored(before), most]) as cursor:
        return int(cursor.rowcount)
