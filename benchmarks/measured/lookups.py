"""Look-ups by the product's own functions, in this process (P17)."""

import time
from collections.abc import Callable

from accounts.people import find_belongings, find_user, guest_lookup
from benchmarks.harness.measure import MS, Meter
from benchmarks.harness.people import Person
from tenants.context import tenant_context
from tenants.lookup import find_tenant, tenants_of_guest

TIMES = 300


def lookups(person: Person, guest: str) -> dict[str, Callable[[], object]]:
    """Name → one look-up; `guest` is the registered address of a guest."""
    place = person.place

    def inside(look: Callable[[], object]) -> Callable[[], object]:
        def looked() -> object:
            with tenant_context(place.tenant):
                return look()

        return looked

    mac = guest_lookup(guest)
    return {
        "person, by user ID": inside(lambda: find_user(person.user_id)),
        "guest, by mail address": inside(lambda: find_user(guest)),
        "what a person owns": inside(lambda: find_belongings(find_user(person.user_id))),
        "tenant, by domain": lambda: find_tenant(domain=place.domain),
        "tenant, by host": lambda: find_tenant(host=place.host),
        "tenants of a guest": lambda: tenants_of_guest(mac),
    }


def costs(person: Person, guest: str, postmaster: int) -> dict[str, float]:
    """ms of CPU of one look-up, this process and the database together."""
    found = {}
    for name, look in lookups(person, guest).items():
        for _ in range(20):
            if not look():
                raise LookupError(name)
        meter, own = Meter(postmaster), time.process_time()
        for _ in range(TIMES):
            look()
        found[name] = (sum(meter.take()) + time.process_time() - own) / TIMES * MS
    return found
