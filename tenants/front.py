"""Whose door it is: the tenant of a host name, kept for a few seconds.

Pages show only its name and look, and every step of a journey reads the tenant's row anew: a tenant
that was suspended meanwhile has a door for a moment longer and nothing behind it. What begins
something, and all of the administration, asks the database whose host it is; a door with a captcha
asks when that is spent.
"""

import time
from collections import OrderedDict
from threading import Lock
from typing import Any

from .context import tenant_reading
from .lookup import find_tenant
from .models import Tenant
from .together import Reading

KEPT_SECONDS = 10
MOST_KEPT = 2000

_TENANT = Reading(lambda: (Tenant.objects.all(),))
_kept: OrderedDict[str, tuple[float, Tenant]] = OrderedDict()
_lock = Lock()


def find_front(host: str, *, kept: bool = True) -> Tenant | None:
    """The tenant that owns this host name (lower case, no port); `kept` where the one of a moment
    ago will do. A host nobody owns is looked up each time, or strangers could fill the memory with
    names."""
    now = time.monotonic()
    with _lock:
        earlier = _kept.get(host)
    fresh = earlier is not None and now - earlier[0] < KEPT_SECONDS
    if earlier is not None and fresh and (kept or find_tenant(host=host) == earlier[1].pk):
        return earlier[1]
    found = _read(host)
    with _lock:
        if found is None:
            _kept.pop(host, None)
            return None
        _kept[host] = (now, found)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return found


def _read(host: str) -> Tenant | None:
    tenant_id = find_tenant(host=host)
    if tenant_id is None:
        return None
    with tenant_reading(tenant_id):
        [rows] = _TENANT.rows()
    found: Tenant | None = next(iter(rows), None)
    return found


def forget_fronts(**_: Any) -> None:
    """A change made in this process shows at once."""
    with _lock:
        _kept.clear()
